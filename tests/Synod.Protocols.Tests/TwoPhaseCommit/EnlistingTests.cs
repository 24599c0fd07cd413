using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;
using Branch = Synod.Protocols.Commit.Branch;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

/// <summary>Dynamic enlistment in two-phase commit: the rules, small configurations whole, drawn faults, and known mistakes.</summary>
public sealed class EnlistingTests(ITestOutputHelper output) : EnlistingTests<TwoPhase.Message, TwoPhase.Record>(output)
{
    private static readonly NodeId A = new(2);
    private static readonly NodeId B = new(3);

    private protected override int Inquire => (int)TwoPhase.Timer.Inquire;

    /// <summary>One that restarts and enlists something else; one that writes and one that reads, and may join too late.</summary>
    [Theory]
    [InlineData(1, 1, false, 899)]
    [InlineData(0, 1, true, 984)]
    [InlineData(1, 1, true, 4051)]
    public void Every_run_is_whole(int crashes, int timers, bool both, int states)
    {
        ImmutableArray<Branch> enlistments = both
            ? [EnlistingModels.Branch(A, "x"), EnlistingModels.Branch(B)]
            : [EnlistingModels.Branch(A, "x"), EnlistingModels.Branch(A, "y")];
        var budgets = new Budgets { Crashes = crashes, MayCrash = NodeSet.Of(A), Timers = timers, MaxStates = 700_000 };
        Holds(EnlistingModels.Of(Room(EnlistmentMutation.None), both ? 3 : 2, budgets, enlistments), states);
    }

    [Fact]
    public void Faults_of_every_kind_and_progress_after_them()
    {
        var total = Runs(20, seed => CommitWorld<TwoPhase.Message, TwoPhase.Record>.RunAnywhere(seed, CommitRooms.TwoPhase(), 5, enlists: true));
        Assert.True(total is { Joined: > 500, Crashes: > 20 }, total.ToString());
    }

    [Fact]
    public void A_storm_and_progress_after_it()
    {
        var total = Runs(10, seed => CommitWorld<TwoPhase.Message, TwoPhase.Record>.RunStormy(
            seed, CommitRooms.TwoPhase(), 5, checkpointBytes: 8 << 10, enlists: true));
        Assert.True(total is { Joined: > 200, Crashes: > 100, Checkpoints: > 50 }, total.ToString());
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
        Assert.All(play.Between(B, new(1)), message => Assert.Equal(Choice.ReadOnly, Assert.IsType<TwoPhase.Message.Vote>(message).Choice));
        play.Crash(B);
        play.Receive(new(1), B, asked);
        Assert.Equal(Choice.No, Assert.IsType<TwoPhase.Message.Vote>(play.Between(B, new(1)).Last()).Choice);
        Assert.Equal(Ending.Unknown, Node(play, B).Ledger.EndingOf(EnlistingModels.First));
    }

    /// <summary>The coordinator crashed, and A has heard that it need not wait; a later transaction lets go of that, and the late question must not find another one.</summary>
    [Fact]
    public void What_is_past_is_not_enlisted_again_for_a_late_commit_alone_to_find()
    {
        var play = CommitTraces.Stage(Room(EnlistmentMutation.None), 3);
        play.Submit(new(1), new CommitCommand.Open());
        play.Sync(new(1));
        play.Submit(A, new CommitCommand.Enlist(EnlistingModels.First, EnlistingModels.Branch(A, "x").Writes));
        play.Run();
        play.Submit(new(1), new CommitCommand.Commit(EnlistingModels.First));
        var late = Assert.IsType<TwoPhase.Message.CommitAlone>(Assert.Single(play.Network).Message);
        play.Network.Clear();
        play.Crash(new(1));
        play.Fire(A, Inquire);
        play.Run();
        play.Submit(new(1), CommitModels.Begin(NodeSet.Of(A, B)));
        play.Run();
        play.Submit(A, new CommitCommand.Enlist(EnlistingModels.First, EnlistingModels.Branch(A, "y").Writes));
        play.Receive(new(1), A, late);
        play.Run();
        Assert.Equal(new CommitResult.NotOpen(EnlistingModels.First), play.Answers(A)[^1].Result);
        Assert.Single(play.Executions(A));
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
    [InlineData("AnotherLifeJoins", 10)]
    [InlineData("JoinsAfterClose", 4)]
    [InlineData("EnlistedAtOnce", 2)]
    public void The_explorer_finds_the_mistake(string mutation, int steps) => Finds(mutation, steps);

    private protected override CommitRoom<TwoPhase.Message, TwoPhase.Record> Room(EnlistmentMutation mutation) =>
        CommitRooms.TwoPhase(TwoPhaseCommitMutation.None, mutation);

    private protected override TwoPhase.Message Join(TransactionId id, long life) => new TwoPhase.Message.Join(id, life, true);

    private protected override TwoPhase.Message JoinedIn(TransactionId id, long life) => new TwoPhase.Message.Joined(id, life);

    private protected override bool IsPrepare(TwoPhase.Message message) => message is TwoPhase.Message.Prepare or TwoPhase.Message.CommitAlone;
}
