using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Xunit;

namespace Synod.Protocols.Tests.Commit;

/// <summary>
/// What the explorer finds about the three protocols in the same world: a process dies for good in the midst of any step. Blocking
/// is a state from which a survivor stays in doubt although everything else happens that can.
/// </summary>
public sealed class FindingTests(ITestOutputHelper output)
{
    private static readonly NodeId First = new(1);
    private static readonly TransactionId Begun = new(First, 1, 1);
    private static readonly NodeSet Two = NodeSet.Of(new NodeId(2), new NodeId(3));
    private static readonly NodeSet Three = Two.With(new NodeId(4));

    [Fact]
    public void Two_phase_commit_has_a_blocked_state()
    {
        var result = Blocked(CommitRooms.TwoPhase(), 3, Two, NodeSet.Of(First), heard: false).Explore();
        output.WriteLine(result.ToString());
        Assert.Equal("nobody is blocked", result.Counterexample?.Property);
    }

    [Fact]
    public void Paxos_commit_without_spare_acceptors_has_one_too()
    {
        var result = Blocked(CommitRooms.Paxos(1), 3, Two, NodeSet.Of(First), heard: false).Explore();
        Assert.Equal("nobody is blocked", result.Counterexample?.Property);
    }

    /// <summary>With F = 1 any one of the nodes may die, here the one that is leader and acceptor.</summary>
    [Theory]
    [InlineData(1, 4552)]
    [InlineData(2, 282)]
    public void Paxos_commit_has_none(int mortal, int states)
    {
        var model = Blocked(CommitRooms.Paxos(3), 3, Two, NodeSet.Of(new NodeId(mortal)), heard: true)
            .Always(PaxosCommit.OneValueChosen, world => PaxosCommit.ChoiceIsKept(
                [.. world.Nodes.Select(node => (PaxosCommit)((Mortal<PaxosCommit.Message, PaxosCommit.Record>)node.Protocol).Inner)]))
            .Sometimes("dead", world => world.Nodes.Any(node =>
                ((Mortal<PaxosCommit.Message, PaxosCommit.Record>)node.Protocol).IsDead));
        Holds(model.Explore(), states);
    }

    /// <summary>The coordinator dies, with two participants also the first backup.</summary>
    [Theory]
    [InlineData(2, true, 1957)]
    [InlineData(3, false, 7569)]
    public void Three_phase_commit_agrees_and_does_not_block_where_suspicion_is_never_wrong(int participants, bool backupToo, int states)
    {
        var mortals = backupToo ? NodeSet.Of(First, new NodeId(2)) : NodeSet.Of(First);
        var model = Blocked(CommitRooms.ThreePhase(), participants + 1, participants == 2 ? Two : Three, mortals, heard: true)
            .Sometimes("committed without the coordinator", world => ((Mortal<ThreePhaseCommit.Message, ThreePhaseCommit.Record>)
                world[First].Protocol).IsDead && world.Nodes.Skip(2).All(node => node.Executions.Count > 0))
            .Sometimes("aborted without the coordinator", world => ((Mortal<ThreePhaseCommit.Message, ThreePhaseCommit.Record>)
                world[First].Protocol).IsDead && world.Nodes.Skip(2).All(node =>
                    ((ICommitProtocol)node.Protocol).Ledger.EndingOf(Begun) == Ending.Aborted));
        Holds(model.Explore(), states);
    }

    /// <summary>Processes that crash and come back: whoever does says so, and is never suspected before.</summary>
    [Fact]
    public void Three_phase_commit_agrees_when_processes_come_back()
    {
        var model = CommitModels.Of(CommitRooms.ThreePhase(), 3, First, Two, new Budgets { Crashes = 2, Timers = 2 })
            .Sometimes("all in doubt after crashes", world => world.Nodes.Skip(1).All(node =>
                ((ThreePhaseCommit)node.Protocol).StandingOf(Begun)
                    is ThreePhaseCommit.Standing.WaitingSinceCrash or ThreePhaseCommit.Standing.PreCommittedSinceCrash))
            .Eventually("everybody ended", world => world.Nodes.All(node =>
                ((ICommitProtocol)node.Protocol) is { Ledger.InDoubt.Count: 0, Open.Count: 0 }));
        Holds(model.Explore(), 564_853);
    }

    /// <summary>The same protocol, the same everything, and suspicion may be wrong.</summary>
    [Fact]
    public void Three_phase_commit_splits_where_suspicion_may_be_wrong()
    {
        var (a, b) = (new NodeId(2), new NodeId(3));
        var model = CommitModels.Of(CommitRooms.ThreePhase(), 3, First, Two, new Budgets());
        var result = (model with
        {
            Submissions =
            [
                .. model.Submissions,
                new(a, new CommitCommand.Suspect(First)), new(a, new CommitCommand.Suspect(b)),
                new(b, new CommitCommand.Suspect(First)), new(b, new CommitCommand.Suspect(a)),
            ],
        }).Explore();
        output.WriteLine(result.ToString());
        Assert.Equal(Ledger.Agreement, result.Counterexample?.Property);
    }

    private static Model<Envelope<TMessage>, TRecord, CommitCommand, CommitResult> Blocked<TMessage, TRecord>(
        CommitRoom<TMessage, TRecord> room, int nodes, NodeSet members, NodeSet mortals, bool heard)
        where TMessage : class
        where TRecord : class =>
        CommitModels.Mortal(room, nodes, First, members, mortals, heard, new Budgets { MaxStates = 400_000 })
            .Sometimes("committed", world => world.Nodes.Count(node => node.Executions.Count > 0) == members.Count)
            .Eventually("nobody is blocked", CommitModels.NobodyIsBlocked);

    private void Holds(ExplorationResult result, int states)
    {
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }
}
