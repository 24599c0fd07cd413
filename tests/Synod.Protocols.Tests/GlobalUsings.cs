// The room's tests live in a namespace of the same name as the class.
global using TwoPhase = Synod.Protocols.Commit.TwoPhaseCommit;
