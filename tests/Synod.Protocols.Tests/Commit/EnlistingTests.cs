using System.Collections.Immutable;
using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Xunit;
using Branch = Synod.Protocols.Commit.Branch;

namespace Synod.Protocols.Tests.Commit;

/// <summary>
/// The rules of dynamic enlistment, one test for each, the same for every room. Node 1 coordinates (and accepts, where somebody has to); A and B
/// take part, C comes late.
/// </summary>
public abstract class EnlistingTests<TMessage, TRecord>(ITestOutputHelper output)
    where TMessage : class
    where TRecord : class
{
    private static readonly NodeId K = new(1);
    private static readonly NodeId A = new(2);
    private static readonly NodeId B = new(3);
    private static readonly NodeId C = new(4);
    private static readonly TransactionId First = new(K, 1, 1);
    private static readonly ImmutableArray<Write> Writes = EnlistingModels.Branch(A, "x").Writes;

    /// <summary>The kind of the timer by which a participant asks again.</summary>
    private protected abstract int Inquire { get; }

    private protected abstract CommitRoom<TMessage, TRecord> Room(EnlistmentMutation mutation);

    private protected abstract TMessage Join(TransactionId id, long life);

    private protected abstract TMessage JoinedIn(TransactionId id, long life);

    private protected abstract bool IsPrepare(TMessage message);

    [Fact]
    public void A_join_leaves_when_its_life_is_durable_and_nobody_is_enlisted_before_it_is_answered()
    {
        var play = Opened();
        Assert.Equal(new CommitResult.Opened(First), Assert.Single(play.Answers(K)).Result);
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        Assert.Empty(play.Network);
        play.Sync(A);
        Assert.Single(play.Between(A, K));
        play.Deliver(A, K);
        Assert.Empty(play.Answers(A));
        play.Deliver(K, A);
        Assert.Equal(new CommitResult.Enlisted(First), Assert.Single(play.Answers(A)).Result);
    }

    [Fact]
    public void All_who_enlisted_commit_and_their_writes_never_left_them()
    {
        var play = Enlisted();
        play.Submit(K, new CommitCommand.Commit(First));
        Assert.DoesNotContain(play.Network, item => item.Message.ToString()!.Contains("x=1", StringComparison.Ordinal));
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), play.Answers(K)[^1].Result);
        Assert.All([A, B], node => Assert.Equal(Writes, ((CommitCommand.Apply)Assert.Single(play.Executions(node)).Command).Writes));
        Assert.All([K, A, B], node => Assert.Empty(Node(play, node).Open.Concat(Node(play, node).Enlisted)));
    }

    [Fact]
    public void Who_enlisted_alone_and_who_only_reads_commit_too()
    {
        var play = Opened();
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Run();
        play.Submit(K, new CommitCommand.Commit(First));
        play.Submit(K, new CommitCommand.Open());
        play.Run();
        Assert.Contains(play.Answers(K), answer => answer.Result == new CommitResult.Committed(First));
        Assert.Single(play.Executions(A));

        var second = new TransactionId(K, 1, 2);
        play.Submit(A, new CommitCommand.Enlist(second, Writes));
        play.Submit(B, new CommitCommand.Enlist(second, []));
        play.Run();
        play.Submit(K, new CommitCommand.Commit(second));
        play.Run();
        Assert.Equal(new CommitResult.Committed(second), play.Answers(K)[^1].Result);
        Assert.Equal(2, play.Executions(A).Count);
        Assert.Null(Node(play, A).Ledger.LockOn(Key.Of("x")));
    }

    [Fact]
    public void Nobody_enlisted_is_committed_at_once_and_what_is_not_open_is_unknown()
    {
        var play = Opened();
        play.Submit(K, new CommitCommand.Commit(First));
        Assert.Equal(new CommitResult.Committed(First), play.Answers(K)[^1].Result);
        play.Submit(K, new CommitCommand.Commit(new(K, 1, 9)));
        Assert.Equal(new CommitResult.NotOpen(new(K, 1, 9)), play.Answers(K)[^1].Result);
        play.Submit(A, new CommitCommand.Enlist(new(K, 0, 9), Writes));
        Assert.IsType<CommitResult.Malformed>(play.Answers(A)[^1].Result);
    }

    [Fact]
    public void A_join_after_the_close_is_refused_and_never_answered_enlisted()
    {
        var play = Enlisted();
        play.Submit(K, new CommitCommand.Commit(First));
        play.Submit(C, new CommitCommand.Enlist(First, Writes));
        play.Run();
        Assert.Equal(new CommitResult.NotOpen(First), Assert.Single(play.Answers(C)).Result);
        Assert.Equal(new CommitResult.Committed(First), play.Answers(K)[^1].Result);
        Assert.Empty(play.Executions(C));
        Assert.Empty(Node(play, C).Enlisted);

        // Nor is it later, when all is over.
        play.Submit(C, new CommitCommand.Enlist(First, Writes));
        Assert.Equal(new CommitResult.NotOpen(First), play.Answers(C)[^1].Result);
    }

    [Fact]
    public void A_join_that_comes_again_in_one_life_changes_nothing()
    {
        var play = Enlisted();
        play.Receive(A, K, Join(First, 1));
        play.Receive(A, K, Join(First, 1));
        play.Run();
        play.Submit(K, new CommitCommand.Commit(First));
        var answers = play.Network.Count;
        play.Receive(A, K, Join(First, 1));
        Assert.Equal(answers, play.Network.Count);
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), play.Answers(K)[^1].Result);
        Assert.Single(play.Executions(A));
    }

    [Fact]
    public void A_join_from_another_life_of_one_that_joined_dooms_the_transaction()
    {
        var play = Enlisted();
        play.Crash(A);
        play.Submit(A, new CommitCommand.Enlist(First, EnlistingModels.Branch(A, "y").Writes));
        play.Run();
        Assert.Equal(new CommitResult.NotOpen(First), Assert.Single(play.Answers(A)).Result);
        play.Submit(K, new CommitCommand.Commit(First));
        play.Run();
        Assert.Equal(new CommitResult.Aborted(First), play.Answers(K)[^1].Result);
        Assert.Empty(play.Executions(B));
        Assert.Empty(Node(play, B).Enlisted);
    }

    /// <summary>What it has now is not what it enlisted then, and to have nothing to write is not to have read only.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_restarted_has_lost_what_it_enlisted_and_votes_no(bool enlistsAgain)
    {
        var play = Enlisted();
        play.Crash(A);
        play.Submit(K, new CommitCommand.Commit(First));
        if (enlistsAgain)
        {
            play.Submit(A, new CommitCommand.Enlist(First, EnlistingModels.Branch(A, "y").Writes));
        }

        play.Deliver(K, A);
        Assert.Empty(Node(play, A).Ledger.InDoubt);
        play.Run();
        Assert.Equal(new CommitResult.Aborted(First), play.Answers(K)[^1].Result);
        Assert.Empty(play.Executions(A).Concat(play.Executions(B)));
        Assert.DoesNotContain(play.Answers(A), answer => answer.Result is CommitResult.Enlisted);
        Assert.Empty(Node(play, A).Enlisted);
    }

    /// <summary>Its next life has other ids, and knows of none that was open. Who enlisted asks, and is told.</summary>
    [Fact]
    public void A_coordinator_that_restarted_has_nothing_open()
    {
        var play = Enlisted();
        play.Crash(K);
        play.Submit(K, new CommitCommand.Commit(First));
        Assert.Equal(new CommitResult.NotOpen(First), play.Answers(K)[^1].Result);
        play.Fire(A, Inquire);
        play.Fire(B, Inquire);
        play.Run();
        Assert.All([A, B], node => Assert.Empty(Node(play, node).Enlisted));
        play.Submit(K, new CommitCommand.Open());
        play.Run();
        Assert.Equal(new CommitResult.Opened(new(K, 2, 1)), play.Answers(K)[^1].Result);
    }

    /// <summary>An answer to the life before is no answer to this one.</summary>
    [Fact]
    public void A_late_answer_to_an_earlier_life_is_no_answer()
    {
        var play = Opened();
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Sync(A);
        play.Crash(A);
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Receive(K, A, JoinedIn(First, 1));
        Assert.Empty(play.Answers(A));
        Assert.Equal([Refusal.Unexpected], play.Refusals(A));
    }

    /// <summary>No time is too long, and others are not kept from the keys.</summary>
    [Fact]
    public void Who_enlisted_keeps_asking_without_locks_and_decides_nothing()
    {
        var play = Enlisted();
        for (var time = 0; time < 10; time++)
        {
            Assert.Equal([First], Node(play, A).Enlisted);
            play.Fire(A, Inquire);
            play.Run();
        }

        Assert.Null(Node(play, A).Ledger.LockOn(Key.Of("x")));
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, B), "2"));
        play.Run();
        Assert.Equal(new CommitResult.Committed(new(K, 1, 2)), play.Answers(K)[^1].Result);
        play.Submit(K, new CommitCommand.Commit(First));
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), play.Answers(K)[^1].Result);
    }

    [Fact]
    public void A_lock_held_by_another_promise_makes_it_abort()
    {
        var play = Enlisted();
        play.Submit(K, CommitModels.Begin(NodeSet.Of(A, C), "2"));
        play.Deliver(K, A);
        play.Submit(K, new CommitCommand.Commit(First));
        play.Deliver(K, A);
        play.Run();
        Assert.Contains(play.Answers(K), answer => answer.Result == new CommitResult.Aborted(First));
        Assert.Contains(play.Answers(K), answer => answer.Result == new CommitResult.Committed(new(K, 1, 2)));
        Assert.Empty(play.Executions(B));
    }

    [Fact]
    public void A_veto_at_the_coordinator_rolls_back_and_one_at_a_participant_refuses_a_late_prepare()
    {
        var play = Enlisted();
        play.Submit(K, new CommitCommand.Veto(First));
        play.Run();
        Assert.Equal(new CommitResult.Vetoed(First), play.Answers(K)[^1].Result);
        Assert.All([A, B], node => Assert.Equal(Ending.Aborted, Node(play, node).Ledger.EndingOf(First)));
        Assert.All([A, B], node => Assert.Empty(Node(play, node).Enlisted));
        Assert.Empty(Node(play, K).Open);
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        Assert.Equal(new CommitResult.Aborted(First), play.Answers(A)[^1].Result);

        var other = Enlisted();
        other.Submit(A, new CommitCommand.Veto(First));
        other.Submit(A, new CommitCommand.Enlist(First, EnlistingModels.Branch(A, "y").Writes));
        other.Submit(K, new CommitCommand.Commit(First));
        other.Run();
        Assert.Contains(other.Answers(A), answer => answer.Result is CommitResult.Vetoed);
        Assert.Equal(new CommitResult.Aborted(First), other.Answers(K)[^1].Result);
        Assert.Empty(other.Executions(A).Concat(other.Executions(B)));
    }

    /// <summary>It does not know whether it is in the set: the transaction may commit without it, and so it did.</summary>
    [Fact]
    public void A_veto_before_the_join_is_answered_is_about_these_writes_only()
    {
        var play = Enlisted();
        play.Submit(K, new CommitCommand.Commit(First));
        play.Submit(C, new CommitCommand.Enlist(First, Writes));
        play.Sync(C);
        play.Submit(C, new CommitCommand.Veto(First));
        play.Run();
        play.Submit(C, new CommitCommand.Veto(First));
        play.Submit(C, new CommitCommand.Enlist(First, Writes));
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), play.Answers(K)[^1].Result);
        Assert.Equal(4, play.Answers(C).Count);
        Assert.All(play.Answers(C), answer => Assert.Equal(new CommitResult.NotOpen(First), answer.Result));
        Assert.Equal(Ending.Unknown, Node(play, C).Ledger.EndingOf(First));
    }

    [Fact]
    public void Who_has_said_that_it_read_cannot_veto_any_more()
    {
        var play = Opened();
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Submit(B, new CommitCommand.Enlist(First, []));
        play.Run();
        play.Submit(K, new CommitCommand.Commit(First));
        play.Run();
        play.Submit(B, new CommitCommand.Veto(First));
        play.Run();
        Assert.Equal(new CommitResult.TooLate(First), play.Answers(B)[^1].Result);
        Assert.NotEqual(Ending.Aborted, Node(play, B).Ledger.EndingOf(First));
    }

    /// <summary>"Not open" would be said of writes that are part of it.</summary>
    [Fact]
    public void The_same_enlistment_again_after_the_vote_is_not_answered_as_if_it_were_lost()
    {
        var play = Enlisted();
        play.Submit(K, new CommitCommand.Commit(First));
        play.Deliver(K, A);
        Assert.Equal([First], Node(play, A).Ledger.InDoubt);
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Submit(A, new CommitCommand.Enlist(First, []));
        play.Run();
        Assert.Contains(play.Answers(A).Skip(1), answer => answer.Result is CommitResult.Malformed);
        Assert.Contains(play.Answers(A).Skip(1), answer => answer.Result == new CommitResult.Enlisted(First));
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        Assert.Equal(new CommitResult.Committed(First), play.Answers(A)[^1].Result);
    }

    /// <summary>What is enlisted does not change: a Prepare under way must find what was there when this node joined.</summary>
    [Fact]
    public void The_same_enlistment_again_is_answered_again_and_another_one_is_refused()
    {
        var play = Opened();
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Submit(A, new CommitCommand.Enlist(First, EnlistingModels.Branch(A, "y").Writes));
        Assert.IsType<CommitResult.Malformed>(Assert.Single(play.Answers(A)).Result);
        play.Run();
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        Assert.Equal(3, play.Answers(A).Count(answer => answer.Result == new CommitResult.Enlisted(First)));
    }

    /// <summary>A crash of the coordinator closes it, and a Prepare that its last life sent comes late: it must not find another enlistment.</summary>
    [Fact]
    public void What_came_to_nothing_is_not_enlisted_again_in_the_same_life()
    {
        var play = Enlisted();
        play.Submit(K, new CommitCommand.Commit(First));
        var late = play.Network.Single(item => item.To == A && IsPrepare(item.Message)).Message;
        play.Network.Clear();
        play.Crash(K);
        play.Fire(A, Inquire);
        play.Run();
        play.Submit(A, new CommitCommand.Enlist(First, EnlistingModels.Branch(A, "y").Writes));
        play.Receive(K, A, late);
        Assert.Equal(new CommitResult.NotOpen(First), play.Answers(A)[^1].Result);
        Assert.Empty(Node(play, A).Ledger.InDoubt);
    }

    /// <summary>The whole of a small configuration is without fault, and as big as it was.</summary>
    private protected void Holds(Model<TMessage, TRecord, CommitCommand, CommitResult> model, int states)
    {
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    /// <summary>The explorer finds the mistake in the configuration that shows it, and nothing there without it.</summary>
    private protected void Finds(string mutation, int steps)
    {
        var mistake = Enum.Parse<EnlistmentMutation>(mutation);
        var restarts = mistake is EnlistmentMutation.AnyLifePrepares or EnlistmentMutation.AnotherLifeJoins;
        ImmutableArray<Branch> enlistments = restarts
            ? [EnlistingModels.Branch(A, "x"), EnlistingModels.Branch(A, "y")]
            : [EnlistingModels.Branch(A, "x"), EnlistingModels.Branch(B, "x")];
        var budgets = new Budgets { Crashes = restarts ? 1 : 0, MayCrash = NodeSet.Of(A), MaxStates = 200_000 };
        var result = EnlistingModels.Of(Room(mistake), 3, budgets, enlistments).Explore();
        Assert.NotNull(result.Counterexample);
        output.WriteLine(result.ToString());
        Assert.Contains(EnlistingModels.EnlistedWritesApply, result.Counterexample.Property, StringComparison.Ordinal);
        Assert.Equal(steps, result.Counterexample.Steps.Count - 1);
        Assert.Null(EnlistingModels.Of(Room(EnlistmentMutation.None), 3, budgets, enlistments).Explore().Counterexample);
    }

    private protected CommitRun Runs(ulong seeds, Func<ulong, CommitRun> run)
    {
        var total = new CommitRun(0, 0, 0, 0, 0, 0, "");
        for (ulong seed = 1; seed <= seeds; seed++)
        {
            total += run(seed);
        }

        output.WriteLine(total.ToString());
        return total;
    }

    private protected static ICommitProtocol Node(Stage<TMessage, TRecord, CommitCommand, CommitResult> play, NodeId node) => (ICommitProtocol)play[node];

    private Stage<TMessage, TRecord, CommitCommand, CommitResult> Opened()
    {
        var play = CommitTraces.Stage(Room(EnlistmentMutation.None), 4);
        play.Submit(K, new CommitCommand.Open());
        play.Sync(K);
        return play;
    }

    private Stage<TMessage, TRecord, CommitCommand, CommitResult> Enlisted()
    {
        var play = Opened();
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Submit(B, new CommitCommand.Enlist(First, Writes));
        play.Run();
        return play;
    }
}
