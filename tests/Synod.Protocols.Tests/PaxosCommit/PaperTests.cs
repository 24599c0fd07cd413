using System.Collections.Immutable;
using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Protocols.Tests.Commit;
using Xunit;
using static Synod.Protocols.Commit.PaxosCommit;

namespace Synod.Protocols.Tests.PaxosCommitRoom;

using Play = Stage<PaxosCommit.Message, PaxosCommit.Record, CommitCommand, CommitResult>;
using Record = PaxosCommit.Record;
using Timer = PaxosCommit.Timer;

/// <summary>One test for each rule of commit.md §3.3, each pitfall of §3.6 and each scenario of §3.7.</summary>
public sealed class PaperTests
{
    /// <summary>Node 1 leads; nodes 1 to 3 accept, so F = 1; A and B manage resources, and C does not.</summary>
    private static readonly NodeId L = new(1);
    private static readonly NodeId P = new(2);
    private static readonly NodeId Q = new(3);
    private static readonly NodeId A = new(4);
    private static readonly NodeId B = new(5);
    private static readonly NodeSet Both = NodeSet.Of(A, B);
    private static readonly TransactionId First = new(L, 1, 1);

    [Fact]
    public void A_manager_votes_to_f_plus_one_acceptors_after_its_promise_is_durable()
    {
        var play = Asked();
        play.Deliver(L, A);
        Assert.IsType<Record.Prepared>(Assert.Single(play.Log(A)));
        Assert.Empty(play.Between(A, L));
        play.Sync(A);
        Assert.Equal(Vote(A), Assert.Single(play.Between(A, L)));
        Assert.Equal(Vote(A), Assert.Single(play.Between(A, P)));
        Assert.Empty(play.Between(A, Q));
    }

    [Fact]
    public void An_acceptor_writes_and_tells_all_votes_at_once()
    {
        var play = Voted();
        play.Deliver(A, P);
        Assert.Empty(play.Log(P));
        play.Deliver(B, P);
        Assert.Equal(new Record.Accepted(First, Both, Ballot.None, Ballot.None, Both), Assert.Single(play.Log(P)));
        Assert.Empty(play.Between(P, L));
        play.Sync(P);
        Assert.Equal(new Message.Phase2b(First, Ballot.None, Both, Both, First), Assert.Single(play.Between(P, L)));
    }

