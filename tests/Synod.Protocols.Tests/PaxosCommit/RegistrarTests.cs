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

/// <summary>
/// The registrar's instance of Paxos (Gray and Lamport 2006, section 6): its value is the set of those who joined, and who recovers need not know it.
/// </summary>
public sealed class RegistrarTests
{
    /// <summary>Node 1 coordinates and leads; nodes 1 to 3 accept, so F = 1; A and B join.</summary>
    private static readonly NodeId L = new(1);
    private static readonly NodeId P = new(2);
    private static readonly NodeId Q = new(3);
    private static readonly NodeId A = new(4);
    private static readonly NodeId B = new(5);
    private static readonly NodeSet Both = NodeSet.Of(A, B);
    private static readonly TransactionId First = new(L, 1, 1);
    private static readonly ImmutableArray<Write> Writes = CommitModels.Begin(Both).Branches[0].Writes;

    [Fact]
    public void The_set_travels_with_the_votes_and_is_accepted_with_them()
    {
        var play = Joined();
        play.Submit(L, new CommitCommand.Commit(First));
        Assert.All([A, B], node => Assert.Equal(
            new Message.Prepare(First, First, Both, 1, []), Assert.IsType<Message.Prepare>(Assert.Single(play.Between(L, node)))));
        play.Run();
        Assert.IsType<CommitResult.Committed>(play.Answers(L)[^1].Result);
        Assert.All([A, B], node => Assert.Equal(Writes, Assert.IsType<CommitCommand.Apply>(Assert.Single(play.Executions(node)).Command).Writes));
        Assert.Equal(new Record.Accepted(First, Both, Ballot.None, Ballot.None, Both), Assert.Single(play.Log(P).OfType<Record.Accepted>()));
    }

    /// <summary>
    /// B voted, and its votes brought the set to P. A never heard of it, and ends the transaction for both. The mistake takes who voted for all, and
    /// commits without what A enlisted.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_does_not_know_the_set_recovers_with_the_one_that_was_reported(bool mistaken)
    {
        var play = Joined(mistaken ? PaxosCommitMutation.SetFromVotes : PaxosCommitMutation.None);
        play.Submit(L, new CommitCommand.Commit(First));
        play.Deliver(L, B);
        play.Sync(B);
        play.Deliver(B, P);
        play.Network.Clear();
        LeadsWithoutSet(play);
        Assert.Equal(NodeSet.Empty, Assert.IsType<Message.Phase1a>(play.Between(A, P).Last()).Members);
        Reports(play, P, Q);
        Assert.Equal(
            new Message.Phase2a(First, new Ballot(1 << 24 | 1, A), mistaken ? NodeSet.Of(B) : Both, NodeSet.Of(B)),
            play.Between(A, Q).OfType<Message.Phase2a>().Single());
        play.Run();
        Assert.Equal(mistaken ? 1 : 0, play.Executions(B).Count);
        Assert.Empty(play.Executions(A));
        Assert.Equal(mistaken ? Ending.Committed : Ending.Aborted, Node(play, B).Ledger.EndingOf(First));
        Assert.Empty(Node(play, A).Enlisted);
    }

    /// <summary>Nobody has voted, so nobody reports a set: none is chosen, durably, and votes that come later find it so.</summary>
    [Fact]
    public void Where_nobody_reports_a_set_none_is_chosen_and_nothing_commits()
    {
        var play = Joined();
        play.Network.Clear();
        LeadsWithoutSet(play);
        Reports(play, P, Q);
        Assert.Equal(
            new Message.Phase2a(First, new Ballot(1 << 24 | 1, A), NodeSet.Empty, NodeSet.Empty), play.Between(A, Q).OfType<Message.Phase2a>().Single());
        play.Run(away: L);
        Assert.Equal(Ending.Aborted, Node(play, A).Ledger.EndingOf(First));
        Assert.Equal(NodeSet.Empty, play.Log(P).OfType<Record.Accepted>().Last().Members);
        play.Crash(P);

        // L was only cut off, and now closes the set.
        play.Submit(L, new CommitCommand.Commit(First));
        play.Run(away: A);
        Assert.Equal([First], Node(play, L).Open);
        play.Fire(L, (int)Timer.Ballot);
        play.Network.RemoveAll(item => item.To == L && item.Message is Message.Outbid);
        play.Run(away: A);
        while (Node(play, L).Open.Count > 0)
        {
            play.Fire(L, (int)Timer.Ballot);
            play.Run(away: A);
        }

        Assert.IsType<CommitResult.Aborted>(play.Answers(L)[^1].Result);
        Assert.Equal(Ending.Aborted, Node(play, B).Ledger.EndingOf(First));
    }

