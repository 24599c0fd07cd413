using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;
using static Synod.Protocols.Commit.ThreePhaseCommit;

namespace Synod.Protocols.Tests.ThreePhaseCommitRoom;

using Play = Stage<ThreePhaseCommit.Message, ThreePhaseCommit.Record, CommitCommand, CommitResult>;
using Record = ThreePhaseCommit.Record;
using Timer = ThreePhaseCommit.Timer;

/// <summary>An ending goes when every writer has said that it is in doubt about nothing before its mark (commit.md §2.2, recovery).</summary>
public sealed class ForgettingTests(ITestOutputHelper output)
{
    internal static ThreePhaseCommitMutation[] Mistakes =>
        [ThreePhaseCommitMutation.SettleInDoubt, ThreePhaseCommitMutation.CheckpointWithoutMarks];

    private static readonly NodeId K = new(1);
    private static readonly NodeId A = new(2);
    private static readonly NodeId B = new(3);
    private static readonly NodeSet Two = NodeSet.Of(A, B);
    private static readonly TransactionId First = new(K, 1, 1);
    private static readonly TransactionId Second = new(K, 1, 2);
    private static readonly TransactionId Third = new(K, 1, 3);

    [Fact]
    public void What_is_over_for_every_writer_is_forgotten_and_what_comes_late_about_it_changes_nothing()
    {
        var play = Stage();
        Commit(play);
        Commit(play);
        Assert.Equal(Standing.Committed, Node(play, A).StandingOf(First));
        Assert.Equal(Standing.Forgotten, Node(play, K).StandingOf(First));
        Assert.Equal(Standing.Committed, Node(play, K).StandingOf(Second));
        Commit(play);
        Assert.All([A, B], node =>
        {
            Assert.True(Node(play, node).Ledger.IsForgotten(First));
            Assert.Equal([Second, Third], Node(play, node).Ledger.Endings.Keys);
        });

        var log = play.Log(A).Count;
        play.Receive(K, A, new Message.CanCommit(First, First, [], Two, 0, CommitModels.Begin(Two).Branches[0].Writes));
        Assert.Equal(new Message.Vote(First, Choice.No), Assert.Single(play.Between(A, K)));
        play.Network.Clear();
        play.Receive(K, A, new Message.Decide(First, true));
        play.Receive(K, A, new Message.Decide(First, false));
        play.Receive(B, A, new Message.AckPre(First));
        play.Receive(B, A, new Message.StateRep(First, Standing.Aborted));
        Assert.Empty(play.Network);
        play.Receive(B, A, new Message.Inquire(First, false));
        play.Receive(B, A, new Message.StateReq(First));
        play.Receive(B, A, new Message.PreCommit(First));
        Assert.Equal(
            Enumerable.Repeat<Message>(new Message.StateRep(First, Standing.Aborted), 3), play.Between(A, B));
        play.Deliver(A, B);
        play.Submit(A, new CommitCommand.Veto(First));
        Assert.Equal(new CommitResult.TooLate(First), play.Answers(A)[^1].Result);
        Assert.Equal(log, play.Log(A).Count);
        Assert.Equal(3, play.Executions(A).Count);
        Assert.Equal(3, play.Executions(B).Count);
    }

    /// <summary>B heard no decision on the first one: whatever the others go on to do, they can tell it.</summary>
    [Theory]
    [InlineData((int)ThreePhaseCommitMutation.None, Ending.Committed)]
    [InlineData((int)ThreePhaseCommitMutation.ForgetTooEarly, Ending.Aborted)]
    [InlineData((int)ThreePhaseCommitMutation.SettleInDoubt, Ending.Aborted)]
    public void While_a_writer_is_in_doubt_the_others_remember(int mutation, Ending told)
    {
        var play = CommitTraces.Stage(CommitRooms.ThreePhase((ThreePhaseCommitMutation)mutation), 3);
        PreCommit(play);
        play.Sync(A);
        play.Sync(B);
        play.Deliver(A, K);
        play.Deliver(B, K);
        play.Sync(K);
        play.Deliver(K, A);
        play.Sync(A);
        play.Drop(K, B);
        Commit(play, "y");
        Assert.Equal(mutation == (int)ThreePhaseCommitMutation.SettleInDoubt ? Second : First, MarkIn(play.Log(B)));
        Commit(play, "z");
        Assert.Equal(
            mutation != (int)ThreePhaseCommitMutation.SettleInDoubt,
            NobodyIsInDoubtBeforeItsMark([Node(play, K), Node(play, A), Node(play, B)]));
        Assert.Equal(First, Assert.Single(Node(play, B).Ledger.InDoubt));
        play.Fire(B, (int)Timer.Inquire);
        play.Deliver(B, A);
        play.Sync(A);
        play.Deliver(A, B);
        play.Run();
        Assert.Equal(told, Node(play, B).Ledger.EndingOf(First));
    }

