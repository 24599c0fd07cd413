// A room's tests live in a namespace of the same name as the class.
global using TwoPhase = Synod.Protocols.Commit.TwoPhaseCommit;
global using PbftReplica = Synod.Protocols.Byzantine.Pbft;