    /// <summary>That there is no set is a value like another: the highest ballot's is proposed again, also by a leader that has the set.</summary>
    [Fact]
    public void A_leader_that_knows_the_set_proposes_none_if_the_highest_ballot_has_none()
    {
        var play = Joined();
        play.Submit(L, new CommitCommand.Commit(First));
        play.Sync(L);
        play.Network.Clear();
        play.Fire(L, (int)Timer.Ballot);
        var ballot = new Ballot(1 << 24 | 1, L);
        play.Receive(P, L, new Message.Phase1b(First, ballot, Ballot.None, Both, Both));
        play.Receive(Q, L, new Message.Phase1b(First, ballot, new Ballot(1, A), NodeSet.Empty, NodeSet.Empty));
        Assert.Equal(new Message.Phase2a(First, ballot, NodeSet.Empty, NodeSet.Empty), play.Between(L, Q).OfType<Message.Phase2a>().Single());
        play.Receive(P, L, new Message.Phase2b(First, ballot, NodeSet.Empty, NodeSet.Empty));
        play.Receive(Q, L, new Message.Phase2b(First, ballot, NodeSet.Empty, NodeSet.Empty));
        Assert.IsType<CommitResult.Aborted>(play.Answers(L)[^1].Result);
    }

    /// <summary>Acceptors need not keep its ballot for those in the set whom they do not know.</summary>
    [Fact]
    public void Who_has_led_without_the_set_does_not_vote_any_more()
    {
        var play = Joined();
        play.Submit(L, new CommitCommand.Commit(First));
        var late = play.Between(L, A).Single();
        play.Network.Clear();
        LeadsWithoutSet(play);
        play.Receive(L, A, late);
        play.Sync(A);
        Assert.Empty(Node(play, A).Ledger.InDoubt);
        Assert.Contains(new Message.Decide(First, false), play.Between(A, L));
    }

