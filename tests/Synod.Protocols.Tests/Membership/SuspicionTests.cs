using Synod.Core;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Membership.Lone;

namespace Synod.Protocols.Tests.Membership;

using Command = Synod.Protocols.Gossip.Membership.Command;
using Message = Synod.Protocols.Gossip.Membership.Message;
using Record = Synod.Protocols.Gossip.Membership.Record;
using Timer = Synod.Protocols.Gossip.Membership.Timer;

/// <summary>Suspicion, confirmation, refutation, death (gossip.md §2.3 to §2.5).</summary>
public sealed class SuspicionTests
{
    /// <summary>The note's own figures: 100 members, a period of a second.</summary>
    [Theory]
    [InlineData(0, 60.0)]
    [InlineData(1, 35.0)]
    [InlineData(2, 20.4)]
    [InlineData(3, 10.0)]
    public void A_suspicion_shrinks_with_confirmations(int confirmations, double seconds) =>
        Assert.Equal(seconds, Synod.Protocols.Gossip.Membership.SuspicionTime(new MembershipOptions(), 100, confirmations).Nanoseconds / 1e9, 0.05);

    [Fact]
    public void With_too_few_to_confirm_it_lasts_the_least() =>
        Assert.Equal(Duration.FromSeconds(5), Synod.Protocols.Gossip.Membership.SuspicionTime(new MembershipOptions(), 4, 0));

    [Fact]
    public void Each_accuser_counts_once_and_the_first_for_nothing()
    {
        var lone = new Lone(members: 100);
        lone.Tell(C, Suspect(B, 1, C));
        Assert.Equal(60_000, lone.Due(Timer.Suspicion, B)!.Value.Milliseconds);
        lone.Tell(D, Suspect(B, 1, C));
        lone.Tell(C, Suspect(B, 1, C, C));
        lone.Tell(C, Suspect(B, 1, B));
        Assert.Equal(60_000, lone.Due(Timer.Suspicion, B)!.Value.Milliseconds);
        lone.Tell(C, Suspect(B, 1, C, D));
        Assert.Equal(35_000, lone.Due(Timer.Suspicion, B)!.Value.Milliseconds);
        lone.Tell(C, Suspect(B, 1, new NodeId(5)));
        lone.Tell(C, Suspect(B, 1, new NodeId(6)));
        Assert.Equal(10_000, lone.Due(Timer.Suspicion, B)!.Value.Milliseconds);
        lone.Tell(C, Suspect(B, 1, new NodeId(7)));
        Assert.Equal(4, lone.Node.Accusers(B).Count);
    }

    [Fact]
    public void A_confirmation_is_told_on_up_to_k()
    {
        var lone = new Lone(members: 100);
        lone.Tell(C, Suspect(B, 1, C));
        for (var number = 5; number < 10; number++)
        {
            while (lone.Node.NewsCount > 0)
            {
                lone.Fire(Timer.Gossip);
            }

            lone.Tell(D, Suspect(B, 1, new NodeId(number)));
            Assert.Equal(number < 8 ? 1 : 0, lone.Node.NewsCount);
        }
    }

    [Fact]
    public void Own_failed_probes_confirm_what_others_suspect()
    {
        var lone = new Lone(members: 6);
        foreach (var number in Enumerable.Range(2, 5))
        {
            lone.Tell(number == 2 ? C : B, Suspect(new NodeId(number), 1, number == 2 ? C : B));
        }

        var target = lone.FailProbe();
        Assert.Equal([target == B ? C : B, Self], lone.Node.Accusers(target));
    }

    [Fact]
    public void Who_does_not_refute_in_time_is_dead_and_that_is_told()
    {
        var lone = new Lone();
        lone.Tell(C, Suspect(B, 1, C));
        lone.Fire(Timer.Suspicion, B);
        Assert.Equal("Dead n2@1", Assert.IsType<Command.Changed>(lone.Events.Single()).ToString());
        lone.Fire(Timer.Gossip);
        Assert.Contains(lone.Sent[0].Message.Updates, update => update == Dead(B, 1));
        Assert.Equal(4, lone.Node.LiveCount);
    }

    [Fact]
    public void A_refutation_ends_a_suspicion_and_its_timer()
    {
        var lone = new Lone();
        lone.Tell(C, Suspect(B, 1, C));
        lone.Tell(C, Alive(B, 2));
        Assert.Equal(MemberStatus.Alive, lone.StatusOf(B));
        Assert.Null(lone.Due(Timer.Suspicion, B));
    }

