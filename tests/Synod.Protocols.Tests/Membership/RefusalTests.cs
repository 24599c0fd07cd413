using Synod.Core;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Membership.Lone;

namespace Synod.Protocols.Tests.Membership;

using Message = Synod.Protocols.Gossip.Membership.Message;

/// <summary>What peers may not do, even with the cluster's key.</summary>
public sealed class RefusalTests
{
    private const long Day = 24 * 3_600 * 1_000;

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public void An_incarnation_far_ahead_of_the_clock_is_forged(int about)
    {
        var lone = new Lone(clock: 1_000);
        var member = new NodeId(about);
        lone.Tell(C, Suspect(member, 1_000 + Day + 1, C), Dead(member, long.MaxValue >> 2), Alive(member, 1_001 + Day));
        Assert.Equal([Refusal.Forged, Refusal.Forged, Refusal.Forged], lone.Refusals);
        Assert.Equal(1, lone.Node.Find(member)!.Value.Incarnation);
        lone.Tell(C, Suspect(member, 1_000 + Day, C));
        Assert.Empty(lone.Refusals);
    }

    [Fact]
    public void Hearsay_about_strangers_makes_no_members()
    {
        var lone = new Lone();
        lone.Tell(C, Suspect(new NodeId(77), 1, C), Dead(new NodeId(78), 1), Left(new NodeId(79), 1));
        Assert.Equal([Refusal.Unknown, Refusal.Unknown, Refusal.Unknown], lone.Refusals);
        Assert.Equal(5, lone.Node.Members.Count());
    }

    [Fact]
    public void More_members_than_allowed_are_refused()
    {
        var lone = new Lone(new MembershipOptions { MaxMembers = 6 });
        lone.Tell(C, Alive(new NodeId(10), 1), Alive(new NodeId(11), 1));
        Assert.Equal([Refusal.Malformed], lone.Refusals);
        Assert.Equal(6, lone.Node.LiveCount);
    }

    [Fact]
    public void A_datagram_with_more_news_than_fits_into_one_is_refused_whole()
    {
        var lone = new Lone();
        lone.Tell(C, [.. Enumerable.Repeat(Dead(B, 1), 467)]);
        Assert.Equal([Refusal.Malformed], lone.Refusals);
        Assert.Equal(MemberStatus.Alive, lone.StatusOf(B));
    }

    [Fact]
    public void Replayed_messages_change_nothing()
    {
        var lone = new Lone();
        Message[] past =
        [
            new Message.Gossip { Updates = [Suspect(B, 1, C)] },
            new Message.Gossip { Updates = [Dead(B, 1)] },
            new Message.Gossip { Updates = [Alive(B, 2)] },
            new Message.Nack(0),
            new Message.Ack(0),
        ];
        foreach (var message in past)
        {
            lone.Receive(C, message);
        }

        foreach (var message in past)
        {
            lone.Receive(C, message);
            Assert.Empty(lone.Events);
        }

        Assert.Equal("Alive n2@2", lone.Node.Find(B).ToString());
    }

    [Fact]
    public void Requests_to_ping_strangers_or_too_many_are_refused()
    {
        var lone = new Lone();
        lone.Receive(C, new Message.PingReq(new NodeId(77), 1));
        Assert.Equal([Refusal.Unknown], lone.Refusals);
        for (var number = 0; number < 256; number++)
        {
            lone.Receive(C, new Message.PingReq(B, number));
            Assert.Empty(lone.Refusals);
        }

        lone.Receive(C, new Message.PingReq(B, 999));
        Assert.Equal([Refusal.NotReady], lone.Refusals);
    }
}
