using Synod.Core;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Membership.Lone;

namespace Synod.Protocols.Tests.Membership;

using Command = Synod.Protocols.Gossip.Membership.Command;
using Message = Synod.Protocols.Gossip.Membership.Message;
using SyncKind = Synod.Protocols.Gossip.Membership.SyncKind;
using Timer = Synod.Protocols.Gossip.Membership.Timer;

/// <summary>Comparison of tables, the dead and their return (gossip.md §2.2, §2.5, §11).</summary>
public sealed class SyncTests
{
    [Fact]
    public void Equal_tables_cost_a_digest_and_different_ones_are_exchanged_over_a_stream()
    {
        var (one, other) = (new Lone(), new Lone());
        one.Fire(Timer.Sync);
        var digest = one.All<Message.Digest>().Single();
        other.Receive(B, digest);
        Assert.Empty(other.Sent);

        var third = new Lone(members: 6);
        third.Receive(B, digest);
        var push = third.All<Message.Sync>().Single();
        Assert.Equal((SyncKind.Push, 6, Transport.Stream), (push.Kind, push.Updates.Length, push.Transport));
        one.Receive(B, push with { Updates = [.. push.Updates.Where(update => update.Member != Self)] });
        Assert.Equal(6, one.Node.LiveCount);
        Assert.Equal(SyncKind.Reply, one.All<Message.Sync>().Single().Kind);
    }

    /// <summary>Nobody sends to the address of the one that the others do not hold for the holder: it hears of the other here or never.</summary>
    [Fact]
    public void Two_of_one_name_at_one_incarnation_are_a_difference()
    {
        var (one, other) = (new Lone(members: 2), new Lone(members: 2));
        one.Tell(B, Alive(C, 7, "here"));
        other.Tell(B, Alive(C, 7, "there"));
        while (one.Due(Timer.Gossip) is not null)
        {
            one.Fire(Timer.Gossip);
        }

        one.Fire(Timer.Sync);
        while (other.Due(Timer.Gossip) is not null)
        {
            other.Fire(Timer.Gossip);
        }

        other.Receive(B, one.All<Message.Digest>().Single());
        Assert.Contains(other.All<Message.Sync>().Single().Updates, row => row.Member == C && row.Description!.HasAddressOf(MemberDescription.At("there")));
    }

    [Fact]
    public void A_whole_table_is_pushed_at_most_once_in_a_period()
    {
        var lone = new Lone();
        lone.Receive(B, new Message.Digest(1));
        Assert.Single(lone.Sent);
        lone.Receive(C, new Message.Digest(2));
        Assert.Equal([Refusal.NotReady], lone.Refusals);
        lone.Pass(Duration.FromSeconds(1));
        lone.Receive(C, new Message.Digest(2));
        Assert.Single(lone.Sent);
    }

    [Fact]
    public void While_news_is_under_way_tables_are_not_compared_but_not_for_ever()
    {
        var lone = new Lone();
        lone.Tell(C, Suspect(B, 1, C));
        lone.Fire(Timer.Sync);
        Assert.Empty(lone.Sent);
        lone.Fire(Timer.Sync);
        Assert.Empty(lone.Sent);
        lone.Fire(Timer.Sync);
        Assert.Single(lone.All<Message.Digest>());
    }

    [Fact]
    public void A_table_that_calls_the_living_dead_is_an_accusation_only()
    {
        var lone = new Lone();
        lone.Receive(D, new Message.Sync(SyncKind.Push) { Updates = [Dead(B, 1)] });
        Assert.Equal(MemberStatus.Suspect, lone.StatusOf(B));
        Assert.Equal([D], lone.Node.Accusers(B));
        lone.Fire(Timer.Suspicion, B);
        Assert.Equal(MemberStatus.Dead, lone.StatusOf(B));
    }

    [Fact]
    public void Nobody_takes_over_the_dead_that_he_never_knew()
    {
        var lone = new Lone();
        lone.Receive(D, new Message.Sync(SyncKind.Push) { Updates = [Dead(new NodeId(9), 1)] });
        Assert.Null(lone.StatusOf(new NodeId(9)));
        Assert.Empty(lone.Refusals);
    }

    [Fact]
    public void The_dead_and_missing_seeds_are_tried_now_and_then_and_hear_what_is_said_of_them()
    {
        var lone = new Lone(new MembershipOptions { Seeds = [Self, B, new NodeId(9)] });
        lone.Tell(C, Dead(C, 1));
        lone.Choices.Enqueue(0);
        lone.Fire(Timer.Contact);
        Assert.Equal(C, lone.Sent.Single().To);
        Assert.Contains(Dead(C, 1), lone.All<Message.Digest>().Single().Updates);
        lone.Choices.Enqueue(1);
        lone.Fire(Timer.Contact);
        Assert.Equal(new NodeId(9), lone.Sent.Single().To);
    }

    [Fact]
    public void The_dead_are_remembered_for_a_while_and_then_forgotten()
    {
        var lone = new Lone(new MembershipOptions { DeadRetention = Duration.FromSeconds(100) });
        lone.Tell(C, Dead(B, 1));
        lone.Pass(Duration.FromSeconds(50));
        lone.Tell(C, Dead(D, 1));
        lone.Tell(C, Alive(B, 1));
        Assert.Equal(MemberStatus.Dead, lone.StatusOf(B));
        lone.Fire(Timer.Reclaim);
        Assert.Equal(new Command.Reclaimed(B), lone.Events.Single());
        Assert.Null(lone.StatusOf(B));
        Assert.Equal(MemberStatus.Dead, lone.StatusOf(D));
        Assert.Equal(Duration.FromSeconds(50), lone.Due(Timer.Reclaim));
    }

    [Fact]
    public void A_rejoin_needs_a_larger_incarnation_and_ends_the_waiting()
    {
        var lone = new Lone();
        lone.Tell(C, Dead(B, 5));
        lone.Tell(C, Alive(B, 5));
        Assert.Equal(MemberStatus.Dead, lone.StatusOf(B));
        lone.Tell(C, Alive(B, 6));
        Assert.Equal((MemberStatus.Alive, 5), (lone.StatusOf(B), lone.Node.LiveCount));
        lone.Fire(Timer.Contact);
        Assert.Empty(lone.Sent);
    }

    [Fact]
    public void Places_of_the_forgotten_are_used_again()
    {
        var lone = new Lone(new MembershipOptions { DeadRetention = Duration.FromSeconds(1) }, members: 3);
        for (var number = 10; number < 60; number++)
        {
            lone.Tell(C, Alive(new NodeId(number), 1));
            Assert.Equal(4, lone.Node.LiveCount);
            lone.Tell(C, Dead(new NodeId(number), 1));
            lone.Fire(Timer.Reclaim);
        }

        Assert.Equal(3, lone.Node.Members.Count());
    }
}
