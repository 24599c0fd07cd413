using Synod.Core;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>Reads without clocks (paxos.md §5), handing over, falling silent, and what a leader refuses.</summary>
public sealed class LeaderTests
{
    private readonly TestCluster _cluster = TestCluster.Majority(3);

    public LeaderTests()
    {
        _cluster.StartAll();
        _cluster.Elect(1);
    }

    [Fact]
    public void A_follower_names_the_leader()
    {
        Assert.Equal(new Result.NotLeader(new NodeId(1)), _cluster.Answers[_cluster.Propose(2, "a")]);
        Assert.Equal(new Result.NotLeader(new NodeId(1)), _cluster.Answers[_cluster.Submit(2, new Command.ReadIndex())]);
    }

    [Fact]
    public void A_full_pipeline_refuses()
    {
        var cluster = TestCluster.Majority(3, new MultiPaxosOptions { MaxInFlight = 2 });
        cluster.StartAll();
        cluster.Elect(1);
        cluster.Propose(1, "a");
        cluster.Propose(1, "b");
        Assert.Equal(new Result.Unavailable(UnavailableReason.PipelineFull), cluster.Answers[cluster.Propose(1, "c")]);
        cluster.Settle();
        Assert.Equal(["a", "b"], cluster[1].State.Commands.Values);
    }

    [Fact]
    public void A_read_waits_for_a_round_that_began_after_it()
    {
        _cluster.Propose(1, "a");
        _cluster.Settle();
        var first = _cluster.Submit(1, new Command.ReadIndex());
        var second = _cluster.Submit(1, new Command.ReadIndex());
        Assert.Single(_cluster.Wire, sent => sent.Message is Message.Heartbeat && sent.To.Value == 2);
        _cluster.Deliver(1, 2, message => message is Message.Heartbeat);
        _cluster.Deliver(2, 1, message => message is Message.HeartbeatAck);
        Assert.Equal(new Result.ReadReady(new Slot(2)), _cluster.Answers[first]);
        Assert.DoesNotContain(second, _cluster.Answers);
        _cluster.Settle();
        Assert.Equal(new Result.ReadReady(new Slot(2)), _cluster.Answers[second]);
    }

    [Fact]
    public void A_deposed_leader_answers_no_read()
    {
        var read = _cluster.Submit(1, new Command.ReadIndex());
        _cluster.Settle(1);
        Assert.DoesNotContain(read, _cluster.Answers);
        _cluster[1].Receive(new NodeId(2), new Message.Reject(_cluster[1].Paxos.Ballot, new Ballot(9, new NodeId(2))));
        Assert.IsType<Result.NotLeader>(_cluster.Answers[read]);
    }

    [Fact]
    public void A_read_at_a_new_leader_waits_for_its_barrier()
    {
        var cluster = TestCluster.Majority(3, new MultiPaxosOptions { LeasesEnabled = false, PreVoteEnabled = false });
        cluster.StartAll();
        cluster.Submit(1, new Command.Campaign());
        cluster.Deliver(1, 2);
        cluster.Deliver(1, 1);
        cluster.Deliver(2, 1);
        Assert.Equal(PaxosRole.Leader, cluster[1].Paxos.Role);
        var read = cluster.Submit(1, new Command.ReadIndex());
        cluster.Deliver(1, 2, message => message is Message.Heartbeat { Round: 2 });
        cluster.Deliver(2, 1, message => message is Message.HeartbeatAck);
        Assert.DoesNotContain(read, cluster.Answers);
        cluster.Settle();
        Assert.Equal(new Result.ReadReady(Slot.None), cluster.Answers[read]);
    }