    [Theory]
    [InlineData(MemberStatus.Suspect)]
    [InlineData(MemberStatus.Dead)]
    [InlineData(MemberStatus.Left)]
    public void A_node_refutes_what_is_said_of_it_by_a_larger_incarnation(MemberStatus said)
    {
        var lone = new Lone();
        var update = new Update(Self, said, 7, null, 0, said == MemberStatus.Suspect ? [C] : []);
        lone.Tell(C, update);
        Assert.Equal(8, lone.Node.Incarnation);
        Assert.Equal(said == MemberStatus.Left ? 0 : 1, lone.Node.Health);
        lone.Fire(Timer.Gossip);
        Assert.Contains(lone.Sent[0].Message.Updates, item => item.ToString() == "Alive n1@8");
    }

    [Fact]
    public void What_was_refuted_already_is_answered_to_whoever_tells_it_and_raises_nothing()
    {
        var lone = new Lone();
        lone.Tell(C, Suspect(Self, 4, C));
        lone.Tell(D, Suspect(Self, 3, C));
        Assert.Equal(5, lone.Node.Incarnation);
        Assert.Equal("Alive n1@5", lone.Sent.Single(sent => sent.To == D).Message.Updates.Single().ToString());
    }

    [Fact]
    public void A_suspect_is_told_with_the_next_ping_even_if_the_news_is_old()
    {
        var lone = new Lone(members: 2);
        var target = lone.FailProbe();
        Assert.Contains(lone.All<Message.Ping>().Single().Updates, update => update == Suspect(target, 1, Self) || update.Member == target);
        while (lone.Node.NewsCount > 0)
        {
            lone.Fire(Timer.Gossip);
        }

        lone.Fire(Timer.Timeout);
        lone.Fire(Timer.Period);
        Assert.Contains(lone.All<Message.Ping>().Single().Updates, update => update.Member == target && update.Status == MemberStatus.Suspect);
    }

    [Fact]
    public void The_dead_who_ping_are_told_that_they_are_dead()
    {
        var lone = new Lone();
        lone.Tell(C, Dead(B, 1));
        while (lone.Node.NewsCount > 0)
        {
            lone.Fire(Timer.Gossip);
        }

        lone.Receive(B, new Message.Ping(Self, 1));
        Assert.Equal(Dead(B, 1), lone.All<Message.Ack>().Single().Updates.Single());
    }

    [Fact]
    public void An_incarnation_is_durable_before_it_is_used_and_one_record_is_good_for_many()
    {
        var lone = new Lone(new MembershipOptions { IncarnationReserve = 4 });
        lone.Tell(C, Suspect(Self, 1, C));
        Assert.Empty(lone.Records);
        lone.Tell(C, Suspect(Self, 4, C));
        Assert.Equal(new Record.Reserved(8), lone.Records.Single());
    }

    [Fact]
    public void A_restarted_node_exceeds_its_past_by_its_disk_and_by_its_clock()
    {
        var lone = new Lone(records: [new Record.Reserved(64)]);
        Assert.Equal(65, lone.Node.Incarnation);
        lone.Fire(Timer.Gossip);
        Assert.Contains(lone.Sent[0].Message.Updates, item => item.ToString() == "Alive n1@65");
        Assert.Equal(9_000, new Lone(records: [new Record.Reserved(64)], clock: 9_000).Node.Incarnation);
        Assert.Equal(65, new Lone(records: [new Record.Reserved(64)], clock: 50).Node.Incarnation);
    }

    [Fact]
    public void A_wiped_node_begins_at_the_clock_or_refutes()
    {
        var lone = new Lone(isNamed: false, clock: 5_000);
        lone.Submit(new Command.Join([B]));
        lone.Receive(B, new Message.Sync(Synod.Protocols.Gossip.Membership.SyncKind.Reply) { Updates = [Alive(B, 1), Alive(Self, 4_000)] });
        Assert.Equal(5_000, lone.Node.Incarnation);

        // Named by the roster it begins where the roster says, and hears of its past.
        var named = new Lone();
        named.Receive(B, new Message.Ack(1));
        named.Tell(B, Dead(Self, 40));
        Assert.Equal(41, named.Node.Incarnation);
    }
}
