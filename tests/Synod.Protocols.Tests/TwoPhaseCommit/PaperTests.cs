using Synod.Core;
using Synod.Protocols.Commit;
using Xunit;
using static Synod.Lab.Worlds.TwoPhaseCommitWorld;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

using Play = Stage<TwoPhase.Message, TwoPhase.Record, CommitCommand, CommitResult>;

/// <summary>One test for each rule of commit.md §1.2 and each guard of §1.3.</summary>
public sealed class PaperTests
{
    private const int Vote = (int)TwoPhase.Timer.Vote;
    private const int Inquire = (int)TwoPhase.Timer.Inquire;
    private const int Resend = (int)TwoPhase.Timer.Resend;

    [Fact]
    public void Rule_1_a_yes_leaves_only_after_its_promise_is_durable()
    {
        var play = Asked();
        play.Deliver(Coordinator, A);
        Assert.IsType<TwoPhase.Record.Prepared>(Assert.Single(play.Log(A)));
        Assert.Empty(play.Between(A, Coordinator));
        play.Sync(A);
        Assert.Equal(new TwoPhase.Message.Vote(First, Choice.Yes), Assert.Single(play.Between(A, Coordinator)));
    }

    [Fact]
    public void Rule_1_the_promise_redoes_the_writes_and_locks_the_keys_after_a_crash()
    {
        var play = Voted();
        play.Crash(A);
        Assert.Equal(First, Node(play, A).Ledger.LockOn(Key.Of("x")));
        Assert.True(play.IsArmed(A, Inquire));
        play.Run();
        var apply = Assert.IsType<CommitCommand.Apply>(Assert.Single(play.Executions(A)).Command);
        Assert.Equal(Branch(A).Writes, apply.Writes);
        Assert.Null(Node(play, A).Ledger.LockOn(Key.Of("x")));
    }

    [Fact]
    public void Rule_2_nobody_hears_of_a_commit_before_its_record_is_durable()
    {
        var play = Voted();
        play.Deliver(A, Coordinator);
        play.Deliver(B, Coordinator);
        Assert.IsType<TwoPhase.Record.Decided>(play.Log(Coordinator)[^1]);
        Assert.Empty(play.Network);
        Assert.Empty(play.Answers(Coordinator));
        play.Sync(Coordinator);
        Assert.Equal(2, play.Network.Count(item => item.Message is TwoPhase.Message.Decide { Commit: true }));
        Assert.IsType<CommitResult.Committed>(Assert.Single(play.Answers(Coordinator)).Result);
    }

    [Fact]
    public void Rule_3_an_ack_leaves_only_after_the_commit_is_durable_applied_and_unlocked()
    {
        var play = Decided();
        play.Deliver(Coordinator, A);
        Assert.Equal(Ending.Committed, Node(play, A).Ledger.EndingOf(First));
        Assert.Null(Node(play, A).Ledger.LockOn(Key.Of("x")));
        Assert.Single(play.Executions(A));
        Assert.Empty(play.Between(A, Coordinator));
        play.Sync(A);
        Assert.IsType<TwoPhase.Message.Ack>(Assert.Single(play.Between(A, Coordinator)));
    }

    [Fact]
    public void Rule_4_a_commit_is_forgotten_after_every_ack_and_not_before()
    {
        var play = Decided();
        play.Deliver(Coordinator, A);
        play.Sync(A);
        play.Deliver(A, Coordinator, keep: true);
        play.Deliver(A, Coordinator);
        Assert.Equal([First], Node(play, Coordinator).Open);
        Assert.True(play.IsArmed(Coordinator, Resend));
        play.Run();
        Assert.Empty(Node(play, Coordinator).Open);
        Assert.False(play.IsArmed(Coordinator, Resend));
        Assert.IsType<TwoPhase.Record.Ended>(play.Log(Coordinator)[^1]);
    }

    [Fact]
    public void Rule_5_a_vote_is_not_taken_back_and_before_it_a_veto_aborts()
    {
        var late = Voted();
        late.Submit(A, new CommitCommand.Veto(First));
        Assert.IsType<CommitResult.TooLate>(Assert.Single(late.Answers(A)).Result);
        Assert.Equal([First], Node(late, A).Ledger.InDoubt);

        var early = Asked();
        early.Submit(A, new CommitCommand.Veto(First));
        Assert.Empty(early.Answers(A));
        early.Sync(A);
        Assert.IsType<CommitResult.Vetoed>(Assert.Single(early.Answers(A)).Result);
        early.Run();
        Assert.IsType<CommitResult.Aborted>(Assert.Single(early.Answers(Coordinator)).Result);
        Assert.Equal(Ending.Aborted, Node(early, B).Ledger.EndingOf(First));
    }

