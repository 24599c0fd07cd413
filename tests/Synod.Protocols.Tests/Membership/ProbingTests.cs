using Synod.Core;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Membership.Lone;

namespace Synod.Protocols.Tests.Membership;

using Message = Synod.Protocols.Gossip.Membership.Message;
using Timer = Synod.Protocols.Gossip.Membership.Timer;

/// <summary>The failure detector (gossip.md §2.2) and local health (§2.4).</summary>
public sealed class ProbingTests
{
    [Fact]
    public void Every_member_is_probed_once_in_a_round_and_rounds_differ()
    {
        var lone = new Lone(members: 9);
        var rounds = new List<string>();
        for (var round = 0; round < 6; round++)
        {
            lone.Choices.Clear();
            lone.Choices.Enqueue(0);
            lone.Choices.Enqueue(round * 7_919 + 1);
            List<NodeId> order = [];
            for (var turn = 0; turn < 8; turn++)
            {
                var ping = lone.BeginProbe();
                order.Add(ping.Target);
                lone.Receive(ping.Target, new Message.Ack(ping.Sequence));
            }

            Assert.Equal(8, order.Distinct().Count());
            rounds.Add(string.Join(" ", order));
        }

        Assert.True(rounds.Distinct().Count() > 3);
    }

    [Fact]
    public void The_order_is_a_permutation_whatever_the_size()
    {
        foreach (var size in new[] { 1, 2, 3, 4, 5, 16, 17, 1_000, 4_097 })
        {
            for (var key = 0; key < 3; key++)
            {
                Assert.Equal(Enumerable.Range(0, size), Enumerable.Range(0, size).Select(index => ProbeOrder.Permute(index, size, key * 77_777)).Order());
            }
        }
    }

    [Fact]
    public void One_who_joins_during_a_round_is_still_probed_in_it()
    {
        var lone = new Lone(members: 6);
        var first = lone.BeginProbe();
        lone.Receive(first.Target, new Message.Ack(first.Sequence));
        lone.Tell(C, Alive(new NodeId(9), 1));
        var probed = new List<NodeId>();
        for (var turn = 0; turn < 5; turn++)
        {
            lone.Choices.Clear();
            probed.Add(lone.BeginProbe().Target);
            lone.Receive(probed[^1], new Message.Ack(lone.All<Message.Ping>().Single().Sequence));
        }

        Assert.Contains(new NodeId(9), probed);
    }

    [Fact]
    public void Without_an_answer_in_time_helpers_are_asked_and_a_stream_is_tried()
    {
        var lone = new Lone();
        var ping = lone.BeginProbe();
        Assert.Equal(Transport.Datagram, ping.Transport);
        Assert.Equal(Duration.FromMilliseconds(500), lone.Due(Timer.Timeout));
        lone.Fire(Timer.Timeout);
        Assert.Equal(3, lone.All<Message.PingReq>().Count(request => request.Target == ping.Target && request.Sequence == ping.Sequence));
        Assert.DoesNotContain(lone.Sent, sent => sent.Message is Message.PingReq && sent.To == ping.Target);
        Assert.Equal(Transport.Stream, lone.All<Message.Ping>().Single().Transport);
        lone.Fire(Timer.Period);
        Assert.Equal(MemberStatus.Suspect, lone.StatusOf(ping.Target));
        Assert.Equal([Self], lone.Node.Accusers(ping.Target));
    }

    [Theory]
    [InlineData("target")]
    [InlineData("helper")]
    public void An_answer_from_the_target_or_by_a_helper_ends_the_probe(string by)
    {
        var lone = new Lone();
        var ping = lone.BeginProbe();
        lone.Fire(Timer.Timeout);
        var helper = lone.Sent.First(sent => sent.Message is Message.PingReq).To;
        lone.Receive(by == "target" ? ping.Target : helper, new Message.Ack(ping.Sequence));
        Assert.Empty(lone.Refusals);
        lone.Fire(Timer.Period);
        Assert.Equal(MemberStatus.Alive, lone.StatusOf(ping.Target));
    }

    [Fact]
    public void An_answer_in_time_asks_nobody()
    {
        var lone = new Lone();
        var ping = lone.BeginProbe();
        lone.Receive(ping.Target, new Message.Ack(ping.Sequence));
        Assert.Null(lone.Due(Timer.Timeout));
    }

    [Fact]
    public void Old_answers_and_those_of_others_count_for_nothing()
    {
        var lone = new Lone(members: 9);
        var ping = lone.BeginProbe();
        lone.Receive(ping.Target, new Message.Ack(ping.Sequence - 1) { Updates = [Alive(B, 7)] });
        Assert.Equal([Refusal.Unexpected], lone.Refusals);
        lone.Receive(Other(ping.Target), new Message.Ack(ping.Sequence));
        Assert.Equal([Refusal.Unexpected], lone.Refusals);
        lone.Receive(ping.Target, new Message.Ack(ping.Sequence));
        Assert.Empty(lone.Refusals);
        lone.Receive(ping.Target, new Message.Ack(ping.Sequence));
        Assert.Equal([Refusal.Unexpected], lone.Refusals);
        Assert.Equal(1, lone.Node.Find(B)!.Value.Incarnation);
    }