    [Fact]
    public void Leadership_passes_at_once_and_the_lease_with_it()
    {
        Assert.True(_cluster[1].HoldsLease);
        var transfer = _cluster.Submit(1, new Command.Transfer(new NodeId(2)));
        Assert.Equal(new Result.Transferred(new NodeId(2)), _cluster.Answers[transfer]);
        Assert.False(_cluster[1].HoldsLease);
        _cluster.Settle();
        Assert.True(_cluster[2].Paxos.IsReady);
        Assert.True(_cluster[2].HoldsLease);
        Assert.Equal(new NodeId(2), _cluster[1].Paxos.Leader);
    }

    [Fact]
    public void Handing_over_waits_for_the_successor_and_refuses_proposals()
    {
        _cluster.Propose(1, "a");
        var transfer = _cluster.Submit(1, new Command.Transfer(new NodeId(3)));
        Assert.DoesNotContain(transfer, _cluster.Answers);
        Assert.Equal(new Result.Unavailable(UnavailableReason.Transferring), _cluster.Answers[_cluster.Propose(1, "b")]);
        _cluster.Settle();
        Assert.Equal(new Result.Transferred(new NodeId(3)), _cluster.Answers[transfer]);
        Assert.True(_cluster[3].Paxos.IsReady);
        Assert.Equal(["a"], _cluster[3].State.Commands.Values);
    }

    [Fact]
    public void Handing_over_to_a_dead_node_is_abandoned()
    {
        _cluster[3].Crash();
        _cluster.Propose(1, "a");
        var transfer = _cluster.Submit(1, new Command.Transfer(new NodeId(3)));
        _cluster.Advance(Duration.FromSeconds(2));
        Assert.Equal(new Result.Unavailable(UnavailableReason.TransferAbandoned), _cluster.Answers[transfer]);
        _cluster.Propose(1, "b");
        _cluster.Settle();
        Assert.Equal(["a", "b"], _cluster[1].State.Commands.Values);
    }

    [Fact]
    public void An_idle_group_falls_silent_and_wakes_for_work()
    {
        _cluster.Advance(Duration.FromSeconds(5));
        Assert.All(_cluster.Replicas.Values, replica =>
        {
            Assert.True(replica.Paxos.IsQuiescent);
            Assert.Empty(replica.Timers);
        });
        Assert.False(_cluster[1].HoldsLease);

        var lease = _cluster.Submit(1, new Command.AcquireLease());
        _cluster.Propose(1, "a");
        _cluster.Settle();
        Assert.IsType<Result.LeaseHeld>(_cluster.Answers[lease]);
        Assert.Equal(["a"], _cluster[1].State.Commands.Values);
        Assert.All(_cluster.Replicas.Values, replica => Assert.False(replica.Paxos.IsQuiescent));
    }

    [Fact]
    public void A_silent_group_elects_when_its_leader_is_reported_down()
    {
        _cluster.Advance(Duration.FromSeconds(5));
        _cluster[1].Crash();
        _cluster.Submit(2, new Command.PeerDown(new NodeId(1)));
        _cluster.Submit(3, new Command.PeerDown(new NodeId(1)));
        _cluster.Advance(Duration.FromMilliseconds(500));
        Assert.Contains(_cluster.Replicas.Values, replica => replica.IsUp && replica.Paxos.IsReady);
    }

    [Fact]
    public void A_restarted_member_wakes_a_silent_group()
    {
        _cluster.Advance(Duration.FromSeconds(5));
        _cluster[3].Crash();
        _cluster[3].Start();
        _cluster.Advance(Duration.FromMilliseconds(2_500));
        Assert.Equal(new NodeId(1), _cluster[3].Paxos.Leader);
        Assert.Equal(PaxosRole.Leader, _cluster[1].Paxos.Role);
    }

    [Fact]
    public void State_survives_a_visit()
    {
        _cluster.Submit(1, new Command.ReadIndex());
        _cluster.Propose(1, "a");
        foreach (var replica in _cluster.Replicas.Values)
        {
            replica.Clone();
        }

        _cluster.Settle();
        Assert.Equal(["a"], _cluster[1].State.Commands.Values);
    }
}