    [Fact]
    public void A_second_prepare_hears_the_recorded_vote_again()
    {
        var play = Asked();
        play.Deliver(Coordinator, A, keep: true);
        play.Deliver(Coordinator, A, keep: true);
        play.Sync(A);
        Assert.Equal(
            [new TwoPhase.Message.Vote(First, Choice.Yes), new TwoPhase.Message.Vote(First, Choice.Yes)], play.Between(A, Coordinator));
        Assert.Single(play.Log(A));
        Assert.Contains(Refusal.Duplicate, play.Refusals(A));
        play.Receive(Coordinator, A, new TwoPhase.Message.Decide(First, false));
        play.Deliver(Coordinator, A);
        play.Sync(A);
        Assert.Equal(new TwoPhase.Message.Vote(First, Choice.No), play.Between(A, Coordinator).Last());
    }

    [Fact]
    public void Nothing_to_write_is_read_only_and_leaves_no_trace()
    {
        var play = Stage();
        play.Submit(Coordinator, new CommitCommand.Begin([new Branch(A, []), new Branch(B, [])]));
        play.Run();
        Assert.Empty(play.Log(A));
        Assert.Equal(Ending.Unknown, Node(play, A).Ledger.EndingOf(First));
        Assert.IsType<CommitResult.Committed>(Assert.Single(play.Answers(Coordinator)).Result);
        Assert.IsType<TwoPhase.Record.Booted>(Assert.Single(play.Log(Coordinator)));
    }

    [Fact]
    public void A_reader_takes_no_part_in_the_second_phase_and_is_asked_nothing()
    {
        var play = Stage();
        play.Submit(Coordinator, new CommitCommand.Begin([new Branch(A, []), Branch(B)]));
        play.Sync(Coordinator);
        play.Deliver(Coordinator, B);
        play.Sync(B);
        play.Fire(B, Inquire);
        Assert.Empty(play.Between(B, A));
        play.Run();
        Assert.Equal(NodeSet.Of(B), Assert.Single(play.Log(Coordinator).OfType<TwoPhase.Record.Decided>()).Voters);
        Assert.Equal(Ending.Committed, Node(play, B).Ledger.EndingOf(First));
    }

    [Fact]
    public void A_lock_held_by_a_promise_makes_the_other_transaction_vote_no()
    {
        var play = Voted();
        play.Submit(Coordinator, Transfer(A, B));
        play.Deliver(Coordinator, A);
        play.Sync(A);
        Assert.Equal(Choice.No, play.Between(A, Coordinator).OfType<TwoPhase.Message.Vote>().Last().Choice);
        Assert.Equal(First, Node(play, A).Ledger.LockOn(Key.Of("x")));
        play.Run();
        Assert.Equal(Ending.Committed, Node(play, A).Ledger.EndingOf(First));
    }

    [Fact]
    public void The_first_no_aborts_without_waiting_for_the_rest()
    {
        var play = Asked();
        play.Receive(A, Coordinator, new TwoPhase.Message.Vote(First, Choice.No));
        Assert.IsType<CommitResult.Aborted>(Assert.Single(play.Answers(Coordinator)).Result);
        Assert.Empty(Node(play, Coordinator).Open);
        Assert.DoesNotContain(play.Between(Coordinator, A), item => item is TwoPhase.Message.Decide);
        Assert.Contains(play.Between(Coordinator, B), item => item is TwoPhase.Message.Decide { Commit: false });
    }

    [Fact]
    public void Late_votes_abort_and_leave_no_record()
    {
        var play = Asked();
        play.Fire(Coordinator, Vote);
        Assert.IsType<CommitResult.Aborted>(Assert.Single(play.Answers(Coordinator)).Result);
        Assert.IsType<TwoPhase.Record.Booted>(Assert.Single(play.Log(Coordinator)));
        play.Run();
        Assert.Equal(Ending.Aborted, Node(play, A).Ledger.EndingOf(First));
        Assert.Contains(Refusal.Unexpected, play.Refusals(Coordinator));
    }

