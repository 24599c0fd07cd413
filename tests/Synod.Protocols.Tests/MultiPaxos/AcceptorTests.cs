using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;
using Record = Synod.Protocols.Consensus.MultiPaxos.Record;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>paxos.md §2 and §3.1: what an acceptor promises, keeps and tells, and when.</summary>
public sealed class AcceptorTests
{
    private static readonly Ballot Low = new(3, new NodeId(2));
    private static readonly Ballot High = new(5, new NodeId(3));
    private readonly TestCluster _cluster = TestCluster.Majority(3);

    public AcceptorTests() => _cluster.StartAll();

    private Replica Acceptor => _cluster[1];

    [Fact]
    public void Promise_waits_for_its_record()
    {
        _cluster.AutoFsync = false;
        Prepare(Low);
        Assert.Empty(_cluster.Wire);
        Acceptor.Fsync();
        Assert.IsType<Message.Promise>(Assert.Single(_cluster.Wire).Message);
        Assert.Contains(new Record.Promised(Low), Acceptor.Durable);
    }

    [Fact]
    public void Accepted_waits_for_its_record()
    {
        _cluster.AutoFsync = false;
        Accept(Low, 1, "a");
        Assert.Empty(_cluster.Wire);
        Acceptor.Fsync();
        Assert.Equal(new Message.Accepted(Low, new Slot(1), new Slot(1)), Assert.Single(_cluster.Wire).Message);
    }

    [Fact]
    public void A_repeated_accept_waits_for_the_first_ones_record()
    {
        _cluster.AutoFsync = false;
        Accept(Low, 1, "a");
        Accept(Low, 1, "a");
        Assert.Empty(_cluster.Wire);
        Assert.Equal(1, Acceptor.UndurableCount);
    }

    [Fact]
    public void A_lower_prepare_is_rejected()
    {
        Prepare(High);
        Prepare(Low);
        Assert.Equal(new Message.Reject(Low, High), _cluster.Wire[^1].Message);
        Assert.Equal(High, Acceptor.Paxos.Ballot);
    }

    [Fact]
    public void A_lower_accept_is_rejected_in_every_slot()
    {
        Prepare(High);
        Accept(Low, 40, "a");
        Assert.Equal(new Message.Reject(Low, High), _cluster.Wire[^1].Message);
    }

    [Fact]
    public void The_same_prepare_again_gets_the_same_answer()
    {
        Prepare(Low);
        Prepare(Low);
        Assert.Equal(2, _cluster.Wire.Count(sent => sent.Message is Message.Promise));
        Assert.Single(Acceptor.Durable);
    }

    [Fact]
    public void A_ballot_of_another_node_is_malformed()
    {
        Acceptor.Receive(new NodeId(3), new Message.Prepare(Low, new Slot(1), Ballot.None));
        Assert.Equal([Refusal.Malformed], Acceptor.Refusals);
        Assert.Equal(Ballot.None, Acceptor.Paxos.Ballot);
    }

    [Fact]
    public void An_accept_implies_the_promise_also_after_a_restart()
    {
        Accept(High, 1, "a");
        Restart();
        Prepare(Low);
        Assert.IsType<Message.Reject>(_cluster.Wire[^1].Message);
    }

    [Fact]
    public void A_promise_outlives_a_restart()
    {
        Prepare(High);
        Restart();
        Accept(Low, 1, "a");
        Assert.IsType<Message.Reject>(_cluster.Wire[^1].Message);
    }

    [Fact]
    public void A_promise_reports_what_was_accepted_with_its_ballots()
    {
        Accept(Low, 1, "a");
        Accept(Low, 3, "c");
        Restart();
        _cluster.Wire.Clear();
        Prepare(High);
        var promise = Assert.IsType<Message.Promise>(Assert.Single(_cluster.Wire).Message);
        Assert.Equal(["#1 3.2 a", "#3 3.2 c"], promise.Report.Select(entry => $"{entry.Slot} {entry.Ballot} {Values.Text(entry.Value)}"));
        Assert.True(promise.IsLast);
    }

