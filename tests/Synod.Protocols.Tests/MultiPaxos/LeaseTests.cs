using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>spanner.md §3 and time.md §5: who may hold a lease, and what binds the others.</summary>
public sealed class LeaseTests
{
    private static readonly Duration Length = Duration.FromSeconds(2);
    private static readonly Ballot Holder = new(3, new NodeId(2));
    private readonly TestCluster _cluster = TestCluster.Majority(3);

    public LeaseTests() => _cluster.StartAll();

    private Replica Voter => _cluster[1];

    [Fact]
    public void A_vote_waits_for_its_record()
    {
        _cluster.AutoFsync = false;
        AskForVote();
        Assert.Empty(_cluster.Wire);
        Voter.Fsync();
        Assert.True(Assert.IsType<Message.HeartbeatAck>(Assert.Single(_cluster.Wire).Message).LeaseFrom > Timestamp.Zero);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(2)]
    public void A_vote_refuses_every_other_ballot_until_it_has_passed_for_certain(int candidate)
    {
        AskForVote();
        Assert.False(IsPromised(new Ballot(9, new NodeId(candidate)), Ballot.None));
        _cluster.Now += Length.Nanoseconds + _cluster.ClockBound.Nanoseconds;
        Assert.False(IsPromised(new Ballot(10, new NodeId(candidate)), Ballot.None));
        _cluster.Now += _cluster.ClockBound.Nanoseconds + 1;
        Assert.True(IsPromised(new Ballot(11, new NodeId(candidate)), Ballot.None));
    }

    [Fact]
    public void A_vote_binds_after_a_restart()
    {
        AskForVote();
        Voter.Crash();
        Voter.Start();
        Assert.False(IsPromised(new Ballot(9, new NodeId(3)), Ballot.None));
        Assert.Contains(Refusal.LeaseHeld, Voter.Refusals);
    }

    [Fact]
    public void A_vote_binds_pre_votes_too()
    {
        AskForVote();
        _cluster.Now += Duration.FromMilliseconds(1_500).Nanoseconds;
        _cluster.Wire.Clear();
        Voter.Receive(new NodeId(3), new Message.PreVote(new Ballot(9, new NodeId(3)), Slot.None));
        Assert.Empty(_cluster.Wire);
        Assert.Equal(Refusal.LeaseHeld, Voter.Refusals[^1]);
    }

    [Fact]
    public void A_released_ballot_binds_nobody()
    {
        AskForVote();
        Assert.False(IsPromised(new Ballot(9, new NodeId(3)), new Ballot(2, new NodeId(2))));
        Assert.True(IsPromised(new Ballot(9, new NodeId(3)), Holder));
    }

    [Fact]
    public void An_untrusted_clock_gives_no_vote()
    {
        Voter.Clock = ClockStatus.Unknown;
        AskForVote();
        Assert.Equal(Timestamp.Zero, Assert.IsType<Message.HeartbeatAck>(Assert.Single(_cluster.Wire).Message).LeaseFrom);
    }

    [Fact]
    public void An_untrusted_clock_neither_leads_nor_stands()
    {
        _cluster.Elect(1);
        _cluster[1].Clock = ClockStatus.Unknown;
        Assert.False(_cluster[1].HoldsLease);
        _cluster.Advance(Duration.FromMilliseconds(100));
        Assert.Equal(PaxosRole.Follower, _cluster[1].Paxos.Role);
        Assert.NotEqual(1, _cluster.AwaitLeader().Id.Value);
    }

    [Fact]
    public void A_lease_needs_a_replicating_quorum()
    {
        _cluster.Elect(1);
        _cluster.Advance(Duration.FromSeconds(5));
        Assert.True(_cluster[1].Paxos.IsQuiescent);
        var request = _cluster.Submit(1, new Command.AcquireLease());
        _cluster.Settle(1);
        Assert.False(_cluster[1].HoldsLease);
        Assert.DoesNotContain(request, _cluster.Answers);
        _cluster.Advance(Duration.FromMilliseconds(200), 1, 2);
        Assert.True(_cluster[1].HoldsLease);
        Assert.IsType<Result.LeaseHeld>(_cluster.Answers[request]);
    }

    /// <summary>Scenario 3: the clock, not the process, decides.</summary>
    [Fact]
    public void A_paused_leader_holds_nothing_when_it_wakes()
    {
        _cluster.Elect(1);
        Assert.True(_cluster[1].HoldsLease);
        _cluster.Now += Duration.FromSeconds(3).Nanoseconds;
        Assert.False(_cluster[1].HoldsLease);
    }

    [Fact]
    public void Successive_leases_are_disjoint()
    {
        _cluster.Elect(1);
        var first = _cluster[1].Paxos.Lease;
        Assert.True(first.End > first.Start);
        _cluster[1].Crash();
        var next = _cluster.AwaitLeader();
        _cluster.Advance(Duration.FromMilliseconds(200));
        Assert.True(next.Paxos.Lease.Start > first.End);
    }

    [Fact]
    public void A_restarted_leader_does_not_go_on_with_its_lease()
    {
        _cluster.Elect(1);
        var end = _cluster[1].Paxos.Lease.End;
        _cluster[1].Crash();
        _cluster[1].Start();
        _cluster.Submit(1, new Command.Campaign());
        _cluster.Settle();
        Assert.Equal(PaxosRole.Follower, _cluster[1].Paxos.Role);
        Assert.True(_cluster.AwaitLeader().Paxos.Lease.Start > end || _cluster.Now > end.Nanoseconds);
    }

    [Fact]
    public void Without_leases_there_is_none()
    {
        var cluster = TestCluster.Majority(3, new MultiPaxosOptions { LeasesEnabled = false });
        cluster.StartAll();
        cluster.Elect(1);
        var request = cluster.Submit(1, new Command.AcquireLease());
        Assert.Equal(new Result.Unavailable(UnavailableReason.LeasesDisabled), cluster.Answers[request]);
        Assert.False(cluster[1].HoldsLease);
    }

    private void AskForVote() => Voter.Receive(
        Holder.Node, new Message.Heartbeat(Holder, Slot.None, 1, new Timestamp(_cluster.Now), Length));

    private bool IsPromised(Ballot ballot, Ballot released)
    {
        _cluster.Wire.Clear();
        Voter.Receive(ballot.Node, new Message.Prepare(ballot, new Slot(1), released));
        return _cluster.Wire.Exists(sent => sent.Message is Message.Promise);
    }
}