    [Fact]
    public void An_abort_that_overtakes_its_prepare_leaves_a_tombstone_that_refuses_it()
    {
        var play = Asked();
        play.Receive(Coordinator, A, new TwoPhase.Message.Decide(First, false));
        play.Sync(A);
        play.Crash(A);
        play.Deliver(Coordinator, A);
        Assert.Equal(new TwoPhase.Message.Vote(First, Choice.No), Assert.Single(play.Between(A, Coordinator)));
        Assert.Null(Node(play, A).Ledger.LockOn(Key.Of("x")));
    }

    [Fact]
    public void Who_has_not_voted_aborts_first_and_answers_an_inquiry_then()
    {
        var play = Asked();
        play.Receive(B, A, new TwoPhase.Message.Inquire(First));
        Assert.Empty(play.Between(A, B));
        play.Sync(A);
        Assert.Equal(new TwoPhase.Message.Outcome(First, Ending.Aborted), Assert.Single(play.Between(A, B)));
    }

    [Fact]
    public void Blocked_while_the_coordinator_is_away_until_it_is_back_with_its_record()
    {
        var play = Decided();
        play.Drop(Coordinator, A);
        play.Drop(Coordinator, B);
        play.Fire(A, Inquire);
        play.Deliver(A, B);
        play.Deliver(B, A);
        Assert.Equal([First], Node(play, A).Ledger.InDoubt);
        play.Drop(A, Coordinator);
        play.Crash(Coordinator);
        play.Run();
        Assert.All([A, B], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void Blocked_while_the_coordinator_is_away_and_aborted_when_it_is_back_without_a_record()
    {
        var play = Voted();
        play.Drop(A, Coordinator);
        play.Drop(B, Coordinator);
        play.Crash(Coordinator);
        play.Fire(A, Inquire);
        play.Fire(B, Inquire);
        play.Run();
        Assert.All([A, B], node => Assert.Equal(Ending.Aborted, Node(play, node).Ledger.EndingOf(First)));
    }

    [Fact]
    public void One_participant_that_heard_the_decision_unblocks_the_others()
    {
        var play = Decided();
        play.Deliver(Coordinator, A);
        play.Sync(A);
        play.Drop(Coordinator, B);
        play.Fire(B, Inquire);
        play.Drop(B, Coordinator);
        play.Deliver(B, A);
        play.Deliver(A, B);
        Assert.Equal(Ending.Committed, Node(play, B).Ledger.EndingOf(First));
    }

    [Fact]
    public void A_coordinator_that_still_collects_does_not_know()
    {
        var play = Voted();
        play.Fire(A, Inquire);
        play.Deliver(A, Coordinator);
        play.Deliver(A, Coordinator);
        Assert.Equal(new TwoPhase.Message.Outcome(First, Ending.Unknown), play.Between(Coordinator, A).Last());
    }

    [Fact]
    public void A_commit_is_told_again_until_it_is_acknowledged()
    {
        var play = Decided();
        play.Drop(Coordinator, A);
        play.Drop(Coordinator, B);
        play.Fire(Coordinator, Resend);
        play.Run();
        Assert.Empty(Node(play, Coordinator).Open);
    }

    [Fact]
    public void A_stale_answer_does_not_move_a_committed_participant()
    {
        var play = Decided();
        play.Deliver(Coordinator, A);
        play.Receive(Coordinator, A, new TwoPhase.Message.Outcome(First, Ending.Aborted));
        Assert.Equal(Ending.Committed, Node(play, A).Ledger.EndingOf(First));
        Assert.Contains(Refusal.Unexpected, play.Refusals(A));
    }

    [Fact]
    public void Every_life_of_a_coordinator_names_its_transactions_anew()
    {
        var play = Asked();
        play.Crash(Coordinator);
        play.Submit(Coordinator, Transfer(A, B));
        Assert.Equal(new TwoPhase.Record.Booted(2), play.Log(Coordinator)[^1]);
        Assert.Equal([new TransactionId(Coordinator, 2, 1)], Node(play, Coordinator).Open);
    }

    [Fact]
    public void Strangers_and_nonsense_are_refused_and_change_nothing()
    {
        var play = Voted();
        play.Receive(C, Coordinator, new TwoPhase.Message.Vote(First, Choice.Yes));
        play.Receive(B, A, new TwoPhase.Message.Decide(First, true));
        play.Receive(C, A, new TwoPhase.Message.Outcome(First, Ending.Committed));
        play.Receive(Coordinator, A, new TwoPhase.Message.Decide(new TransactionId(Coordinator, 1, 7), true));
        play.Receive(B, A, new TwoPhase.Message.Prepare(new TransactionId(Coordinator, 1, 8), new TransactionId(Coordinator, 1, 8), NodeSet.Of(A), 0, Branch(A).Writes));
        play.Receive(Coordinator, A, new TwoPhase.Message.Prepare(new TransactionId(Coordinator, 1, 9), new TransactionId(Coordinator, 1, 9), NodeSet.Of(B), 0, Branch(A).Writes));
        play.Receive(A, Coordinator, new TwoPhase.Message.Ack(First));
        Assert.Equal(
            [Refusal.NotMember, Refusal.NotMember, Refusal.Unexpected, Refusal.NotMember, Refusal.Malformed], play.Refusals(A));
        Assert.Equal([Refusal.NotMember, Refusal.Unexpected], play.Refusals(Coordinator));
        Assert.Equal([First], Node(play, A).Ledger.InDoubt);
        play.Submit(Coordinator, new CommitCommand.Begin([]));
        play.Submit(Coordinator, Transfer(A, A));
        Assert.All(play.Answers(Coordinator), answer => Assert.IsType<CommitResult.Malformed>(answer.Result));
    }

    [Fact]
    public void One_participant_decides_alone_in_one_write_and_repeats_its_answer()
    {
        var play = Stage();
        play.Submit(Coordinator, Transfer(A));
        play.Sync(Coordinator);
        play.Deliver(Coordinator, A, keep: true);
        Assert.IsType<TwoPhase.Record.CommittedAlone>(Assert.Single(play.Log(A)));
        Assert.Empty(play.Executions(A));
        play.Sync(A);
        Assert.Empty(play.Between(A, Coordinator));
        play.Deliver(A, A);
        play.Deliver(Coordinator, A);
        play.Deliver(A, Coordinator);
        Assert.Equal(new CommitResult.Committed(First), Assert.Single(play.Answers(Coordinator)).Result);
        play.Run();
        Assert.Single(play.Executions(A));
        Assert.IsType<TwoPhase.Record.Booted>(Assert.Single(play.Log(Coordinator)));
    }

    [Fact]
    public void A_decision_given_away_is_asked_for_until_it_is_known()
    {
        var play = Stage();
        play.Submit(Coordinator, Transfer(A));
        play.Sync(Coordinator);
        play.Deliver(Coordinator, A);
        play.Sync(A);
        play.Deliver(A, A);
        play.Drop(A, Coordinator);
        play.Fire(Coordinator, Vote);
        Assert.Empty(play.Answers(Coordinator));
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), Assert.Single(play.Answers(Coordinator)).Result);
    }

