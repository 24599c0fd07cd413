using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;
using Branch = Synod.Protocols.Commit.Branch;

namespace Synod.Protocols.Tests.PaxosCommitRoom;

/// <summary>Dynamic enlistment in Paxos Commit: the rules, small configurations whole, drawn faults, and known mistakes.</summary>
public sealed class EnlistingTests(ITestOutputHelper output) : EnlistingTests<PaxosCommit.Message, PaxosCommit.Record>(output)
{
    private static readonly NodeId A = new(2);
    private static readonly NodeId B = new(3);

    private protected override int Inquire => (int)PaxosCommit.Timer.Inquire;

    /// <summary>
    /// One that restarts and enlists something else; two that join while others may have closed; and leaders of higher ballots, of whom one that
    /// joined knows no set.
    /// </summary>
    [Theory]
    [InlineData(1, 1, 0, 1, false, 6009)]
    [InlineData(1, 1, 1, 1, false, 133_707)]
    [InlineData(1, 0, 1, 1, true, 384_488)]
    [InlineData(3, 0, 0, 1, false, 347_742)]
    public void Every_run_is_whole(int acceptors, int crashes, int ballots, int inquiries, bool both, int states)
    {
        ImmutableArray<Branch> enlistments = both ? [EnlistingModels.Branch(A, "x"), EnlistingModels.Branch(B, "x")]
            : crashes == 0 ? [EnlistingModels.Branch(A, "x")]
            : [EnlistingModels.Branch(A, "x"), EnlistingModels.Branch(A, "y")];
        var budgets = new Budgets
        {
            Crashes = crashes,
            MayCrash = NodeSet.Of(A),
            TimersOfKind = new SortedDictionary<int, int> { [(int)PaxosCommit.Timer.Ballot] = ballots, [(int)PaxosCommit.Timer.Inquire] = inquiries },
            MaxStates = 700_000,
        };
        var room = CommitRooms.Paxos(CommitRooms.Acceptors(acceptors) with { Patience = 0 }, PaxosCommitMutation.None);
        Holds(
            EnlistingModels.Of(room, both || acceptors == 3 ? 3 : 2, budgets, enlistments)
                .Always(PaxosCommit.OneValueChosen, world => PaxosCommit.ChoiceIsKept([.. world.Nodes.Select(node => (PaxosCommit)node.Protocol)]))
                .Always(PaxosCommit.ForgottenIsOver, world => PaxosCommit.ForgetWhatIsOver([.. world.Nodes.Select(node => (PaxosCommit)node.Protocol)])),
            states);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void Faults_of_every_kind_and_progress_after_them(int acceptors)
    {
        var total = Runs(20, seed => CommitWorld<PaxosCommit.Message, PaxosCommit.Record>.RunAnywhere(
            seed,
            CommitRooms.Paxos(
                CommitRooms.Acceptors(acceptors) with { IsFaster = seed % 3 == 0, Leader = seed % 4 == 0 ? new(1) : NodeId.None },
                PaxosCommitMutation.None),
            5,
            enlists: true));
        Assert.True(total is { Joined: > 500, Crashes: > 20 }, total.ToString());
    }

    [Fact]
    public void A_storm_and_progress_after_it()
    {
        var total = Runs(10, seed => CommitWorld<PaxosCommit.Message, PaxosCommit.Record>.RunStormy(
            seed, CommitRooms.Paxos(3), 5, checkpointBytes: 16 << 10, enlists: true));
        Assert.True(total is { Joined: > 200, Crashes: > 100, Checkpoints: > 50 }, total.ToString());
    }

    [Theory]
    [InlineData("AnyLifePrepares", 9)]
    [InlineData("AnotherLifeJoins", 11)]
    [InlineData("JoinsAfterClose", 4)]
    [InlineData("EnlistedAtOnce", 2)]
    public void The_explorer_finds_the_mistake(string mutation, int steps) => Finds(mutation, steps);

    private protected override CommitRoom<PaxosCommit.Message, PaxosCommit.Record> Room(EnlistmentMutation mutation) =>
        CommitRooms.Paxos(CommitRooms.Acceptors(1), PaxosCommitMutation.None, mutation);

    private protected override PaxosCommit.Message Join(TransactionId id, long life) => new PaxosCommit.Message.Join(id, life, true);

    private protected override PaxosCommit.Message JoinedIn(TransactionId id, long life) => new PaxosCommit.Message.Joined(id, life);

    private protected override bool IsPrepare(PaxosCommit.Message message) => message is PaxosCommit.Message.Prepare;
}