    [Fact]
    public void F_plus_one_acceptors_of_one_ballot_commit()
    {
        var play = Accepted();
        play.Deliver(L, L);
        Assert.Empty(play.Answers(L));
        play.Deliver(P, L);
        Assert.IsType<CommitResult.Committed>(Assert.Single(play.Answers(L)).Result);
        play.Run();
        Assert.All([A, B], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
        Assert.All([A, B], node => Assert.Single(play.Executions(node)));
    }

    [Fact]
    public void Acceptances_of_different_ballots_are_no_majority()
    {
        var play = Accepted();
        play.Deliver(L, L);
        play.Receive(P, L, new Message.Phase2b(First, new Ballot(1 << 24 | 1, A), Both, Both));
        Assert.Empty(play.Answers(L));
        play.Receive(Q, L, new Message.Phase2b(First, Ballot.None, Both, Both));
        Assert.Empty(play.Answers(L));
        Assert.Contains(Refusal.StaleBallot, play.Refusals(L));
        play.Receive(Q, L, new Message.Phase2b(First, new Ballot(1 << 24 | 1, A), Both, Both));
        Assert.IsType<CommitResult.Committed>(Assert.Single(play.Answers(L)).Result);
    }

    [Fact]
    public void A_manager_that_cannot_promise_tells_the_leader_and_everyone_aborts()
    {
        var play = Asked();
        play.Submit(A, new CommitCommand.Veto(First));
        play.Run();
        Assert.IsType<CommitResult.Vetoed>(Assert.Single(play.Answers(A)).Result);
        Assert.IsType<CommitResult.Aborted>(Assert.Single(play.Answers(L)).Result);
        Assert.Equal(Ending.Aborted, Node(play, B).Ledger.EndingOf(First));
    }

    /// <summary>Without its own word it would wait for its time-out, and the others with their locks held.</summary>
    [Fact]
    public void A_leader_whose_own_vote_is_no_tells_everyone_at_once()
    {
        var play = CommitTraces.Stage(CommitRooms.Paxos(3), 5);
        play.Submit(A, CommitModels.Begin(NodeSet.Of(L, A)));
        play.Sync(A);
        play.Deliver(A, L);
        play.Submit(L, CommitModels.Begin(NodeSet.Of(L, B), "2"));
        play.Run();
        Assert.IsType<CommitResult.Committed>(Assert.Single(play.Answers(A)).Result);
        Assert.IsType<CommitResult.Aborted>(Assert.Single(play.Answers(L)).Result);
        Assert.Equal(Ending.Aborted, Node(play, B).Ledger.EndingOf(First));
        Assert.Empty(Node(play, L).Open);
    }

    [Fact]
    public void A_lock_held_by_a_promise_makes_the_other_transaction_abort()
    {
        var play = Voted();
        play.Submit(L, CommitModels.Begin(Both, "2"));
        play.Run();
        Assert.Equal(Ending.Committed, Node(play, A).Ledger.EndingOf(First));
        Assert.Contains(play.Answers(L), answer => answer.Result is CommitResult.Aborted);
        Assert.Null(Node(play, A).Ledger.LockOn(Key.Of("x")));
    }

    [Fact]
    public void Late_votes_begin_a_higher_ballot_with_all_acceptors_and_what_nobody_heard_of_is_aborted()
    {
        var play = Asked();
        play.Deliver(L, A);
        play.Sync(A);
        play.Drop(L, B);
        play.Fire(L, (int)Timer.Ballot);
        Assert.Single(play.Between(L, Q).OfType<Message.Phase1a>());
        play.Run();
        Assert.IsType<CommitResult.Aborted>(Assert.Single(play.Answers(L)).Result);
        Assert.Equal(Ending.Aborted, Node(play, A).Ledger.EndingOf(First));
    }

    /// <summary>The leader never commits because all that it can reach are prepared: only reports of acceptors count.</summary>
    [Fact]
    public void A_new_leader_proposes_what_was_reported_in_the_highest_ballot()
    {
        var play = Voted();
        Lose(play, A, B);
        play.Fire(A, (int)Timer.Inquire);
        play.Fire(A, (int)Timer.Inquire);
        play.Sync(A);
        Lose(play, A);
        play.Receive(L, A, Report(A, Ballot.None, NodeSet.Of(A)));
        play.Receive(P, A, Report(A, Ballot.None, NodeSet.Of(B)));
        Assert.Equal(Both, play.Between(A, Q).OfType<Message.Phase2a>().Last().Prepared);

        var higher = Voted();
        Lose(higher, A, B);
        higher.Fire(A, (int)Timer.Inquire);
        higher.Fire(A, (int)Timer.Inquire);
        higher.Sync(A);
        Lose(higher, A);
        higher.Receive(L, A, Report(A, Ballot.None, Both));
        higher.Receive(P, A, Report(A, new Ballot(1, B), NodeSet.Empty));
        Assert.Equal(NodeSet.Empty, higher.Between(A, Q).OfType<Message.Phase2a>().Last().Prepared);
    }

    [Fact]
    public void An_acceptor_promises_and_reports_after_it_is_durable()
    {
        var play = Voted();
        play.Deliver(A, P);
        var ballot = new Ballot(1 << 24 | 1, B);
        play.Receive(B, P, new Message.Phase1a(First, ballot, Both));
        Assert.Empty(play.Between(P, B));
        play.Sync(P);
        Assert.Equal(new Message.Phase1b(First, ballot, Ballot.None, Both, NodeSet.Of(A)), Assert.Single(play.Between(P, B)));
        play.Crash(P);
        play.Receive(A, P, new Message.Phase1a(First, new Ballot(1, A), Both));
        Assert.Equal(new Message.Outbid(First, ballot), Assert.Single(play.Between(P, A)));
    }

    /// <summary>§3.7: a slow manager's ballot-0 message after ballot 1 chose Aborted.</summary>
    [Fact]
    public void A_slow_vote_after_a_higher_ballot_is_refused()
    {
        var play = Voted();
        play.Deliver(A, L);
        play.Deliver(A, P);
        Lose(play, B);
        play.Fire(L, (int)Timer.Ballot);
        play.Run();
        Assert.IsType<CommitResult.Aborted>(Assert.Single(play.Answers(L)).Result);
        play.Receive(B, P, Vote(B));
        play.Receive(B, L, Vote(B));
        Assert.Contains(Refusal.StaleBallot, play.Refusals(P));
        play.Run();
        Assert.All([A, B], node => Assert.Equal(Ending.Aborted, Node(play, node).Ledger.EndingOf(First)));
    }

    /// <summary>§3.7: the leader dies after the votes: any manager that is left ends it, and commits what was accepted.</summary>
    [Fact]
    public void A_manager_recovers_from_a_leader_that_died()
    {
        var play = Accepted();
        Lose(play, L, P);
        play.Submit(B, new CommitCommand.Suspect(L));
        Assert.Empty(play.Network);
        play.Submit(A, new CommitCommand.Suspect(L));
        play.Sync(A);
        play.Drop(A, L);
        play.Run();
        Assert.All([A, B], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
    }

    /// <summary>§3.7: the leader dies when one acceptor has accepted everything.</summary>
    [Fact]
    public void One_acceptor_with_every_vote_is_enough_to_commit()
    {
        var play = Voted();
        play.Deliver(A, P);
        play.Deliver(B, P);
        play.Sync(P);
        Lose(play, A, B, P);
        play.Fire(B, (int)Timer.Inquire);
        Lose(play, B);
        play.Fire(B, (int)Timer.Inquire);
        play.Sync(B);
        play.Network.RemoveAll(item => item.To == L || item.To == A || item.Message is Message.Phase2a { Ballot.Round: 0 });
        play.Run();
        Assert.All([A, B], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
    }

    /// <summary>§3.7: two leaders at a time.</summary>
    [Fact]
    public void Two_leaders_outbid_each_other_and_agree()
    {
        var play = Accepted();
        Lose(play, L, P);
        play.Submit(A, new CommitCommand.Suspect(L));
        play.Fire(B, (int)Timer.Inquire);
        play.Fire(B, (int)Timer.Inquire);
        play.Run();
        Assert.All([A, B], node => Assert.Equal(Ending.Committed, Node(play, node).Ledger.EndingOf(First)));
        Assert.Contains(Refusal.StaleBallot, new[] { L, P, Q }.SelectMany(node => play.Refusals(node)));
    }

    /// <summary>§3.6: thrifty with a fallback. A manager that waits gives its vote to all acceptors.</summary>
    [Fact]
    public void An_acceptor_that_failed_is_replaced_by_another()
    {
        var play = Voted();
        play.Network.RemoveAll(item => item.To == P);
        play.Deliver(A, L);
        play.Deliver(B, L);
        play.Sync(L);
        play.Deliver(L, L);
        Assert.Empty(play.Answers(L));
        play.Fire(A, (int)Timer.Inquire);
        play.Fire(B, (int)Timer.Inquire);
        play.Network.RemoveAll(item => item.To == P);
        play.Run();
        Assert.IsType<CommitResult.Committed>(Assert.Single(play.Answers(L)).Result);
    }

    [Fact]
    public void A_manager_locks_again_after_a_crash_and_asks()
    {
        var play = Voted();
        play.Crash(A);
        Assert.Equal(First, Node(play, A).Ledger.LockOn(Key.Of("x")));
        Assert.True(play.IsArmed(A, (int)Timer.Inquire));
        play.Run();
        Assert.Equal(Ending.Committed, Node(play, A).Ledger.EndingOf(First));
    }

    [Fact]
    public void Who_has_not_voted_aborts_first_and_answers_an_inquiry_then()
    {
        var play = Asked();
        play.Receive(B, A, new Message.Inquire(First, Both));
        Assert.Empty(play.Between(A, B));
        play.Sync(A);
        Assert.Equal(new Message.Decide(First, false), Assert.Single(play.Between(A, B)));
        play.Deliver(L, A);
        Assert.Equal(new Message.Decide(First, false), Assert.Single(play.Between(A, L)));
        play.Receive(B, P, new Message.Inquire(First, Both));
        Assert.Empty(play.Between(P, B));
    }

    [Fact]
    public void Ballots_and_ids_carry_the_boot_epoch()
    {
        var play = Asked();
        play.Fire(L, (int)Timer.Ballot);
        Assert.Equal(new Ballot(1 << 24 | 1, L), play.Between(L, Q).OfType<Message.Phase1a>().Last().Ballot);
        play.Crash(L);
        play.Submit(L, CommitModels.Begin(Both));
        play.Sync(L);
        Assert.Equal([new TransactionId(L, 2, 1)], Node(play, L).Open);
    }

    /// <summary>A set of managers other than the first one heard of is refused: nobody decides about another one.</summary>
    [Fact]
    public void Strangers_and_nonsense_are_refused_and_change_nothing()
    {
        var play = Voted();
        var stranger = new NodeId(9);
        var writes = CommitModels.Begin(Both).Branches[0].Writes;
        play.Deliver(A, P);
        play.Receive(B, P, new Message.Phase2a(First, Ballot.None, NodeSet.Of(B), NodeSet.Of(B)));
        play.Receive(B, P, new Message.Phase2a(First, Ballot.None, Both, Both, First));
        play.Receive(stranger, P, new Message.Phase2a(First, Ballot.None, Both, NodeSet.Of(stranger)));
        play.Receive(B, P, new Message.Phase2a(First, new Ballot(5, A), Both, Both));
        play.Receive(B, P, new Message.Phase1a(First, new Ballot(5, A), Both));
        play.Receive(B, P, new Message.Phase1a(new(L, 0, 0), new Ballot(5, B), Both));
        Assert.Equal(
            [Refusal.Malformed, Refusal.Malformed, Refusal.NotMember, Refusal.NotMember, Refusal.NotMember, Refusal.Malformed],
            play.Refusals(P));
        play.Receive(B, A, new Message.Prepare(new(L, 1, 7), First, Both, 0, writes));
        play.Receive(L, A, new Message.Prepare(new(L, 1, 8), First, NodeSet.Of(B), 0, writes));
        play.Receive(stranger, A, new Message.Decide(First, true));
        play.Receive(L, A, new Message.Decide(new(L, 1, 9), true));
        play.Receive(stranger, A, new Message.Phase1b(First, new Ballot(5, A), Ballot.None, Both, Both));
        play.Receive(P, A, new Message.Phase1b(First, new Ballot(5, A), Ballot.None, Both, Both));
        play.Receive(stranger, A, new Message.Phase2b(First, Ballot.None, Both, Both));
        play.Receive(P, A, new Message.Phase2b(First, Ballot.None, NodeSet.Of(A), NodeSet.Of(A)));
        play.Receive(B, A, new Message.Outbid(First, new Ballot(9, B)));
        play.Receive(L, A, new Message.BeginCommit(First, First, First, Both, [], []));
        Assert.Equal(
            [
                Refusal.NotMember, Refusal.Malformed, Refusal.NotMember, Refusal.Unexpected, Refusal.NotMember, Refusal.StaleBallot,
                Refusal.NotMember, Refusal.Malformed, Refusal.NotMember, Refusal.NotMember,
            ],
            play.Refusals(A));
        Assert.Equal([First], Node(play, A).Ledger.InDoubt);
    }

    [Fact]
    public void Acceptors_are_one_three_or_five()
    {
        Assert.Throws<ArgumentException>(() => new PaxosCommitOptions(L, P));
        Assert.Throws<ArgumentException>(() => new PaxosCommitOptions(L, P, P));
        Assert.Throws<ArgumentException>(() => new PaxosCommitOptions(new NodeId(200)));
        Assert.Equal(0, new PaxosCommitOptions(L).Faults);
        Assert.Equal(2, new PaxosCommitOptions(L, P, Q, A, B).Faults);
    }

    [Fact]
    public void Whoever_begins_may_leave_the_lead_to_another_and_still_hears_the_outcome()
    {
        var room = CommitRooms.Paxos(new PaxosCommitOptions(L, P, Q) { Leader = L }, PaxosCommitMutation.None);
        var play = CommitTraces.Stage(room, 5);
        play.Submit(A, CommitModels.Begin(Both));
        play.Sync(A);
        Assert.Equal(
            ImmutableArray.Create(B), Assert.IsType<Message.BeginCommit>(Assert.Single(play.Between(A, L))).Branches.Select(branch => branch.Participant));
        play.Run();
        Assert.IsType<CommitResult.Committed>(Assert.Single(play.Answers(A)).Result);

        play.Submit(A, CommitModels.Begin(Both));
        play.Sync(A);
        Lose(play, A);
        play.Fire(A, (int)Timer.Ballot);
        play.Run();
        Assert.IsType<CommitResult.Aborted>(play.Answers(A)[^1].Result);
    }

    private static Message.Phase2a Vote(NodeId manager) => new(First, Ballot.None, Both, NodeSet.Of(manager), First);

    private static Message.Phase1b Report(NodeId leader, Ballot voted, NodeSet prepared) =>
        new(First, new Ballot(1 << 24 | 1, leader), voted, Both, prepared);

    private static PaxosCommit Node(Play play, NodeId node) => (PaxosCommit)play[node];

    private static void Lose(Play play, params NodeId[] from) => play.Network.RemoveAll(item => from.Contains(item.From));

    private static Play Asked()
    {
        var play = CommitTraces.Stage(CommitRooms.Paxos(3), 5);
        play.Submit(L, CommitModels.Begin(Both));
        play.Sync(L);
        return play;
    }

    private static Play Voted()
    {
        var play = Asked();
        foreach (var node in Both)
        {
            play.Deliver(L, node);
            play.Sync(node);
        }

        return play;
    }

    /// <summary>Both acceptors have accepted, and say so to the leader.</summary>
    private static Play Accepted()
    {
        var play = Voted();
        foreach (var acceptor in new[] { L, P })
        {
            play.Deliver(A, acceptor);
            play.Deliver(B, acceptor);
            play.Sync(acceptor);
        }

        return play;
    }
}