    /// <summary>B never votes on the first one, which is aborted. A, which did, is told so by B's mark alone, and forgets it after that.</summary>
    [Fact]
    public void A_tombstone_goes_when_the_mark_stands_for_it()
    {
        var play = Stage();
        play.Submit(K, CommitModels.Begin(Two));
        play.Sync(K);
        play.Deliver(K, A);
        play.Sync(A);
        play.Submit(B, new CommitCommand.Veto(First));
        play.Sync(B);
        play.Fire(K, (int)Timer.Vote);
        play.Network.Clear();
        play.Submit(K, CommitModels.Begin(NodeSet.Of(B), key: "y"));
        play.Run();
        Assert.True(Node(play, B).Ledger.IsForgotten(First));
        Assert.Equal(Standing.Aborted, Node(play, B).StandingOf(First));
        play.Fire(A, (int)Timer.Inquire);
        play.Drop(A, K);
        play.Run();
        Assert.Equal(Ending.Aborted, Node(play, A).Ledger.EndingOf(First));
    }

    /// <summary>What a coordinator led in an earlier life it leads no more; what its writers are in doubt about is kept all the same.</summary>
    [Fact]
    public void A_coordinator_that_came_back_bars_what_it_led_before_and_nobody_forgets_what_is_in_doubt()
    {
        var play = Stage();
        PreCommit(play);
        play.Sync(A);
        play.Crash(K);
        play.Network.Clear();
        play.Submit(K, CommitModels.Begin(Two, key: "y"));
        play.Run();
        Assert.Equal(First, MarkIn(play.Log(A)));
        Assert.Equal(Standing.PreCommitted, Node(play, A).StandingOf(First));
        play.Fire(A, (int)Timer.Inquire);
        play.Run();
        Assert.All([A, B], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
        play.Submit(K, CommitModels.Begin(Two, key: "z"));
        play.Run();
        play.Submit(K, CommitModels.Begin(Two, key: "z"));
        play.Run();
        Assert.All([A, B], node => Assert.True(Node(play, node).Ledger.IsForgotten(First)));
    }

    /// <summary>Without the mark a process that forgot a commit would take its CanCommit, which comes once more, for a new one.</summary>
    [Theory]
    [InlineData((int)ThreePhaseCommitMutation.None, Choice.No)]
    [InlineData((int)ThreePhaseCommitMutation.CheckpointWithoutMarks, Choice.Yes)]
    public void A_checkpoint_keeps_the_marks_that_stand_for_what_is_forgotten(int mutation, Choice vote)
    {
        var play = CommitTraces.Stage(CommitRooms.ThreePhase((ThreePhaseCommitMutation)mutation), 3);
        Commit(play);
        Commit(play);
        Commit(play);
        if (mutation == (int)ThreePhaseCommitMutation.None)
        {
            Truncated.AssertRecovers(CommitRooms.ThreePhase(), play, A, unflushed: 0);
            Truncated.AssertRecovers(CommitRooms.ThreePhase(), play, K, unflushed: 0);
        }

        play.Truncate(A);
        Assert.DoesNotContain(play.Log(A), record => record is Record.Ended ended && ended.Transaction == First);
        play.Crash(A);
        play.Receive(K, A, new Message.CanCommit(First, First, [], Two, 0, CommitModels.Begin(Two).Branches[0].Writes));
        play.Sync(A);
        Assert.Equal(vote, Assert.IsType<Message.Vote>(Assert.Single(play.Between(A, K))).Choice);
    }

    /// <summary>Of another coordinator's transactions, and of its own later ones, nobody is told that they are over.</summary>
    [Fact]
    public void A_mark_that_cannot_be_is_refused()
    {
        var play = Stage();
        var writes = CommitModels.Begin(Two).Branches[0].Writes;
        play.Receive(K, A, new Message.CanCommit(First, Second, [], Two, 0, writes));
        play.Receive(K, A, new Message.CanCommit(First, First, [new Settlement(B, Second)], Two, 0, writes));
        play.Receive(K, A, new Message.CanCommit(First, First, [new Settlement(B, new(B, 1, 1))], Two, 0, writes));
        Assert.Equal([Refusal.Malformed, Refusal.Malformed, Refusal.Malformed], play.Refusals(A));
        Assert.Empty(Node(play, A).Ledger.Marks);
        play.Submit(K, CommitModels.Begin(Two));
        play.Receive(A, K, new Message.Vote(First, Choice.Yes, Second));
        Assert.Equal([Refusal.Malformed], play.Refusals(K));
    }

    /// <summary>Two transactions of one node with another, in every order: with the second vote the first one is over for both.</summary>
    [Theory]
    [InlineData(0, 0, 16_598)]
    [InlineData(1, 0, 71_177)]
    [InlineData(0, 1, 570_256)]
    public void Nobody_is_in_doubt_about_what_another_forgets(int crashes, int inquiries, int states)
    {
        var result = Pair(ThreePhaseCommitMutation.None, crashes, inquiries)
            .Sometimes("forgotten", world => world[K].Protocol is ThreePhaseCommit { Ledger: var ledger }
                && ledger.IsForgotten(First) && ledger.EndingOf(Second) == Ending.Committed)
            .Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    [Fact]
    public void The_explorer_finds_a_mark_over_what_is_in_doubt()
    {
        var found = Pair(ThreePhaseCommitMutation.SettleInDoubt, crashes: 0, inquiries: 0).Explore().Counterexample;
        output.WriteLine($"{found}");
        Assert.Equal(MarksHold, found?.Property);
        Assert.Equal(12, found?.Steps.Count - 1);
    }

    /// <summary>What is too much to visit whole, at random: three transactions of three nodes, crashes and late messages.</summary>
    [Fact]
    public void Random_runs_agree()
    {
        var model = CommitModels.Of(CommitRooms.ThreePhase(), 3, K, Two, new Budgets { Crashes = 2, Timers = 2, Duplicates = 1 });
        var result = Marked(model with
        {
            Submissions =
            [
                .. model.Submissions, new(K, CommitModels.Begin(Two, "2", "y")), new(K, CommitModels.Begin(Two, "3", "z")),
            ],
        })
        .Sometimes("forgotten by a writer", world => Node(world, A).Ledger.IsForgotten(First))
        .Wander(seed: 1, walks: 4_000, length: 120);
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.States > 50_000, "the walks are too short");
    }

    private static Model<Message, Record, CommitCommand, CommitResult> Pair(ThreePhaseCommitMutation mutation, int crashes, int inquiries)
    {
        var both = NodeSet.Of(K, A);
        var model = CommitModels.Of(CommitRooms.ThreePhase(mutation), 2, K, both, new Budgets
        {
            Crashes = crashes,
            MayCrash = NodeSet.Of(A),
            TimersOfKind = new SortedDictionary<int, int> { [(int)Timer.Vote] = 0, [(int)Timer.Inquire] = inquiries, [(int)Timer.Resend] = 0 },
            MaxStates = 700_000,
        });
        return Marked(model with { Submissions = [.. model.Submissions, new(K, CommitModels.Begin(both, "2", "y"))] });
    }

    private static Model<Message, Record, CommitCommand, CommitResult> Marked(Model<Message, Record, CommitCommand, CommitResult> model) =>
        model.Always(MarksHold, world =>
            NobodyIsInDoubtBeforeItsMark([.. world.Nodes.Select(node => (ThreePhaseCommit)node.Protocol)]));

    private static ThreePhaseCommit Node(World<Message, Record, CommitCommand, CommitResult> world, NodeId node) =>
        (ThreePhaseCommit)world[node].Protocol;

    private static Play Stage() => CommitTraces.Stage(CommitRooms.ThreePhase(), 3);

    private static ThreePhaseCommit Node(Play play, NodeId node) => (ThreePhaseCommit)play[node];

    private static TransactionId MarkIn(IEnumerable<Record> log) => log.OfType<Record.Prepared>().Last().Settled;

    private static void Commit(Play play, string key = "x")
    {
        play.Submit(K, CommitModels.Begin(Two, key: key));
        play.Run();
        Assert.IsType<CommitResult.Committed>(play.Answers(K)[^1].Result);
    }

    /// <summary>A transaction up to where both writers know that all voted Yes, and the coordinator does not know that they do.</summary>
    private static void PreCommit(Play play)
    {
        play.Submit(K, CommitModels.Begin(Two));
        play.Vote(K, A, B);

        play.Deliver(K, A);
        play.Deliver(K, B);
    }
}
