using Synod.Core;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>A slot goes to those who choose it at once, and to the others a moment later (paxos.md §9).</summary>
public sealed class ThriftTests
{
    private static readonly Duration Moment = Duration.FromMilliseconds(2);

    private readonly TestCluster _cluster = TestCluster.Majority(3, new MultiPaxosOptions { Thrift = Moment });

    public ThriftTests()
    {
        _cluster.StartAll();
        _cluster.Elect(1);
        _cluster.Settle();
    }

    [Fact]
    public void A_slot_is_chosen_by_as_many_as_it_takes_and_the_others_get_all_of_them_together()
    {
        _cluster.Propose(1, "a");
        _cluster.Propose(1, "b");
        Assert.Equal([2, 2], Accepts());
        _cluster.Settle();
        Assert.Equal(["a", "b"], _cluster[1].State.Commands.Values);
        Assert.Empty(_cluster[3].State.Commands);

        _cluster.Advance(Moment);
        Assert.Equal(["a", "b"], _cluster[3].State.Commands.Values);
    }

    [Fact]
    public void Nothing_is_told_later_than_a_moment_after_the_first_that_was_not_told()
    {
        _cluster.Propose(1, "a");
        _cluster.Settle();
        _cluster.Advance(new Duration(Moment.Nanoseconds / 2));
        _cluster.Propose(1, "b");
        _cluster.Settle();
        _cluster.Advance(new Duration(Moment.Nanoseconds / 2));
        Assert.Equal(["a", "b"], _cluster[3].State.Commands.Values);

        _cluster.Advance(Moment);
        Assert.Empty(Accepts());
    }

    [Fact]
    public void A_silent_favourite_costs_a_moment_and_then_its_place()
    {
        _cluster.Propose(1, "a");
        _cluster.Settle(1, 3);
        Assert.Empty(_cluster[1].State.Commands);
        _cluster.Advance(Moment, 1, 3);
        Assert.Equal(["a"], _cluster[1].State.Commands.Values);

        _cluster.Propose(1, "b");
        _cluster.Advance(Moment, 1, 3);
        Assert.Equal(["a", "b"], _cluster[1].State.Commands.Values);

        _cluster.Propose(1, "c");
        Assert.Equal([3], Accepts());
        _cluster.Settle(1, 3);
        Assert.Equal(["a", "b", "c"], _cluster[1].State.Commands.Values);
    }

    [Fact]
    public void A_favourite_that_is_down_is_none()
    {
        _cluster.Submit(1, new Command.PeerDown(new NodeId(2)));
        _cluster.Propose(1, "a");
        _cluster.Advance(Moment, 1, 3);
        _cluster.Propose(1, "b");
        Assert.Equal([3], Accepts());
    }

    [Fact]
    public void A_leader_that_has_ended_tells_nothing_more()
    {
        _cluster.Propose(1, "a");
        _cluster.Wire.Clear();
        _cluster[1].Receive(new NodeId(3), new Message.Reject(_cluster[1].Paxos.Ballot, new Ballot(9, new NodeId(3))));
        Assert.Equal(PaxosRole.Follower, _cluster[1].Paxos.Role);
        Assert.DoesNotContain(_cluster[1].Timers.Keys, timer => timer.Kind == (int)MultiPaxosTimer.Spread);
    }

    [Fact]
    public void Where_all_are_needed_all_are_told()
    {
        var cluster = new TestCluster(new SizedQuorums(TestCluster.Members(3), 1, 3), new MultiPaxosOptions { Thrift = Moment });
        cluster.StartAll();
        cluster.Elect(1);
        cluster.Settle();
        cluster.Propose(1, "a");
        Assert.Equal([2, 3], cluster.Wire.Where(sent => sent.Message is Message.Accept).Select(sent => sent.To.Value));
    }

    private IEnumerable<int> Accepts() => _cluster.Wire.Where(sent => sent.Message is Message.Accept).Select(sent => sent.To.Value);
}