    /// <summary>Found by the simulator: what it asks of itself may be late, which is nobody's failure; a ballot of its own was in the way of its commit.</summary>
    [Fact]
    public void A_coordinator_that_joined_itself_does_not_lead_before_it_commits()
    {
        var play = CommitTraces.Stage(CommitRooms.Paxos(3), 5);
        play.Submit(L, new CommitCommand.Open());
        play.Submit(L, new CommitCommand.Enlist(First, Writes));
        play.Run();
        for (var time = 0; time < 3; time++)
        {
            play.Fire(L, (int)Timer.Inquire);
        }

        Assert.DoesNotContain(play.Network, item => item.Message is Message.Phase1a);
        play.Submit(L, new CommitCommand.Commit(First));
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), play.Answers(L)[^1].Result);
    }

    [Fact]
    public void A_ballot_without_a_set_is_forgotten_when_it_is_over_for_its_leader()
    {
        var play = Joined();
        play.Network.Clear();
        LeadsWithoutSet(play);
        play.Run();
        Assert.Contains(play.Log(P).OfType<Record.Accepted>(), record => record.Transaction == First);
        play.Submit(L, new CommitCommand.Commit(First));
        play.Run();
        play.Submit(L, CommitModels.Begin(Both, key: "y"));
        play.Run();
        play.Truncate(P);
        Assert.Equal(new TransactionId(L, 1, 2), Assert.Single(play.Log(P).OfType<Record.Accepted>()).Transaction);
        play.Receive(A, P, new Message.Phase1a(First, new Ballot(1 << 25, A), NodeSet.Empty));
        Assert.Equal(new Message.Over(First), Assert.Single(play.Between(P, A)));
    }

    /// <summary>The coordinator led after it, and has no marks of its own since it takes no part.</summary>
    [Fact]
    public void That_there_is_no_set_is_forgotten_too_when_another_leader_has_proposed_it_again()
    {
        var play = Joined();
        play.Network.Clear();
        LeadsWithoutSet(play);
        play.Run(away: L);
        play.Submit(L, new CommitCommand.Commit(First));
        play.Run(away: A);
        while (Node(play, L).Open.Count > 0)
        {
            play.Fire(L, (int)Timer.Ballot);
            play.Run(away: A);
        }

        Assert.Equal(L, play.Log(Q).OfType<Record.Accepted>().Last().Promised.Node);
        play.Submit(L, CommitModels.Begin(Both, key: "y"));
        play.Run();
        play.Submit(L, CommitModels.Begin(Both, key: "y"));
        play.Run();
        play.Truncate(P);
        Assert.DoesNotContain(play.Log(P).OfType<Record.Accepted>(), record => record.Transaction == First);
    }

    /// <summary>P leads, and comes too late with a part of its own: that is not in it, and the transaction is not aborted.</summary>
    [Fact]
    public void A_leader_that_comes_too_late_itself_is_not_told_aborted_of_what_commits()
    {
        var play = CommitTraces.Stage(CommitRooms.Paxos(new PaxosCommitOptions(L, P, Q) { Leader = P }, PaxosCommitMutation.None), 5);
        play.Submit(L, new CommitCommand.Open());
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Submit(B, new CommitCommand.Enlist(First, Writes));
        play.Run();
        play.Submit(L, new CommitCommand.Commit(First));
        play.Submit(P, new CommitCommand.Enlist(First, Writes));
        play.Sync(P);
        play.Drop(P, L);
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), play.Answers(L)[^1].Result);
        Assert.Equal(new CommitResult.NotOpen(First), Assert.Single(play.Answers(P)).Result);
    }

    [Fact]
    public void The_leader_may_be_elsewhere_and_asks_for_what_is_enlisted()
    {
        var play = CommitTraces.Stage(CommitRooms.Paxos(new PaxosCommitOptions(L, P, Q) { Leader = P }, PaxosCommitMutation.None), 5);
        play.Submit(A, new CommitCommand.Open());
        play.Sync(A);
        var id = Assert.IsType<CommitResult.Opened>(Assert.Single(play.Answers(A)).Result).Transaction;
        play.Submit(A, new CommitCommand.Enlist(id, Writes));
        play.Submit(B, new CommitCommand.Enlist(id, Writes));
        play.Run();
        play.Submit(A, new CommitCommand.Commit(id));
        play.Sync(A);
        var begin = Assert.IsType<Message.BeginCommit>(Assert.Single(play.Between(A, P)));
        Assert.Equal([new Enrolled(B, 1)], begin.Enrolled);
        Assert.Equal(Both, begin.Members);
        play.Run();
        Assert.IsType<CommitResult.Committed>(play.Answers(A)[^1].Result);
        Assert.All([A, B], node => Assert.Single(play.Executions(node)));
    }

    /// <summary>Its word comes before the client's: the transaction can only abort, and the client hears so when it wants to commit.</summary>
    [Fact]
    public void The_abort_of_one_that_joined_dooms_what_is_open()
    {
        var play = Joined();
        play.Receive(P, L, new Message.Decide(First, false));
        play.Receive(A, L, new Message.Decide(First, false));
        Assert.Equal([Refusal.Unexpected], play.Refusals(L));
        play.Submit(L, new CommitCommand.Commit(First));
        play.Run();
        Assert.IsType<CommitResult.Aborted>(play.Answers(L)[^1].Result);
        Assert.Equal(Ending.Aborted, Node(play, B).Ledger.EndingOf(First));
    }

    [Fact]
    public void What_is_open_is_over_for_nobody()
    {
        var play = Joined();
        play.Submit(L, CommitModels.Begin(Both, key: "y"));
        Assert.All([A, B], node => Assert.Equal(First, play.Between(L, node).OfType<Message.Prepare>().Single().Oldest));
        play.Run();
        Assert.Equal([First], Node(play, A).Enlisted);
        play.Submit(L, new CommitCommand.Commit(First));
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), play.Answers(L)[^1].Result);
    }

    [Fact]
    public void Strangers_and_nonsense_are_refused_and_change_nothing()
    {
        var play = Joined();
        var foreign = new TransactionId(B, 1, 1);
        var stranger = new NodeId(200);
        play.Receive(A, L, new Message.Join(foreign, 1, true));
        play.Receive(A, L, new Message.Join(First, 0, true));
        play.Receive(stranger, L, new Message.Join(First, 1, true));
        play.Receive(A, L, new Message.Phase2b(First, Ballot.None, NodeSet.Empty, NodeSet.Empty));
        play.Receive(A, L, new Message.Phase2a(First, Ballot.None, NodeSet.Empty, NodeSet.Empty, First));
        play.Receive(A, L, new Message.Phase2a(First, new Ballot(1, A), NodeSet.Empty, NodeSet.Of(A)));
        Assert.Equal(
            [Refusal.NotMember, Refusal.Malformed, Refusal.Malformed, Refusal.NotMember, Refusal.NotMember, Refusal.Malformed], play.Refusals(L));
        play.Receive(B, A, new Message.Joined(First, 1));
        play.Receive(B, A, new Message.Closed(First));
        play.Receive(L, A, new Message.Joined(First, 2));
        play.Receive(L, A, new Message.Joined(new(L, 1, 9), 1));
        play.Receive(L, A, new Message.Closed(new(L, 1, 9)));
        play.Receive(L, A, new Message.Prepare(First, First, Both, -1, []));
        play.Receive(L, A, new Message.Prepare(First, First, Both, 1, Writes));
        Assert.Equal(
            [
                Refusal.NotMember, Refusal.NotMember, Refusal.Unexpected, Refusal.Unexpected, Refusal.Unexpected, Refusal.Malformed, Refusal.Malformed,
            ],
            play.Refusals(A));
        Assert.Equal([First], Node(play, A).Enlisted);

        var elsewhere = CommitTraces.Stage(CommitRooms.Paxos(new PaxosCommitOptions(L, P, Q) { Leader = P }, PaxosCommitMutation.None), 5);
        elsewhere.Receive(A, P, new Message.BeginCommit(new(A, 1, 1), new(A, 1, 1), new(A, 1, 1), Both, [], [new(B, 0)]));
        elsewhere.Receive(A, P, new Message.BeginCommit(new(A, 1, 1), new(A, 1, 1), new(A, 1, 1), Both, [new(B, [])], [new(B, 1)]));
        elsewhere.Receive(A, P, new Message.BeginCommit(new(A, 1, 1), new(A, 1, 1), new(A, 1, 1), Both, [], [new(stranger, 1)]));
        elsewhere.Receive(A, P, new Message.BeginCommit(new(A, 1, 1), new(A, 1, 1), new(A, 1, 1), Both, [new(stranger, [])], []));
        Assert.Equal([Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed], elsewhere.Refusals(P));
        elsewhere.Submit(L, new CommitCommand.Open());
        elsewhere.Receive(P, L, new Message.Prepare(First, First, NodeSet.Of(L, A), 0, Writes));
        elsewhere.Submit(A, new CommitCommand.Enlist(First, Writes));
        elsewhere.Run();
        elsewhere.Submit(L, new CommitCommand.Commit(First));
        elsewhere.Run();
        Assert.Equal(new CommitResult.Committed(First), elsewhere.Answers(L)[^1].Result);
    }

    /// <summary>What a client begins has its writes with it: who enlisted under a name that it guessed has no part in it.</summary>
    [Fact]
    public void What_was_begun_is_not_committed_with_what_is_enlisted()
    {
        var play = CommitTraces.Stage(CommitRooms.Paxos(3), 5);
        play.Submit(A, new CommitCommand.Enlist(First, EnlistingModels.Branch(A, "y").Writes));
        play.Submit(L, CommitModels.Begin(Both));
        play.Run();
        Assert.Equal(new CommitResult.Committed(First), Assert.Single(play.Answers(L)).Result);
        Assert.Equal(new CommitResult.NotOpen(First), Assert.Single(play.Answers(A)).Result);
    }

    private static PaxosCommit Node(Play play, NodeId node) => (PaxosCommit)play[node];

    /// <summary>A hears nothing of L, and asks consensus.</summary>
    private static void LeadsWithoutSet(Play play)
    {
        for (var patience = 0; patience <= 1; patience++)
        {
            play.Fire(A, (int)Timer.Inquire);
        }

        play.Sync(A);
        play.Network.RemoveAll(item => item.To == L);
    }

    private static void Reports(Play play, params NodeId[] acceptors)
    {
        foreach (var acceptor in acceptors)
        {
            play.Deliver(A, acceptor);
            play.Sync(acceptor);
            play.Deliver(acceptor, A);
        }
    }

    /// <summary>Open, and joined by A and B.</summary>
    private static Play Joined(PaxosCommitMutation mutation = PaxosCommitMutation.None)
    {
        var play = CommitTraces.Stage(CommitRooms.Paxos(CommitRooms.Acceptors(3), mutation), 5);
        play.Submit(L, new CommitCommand.Open());
        play.Submit(A, new CommitCommand.Enlist(First, Writes));
        play.Submit(B, new CommitCommand.Enlist(First, Writes));
        play.Run();
        return play;
    }
}