    [Fact]
    public void A_helper_relays_the_answer_to_whoever_asked()
    {
        var lone = new Lone();
        lone.Receive(C, new Message.PingReq(B, 500));
        var ping = lone.All<Message.Ping>().Single();
        Assert.Equal(B, ping.Target);
        lone.Receive(D, new Message.Ack(ping.Sequence));
        Assert.Equal([Refusal.Unexpected], lone.Refusals);
        lone.Receive(B, new Message.Ack(ping.Sequence));
        Assert.Equal((C, 500), (lone.Sent.Single().To, lone.All<Message.Ack>().Single().Sequence));
        Assert.Null(lone.Due(Timer.Relay));
    }

    [Fact]
    public void A_helper_that_hears_nothing_says_so_at_80_percent_of_the_timeout_and_still_relays_a_late_answer()
    {
        var lone = new Lone();
        lone.Receive(C, new Message.PingReq(B, 500));
        var ping = lone.All<Message.Ping>().Single();
        var asked = lone.Now;
        lone.Fire(Timer.Relay);
        Assert.Equal(Duration.FromMilliseconds(400), lone.Now - asked);
        Assert.Equal((C, 500), (lone.Sent.Single().To, lone.All<Message.Nack>().Single().Sequence));
        lone.Receive(B, new Message.Ack(ping.Sequence));
        Assert.Equal(500, lone.All<Message.Ack>().Single().Sequence);
    }

    [Fact]
    public void A_failed_probe_without_helpers_and_each_missing_nack_hurts_health_and_an_answer_heals_it()
    {
        var two = new Lone(members: 2);
        two.FailProbe();
        Assert.Equal(1, two.Node.Health);

        var lone = new Lone();
        lone.BeginProbe();
        lone.Fire(Timer.Timeout);
        var requests = lone.Sent.Where(sent => sent.Message is Message.PingReq).ToList();
        var sequence = ((Message.PingReq)requests[0].Message).Sequence;
        lone.Receive(requests[0].To, new Message.Nack(sequence));
        Assert.Empty(lone.Refusals);
        lone.Receive(requests[0].To, new Message.Nack(sequence));
        Assert.Equal([Refusal.Unexpected], lone.Refusals);
        lone.Fire(Timer.Period);
        Assert.Equal(2, lone.Node.Health);
        var next = lone.All<Message.Ping>().Single();
        lone.Receive(next.Target, new Message.Ack(next.Sequence));
        Assert.Equal(1, lone.Node.Health);
    }

    [Fact]
    public void Whoever_hears_nacks_from_all_helpers_does_not_doubt_itself()
    {
        var lone = new Lone();
        var ping = lone.BeginProbe();
        lone.Fire(Timer.Timeout);
        foreach (var helper in lone.Sent.Where(sent => sent.Message is Message.PingReq).Select(sent => sent.To).ToList())
        {
            lone.Receive(helper, new Message.Nack(ping.Sequence));
        }

        lone.Fire(Timer.Period);
        Assert.Equal(0, lone.Node.Health);
        Assert.Equal(MemberStatus.Suspect, lone.StatusOf(ping.Target));
    }

    [Fact]
    public void Bad_health_stretches_period_and_timeout()
    {
        var lone = new Lone(new MembershipOptions { WorstHealth = 2 });
        lone.FailProbe();
        Assert.Equal(2, lone.Node.Health);
        Assert.Equal(Duration.FromMilliseconds(1_500), lone.Due(Timer.Timeout));
        Assert.InRange(lone.Due(Timer.Period)!.Value.Milliseconds, 2_850, 3_150);
        lone.Fire(Timer.Timeout);
        lone.Fire(Timer.Period);
        Assert.Equal(2, lone.Node.Health);
    }

    [Fact]
    public void A_node_that_sleeps_over_its_timeouts_gives_the_target_its_time_all_the_same()
    {
        var lone = new Lone();
        var ping = lone.BeginProbe();
        lone.Fire(Timer.Timeout, late: Duration.FromSeconds(20));
        Assert.Equal(Duration.FromMilliseconds(500), lone.Due(Timer.Period));

        // The other order of two timers that are both late.
        var other = new Lone();
        ping = other.BeginProbe();
        other.Pass(Duration.FromSeconds(20));
        other.Fire(Timer.Period);
        Assert.Equal(3, other.All<Message.PingReq>().Count());
        Assert.Equal(MemberStatus.Alive, other.StatusOf(ping.Target));
        Assert.Equal(Duration.FromMilliseconds(500), other.Due(Timer.Period));
    }

    [Fact]
    public void A_ping_for_another_name_is_not_answered()
    {
        var lone = new Lone();
        lone.Receive(B, new Message.Ping(C, 4));
        Assert.Empty(lone.Sent);
        Assert.Equal([Refusal.Unexpected], lone.Refusals);
        lone.Receive(B, new Message.Ping(Self, 4, Transport.Stream));
        Assert.Equal(Transport.Stream, lone.All<Message.Ack>().Single().Transport);
    }

    [Fact]
    public void The_dead_are_not_probed()
    {
        var lone = new Lone(members: 4);
        lone.Tell(C, Dead(B, 1));
        for (var turn = 0; turn < 6; turn++)
        {
            var ping = lone.BeginProbe();
            Assert.NotEqual(B, ping.Target);
            lone.Receive(ping.Target, new Message.Ack(ping.Sequence));
        }
    }

    private static NodeId Other(NodeId than) => than == C ? D : C;
}