    [Fact]
    public void A_suspicion_asks_at_once_and_decides_nothing()
    {
        var play = Voted();
        play.Submit(A, new CommitCommand.Suspect(Coordinator));
        Assert.Contains(new TwoPhase.Message.Inquire(First), play.Between(A, B));
        Assert.Equal([First], Node(play, A).Ledger.InDoubt);
    }

    private static TwoPhase Node(Play play, NodeId node) => (TwoPhase)play[node];

    private static Play Stage() => new Play(
        node => new TwoPhase(node, TwoPhaseCommitOptions.Default), timer => ((TwoPhase.Timer)timer.Kind).ToString(), Coordinator, A, B, C)
        .Begin();

    /// <summary>Both participants are being asked.</summary>
    private static Play Asked()
    {
        var play = Stage();
        play.Submit(Coordinator, Transfer(A, B));
        play.Sync(Coordinator);
        return play;
    }

    /// <summary>Both promises are durable and the votes are under way.</summary>
    private static Play Voted()
    {
        var play = Asked();
        play.Deliver(Coordinator, A);
        play.Deliver(Coordinator, B);
        play.Sync(A);
        play.Sync(B);
        return play;
    }

    /// <summary>The commit is durable and on its way to both.</summary>
    private static Play Decided()
    {
        var play = Voted();
        play.Deliver(A, Coordinator);
        play.Deliver(B, Coordinator);
        play.Sync(Coordinator);
        return play;
    }
}
