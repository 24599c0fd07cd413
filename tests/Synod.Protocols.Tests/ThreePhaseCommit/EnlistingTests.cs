using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;
using Branch = Synod.Protocols.Commit.Branch;

namespace Synod.Protocols.Tests.ThreePhaseCommitRoom;

/// <summary>Dynamic enlistment in three-phase commit: the rules, small configurations whole, drawn faults, and known mistakes.</summary>
public sealed class EnlistingTests(ITestOutputHelper output) : EnlistingTests<ThreePhaseCommit.Message, ThreePhaseCommit.Record>(output)
{
    private static readonly NodeId A = new(2);
    private static readonly NodeId B = new(3);

    private protected override int Inquire => (int)ThreePhaseCommit.Timer.Inquire;

    /// <summary>One that restarts and enlists something else; one that writes and one that reads, and may join too late.</summary>
    [Theory]
    [InlineData(1, 1, false, 2008)]
    [InlineData(0, 1, true, 1267)]
    [InlineData(1, 1, true, 6267)]
    public void Every_run_is_whole(int crashes, int timers, bool both, int states)
    {
        ImmutableArray<Branch> enlistments = both
            ? [EnlistingModels.Branch(A, "x"), EnlistingModels.Branch(B)]
            : [EnlistingModels.Branch(A, "x"), EnlistingModels.Branch(A, "y")];
        var budgets = new Budgets { Crashes = crashes, MayCrash = NodeSet.Of(A), Timers = timers, MaxStates = 700_000 };
        Holds(EnlistingModels.Of(Room(EnlistmentMutation.None), both ? 3 : 2, budgets, enlistments), states);
    }

    /// <summary>The world in which three-phase commit is right.</summary>
    [Fact]
    public void Crashes_that_are_detected_and_progress_after_them()
    {
        var total = Runs(20, seed => CommitWorld<ThreePhaseCommit.Message, ThreePhaseCommit.Record>.RunSynchronous(
            seed, CommitRooms.ThreePhase(), 4, checkpointBytes: 8 << 10, enlists: true));
        Assert.True(total is { Joined: > 500, Crashes: > 100, Checkpoints: > 50 }, total.ToString());
    }

    /// <summary>From Q to A: nobody is going to ask for its vote.</summary>
    [Fact]
    public void Who_joined_aborts_when_the_coordinator_has_crashed()
    {
        var play = CommitTraces.Stage(Room(EnlistmentMutation.None), 3);
        play.Submit(new(1), new CommitCommand.Open());
        play.Submit(A, new CommitCommand.Enlist(EnlistingModels.First, EnlistingModels.Branch(A, "x").Writes));
        play.Run();
        play.Submit(B, new CommitCommand.Enlist(EnlistingModels.First, []));
        play.Submit(A, new CommitCommand.Suspect(new(1)));
        play.Submit(B, new CommitCommand.Suspect(new(1)));
        Assert.Equal(Ending.Aborted, Node(play, A).Ledger.EndingOf(EnlistingModels.First));
        Assert.Empty(Node(play, A).Enlisted);
        Assert.Equal([EnlistingModels.First], Node(play, B).Enlisted);
    }

    /// <summary>It may have said that it read, and the rest may have committed: it says No, and takes nothing down as aborted.</summary>
    [Fact]
    public void A_reader_that_restarted_says_no_and_leaves_no_tombstone()
    {
        var play = CommitTraces.Stage(Room(EnlistmentMutation.None), 3);
        play.Submit(new(1), new CommitCommand.Open());
        play.Submit(A, new CommitCommand.Enlist(EnlistingModels.First, EnlistingModels.Branch(A, "x").Writes));
        play.Submit(B, new CommitCommand.Enlist(EnlistingModels.First, []));
        play.Run();
        play.Submit(new(1), new CommitCommand.Commit(EnlistingModels.First));
        var asked = play.Between(new(1), B).Single();
        play.Receive(new(1), B, asked);
        play.Receive(new(1), B, asked);
        Assert.All(play.Between(B, new(1)), message => Assert.Equal(Choice.ReadOnly, Assert.IsType<ThreePhaseCommit.Message.Vote>(message).Choice));
        play.Crash(B);
        play.Receive(new(1), B, asked);
        Assert.Equal(Choice.No, Assert.IsType<ThreePhaseCommit.Message.Vote>(play.Between(B, new(1)).Last()).Choice);
        Assert.Equal(Ending.Unknown, Node(play, B).Ledger.EndingOf(EnlistingModels.First));
    }

    /// <summary>What a client begins has its writes with it: who enlisted under a name that it guessed has no part in it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_begun_is_not_committed_with_what_is_enlisted(bool reads)
    {
        var play = CommitTraces.Stage(Room(EnlistmentMutation.None), 3);
        play.Submit(A, new CommitCommand.Enlist(EnlistingModels.First, EnlistingModels.Branch(A, "y").Writes));
        play.Submit(new(1), new CommitCommand.Begin([reads ? new(A, []) : EnlistingModels.Branch(A, "x"), EnlistingModels.Branch(B, "x")]));
        play.Run();
        Assert.Equal(new CommitResult.Committed(EnlistingModels.First), Assert.Single(play.Answers(new(1))).Result);
        Assert.Equal(new CommitResult.NotOpen(EnlistingModels.First), Assert.Single(play.Answers(A)).Result);
        Assert.Empty(Node(play, A).Enlisted);
    }

    [Theory]
    [InlineData("AnyLifePrepares", 8)]
    [InlineData("AnotherLifeJoins", 12)]
    [InlineData("JoinsAfterClose", 4)]
    [InlineData("EnlistedAtOnce", 2)]
    public void The_explorer_finds_the_mistake(string mutation, int steps) => Finds(mutation, steps);

    private protected override CommitRoom<ThreePhaseCommit.Message, ThreePhaseCommit.Record> Room(EnlistmentMutation mutation) =>
        CommitRooms.ThreePhase(ThreePhaseCommitMutation.None, mutation);

    private protected override ThreePhaseCommit.Message Join(TransactionId id, long life) => new ThreePhaseCommit.Message.Join(id, life, true);

    private protected override ThreePhaseCommit.Message JoinedIn(TransactionId id, long life) => new ThreePhaseCommit.Message.Joined(id, life);

    private protected override bool IsPrepare(ThreePhaseCommit.Message message) => message is ThreePhaseCommit.Message.CanCommit;
}