    [Fact]
    public void Two_values_in_one_ballot_and_slot_stop_the_node()
    {
        Accept(Low, 1, "a");
        var stopped = Assert.Throws<InvariantViolation>(() => Accept(Low, 1, "b"));
        Assert.Equal("OneValuePerBallot", stopped.Invariant);
    }

    [Fact]
    public void A_higher_ballot_takes_the_slot_and_recovery_keeps_it()
    {
        Accept(Low, 1, "a");
        Accept(High, 1, "b");
        Restart();
        _cluster.Wire.Clear();
        Acceptor.Receive(new NodeId(2), new Message.Prepare(new Ballot(9, new NodeId(2)), new Slot(1), Ballot.None));
        var entry = Assert.Single(Assert.IsType<Message.Promise>(Assert.Single(_cluster.Wire).Message).Report);
        Assert.Equal((High, "b"), (entry.Ballot, Values.Text(entry.Value)));
    }

    [Fact]
    public void A_slot_far_beyond_the_window_is_refused()
    {
        Accept(Low, 1 << 17, "a");
        Assert.Contains(Refusal.NotReady, Acceptor.Refusals);
        Assert.DoesNotContain(_cluster.Wire, sent => sent.Message is Message.Accepted);
    }

    /// <summary>§3.3: commit is believed only for what was accepted in the sender's own ballot.</summary>
    [Fact]
    public void A_committed_slot_is_not_taken_from_a_stale_entry()
    {
        Accept(Low, 1, "stale");
        Acceptor.Receive(new NodeId(3), new Message.Heartbeat(High, new Slot(1), 1, Timestamp.Zero, Duration.Zero));
        Assert.Equal(Slot.None, Acceptor.Paxos.Chosen);

        // It asks instead, and takes what it is told.
        _cluster.Wire.Clear();
        _cluster.Replicas[new NodeId(1)].Fire(new TimerId((int)MultiPaxosTimer.CatchUp));
        Assert.Contains(_cluster.Wire, sent => sent.Message is Message.Fetch { From.Value: 1 });
        Acceptor.Receive(new NodeId(3), new Message.Entries([new Record.Accepted(new Slot(1), High, Values.Of("chosen"))]));
        Assert.Equal("chosen", Acceptor.State.Commands[new Slot(1)]);
        Restart();
        Assert.Equal(High, Acceptor.Paxos.Ballot);
    }

    [Fact]
    public void A_committed_slot_is_taken_from_the_senders_ballot()
    {
        Accept(Low, 1, "a");
        Acceptor.Receive(new NodeId(2), new Message.Accept(new Record.Accepted(new Slot(2), Low, Values.Of("b")), new Slot(1)));
        Assert.Equal(new Slot(1), Acceptor.Paxos.Executed);
        Assert.Equal(["a"], Acceptor.State.Commands.Values);
    }

    [Fact]
    public void The_cumulative_answer_stops_at_a_gap_and_at_a_lower_ballot()
    {
        Accept(Low, 1, "a");
        Accept(Low, 3, "c");
        Assert.Equal(new Slot(1), Assert.IsType<Message.Accepted>(_cluster.Wire[^1].Message).Through);
        Accept(Low, 2, "b");
        Assert.Equal(new Slot(3), Assert.IsType<Message.Accepted>(_cluster.Wire[^1].Message).Through);
        Accept(High, 2, "b");
        Assert.Equal(Slot.None, Assert.IsType<Message.Accepted>(_cluster.Wire[^1].Message).Through);
    }

    private void Prepare(Ballot ballot) =>
        Acceptor.Receive(ballot.Node, new Message.Prepare(ballot, new Slot(1), Ballot.None));

    private void Accept(Ballot ballot, long slot, string value) =>
        Acceptor.Receive(ballot.Node, new Message.Accept(new Record.Accepted(new Slot(slot), ballot, Values.Of(value)), Slot.None));

    private void Restart()
    {
        Acceptor.Crash();
        Acceptor.Start();
    }
}
