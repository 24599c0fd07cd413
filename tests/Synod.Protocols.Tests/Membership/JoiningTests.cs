using Synod.Core;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Membership.Lone;

namespace Synod.Protocols.Tests.Membership;

using Command = Synod.Protocols.Gossip.Membership.Command;
using Message = Synod.Protocols.Gossip.Membership.Message;
using Result = Synod.Protocols.Gossip.Membership.Result;
using Standing = Synod.Protocols.Gossip.Membership.Standing;
using SyncKind = Synod.Protocols.Gossip.Membership.SyncKind;
using Timer = Synod.Protocols.Gossip.Membership.Timer;

/// <summary>How members come and go, and whose a name is (gossip.md §2.3, §2.5).</summary>
public sealed class JoiningTests
{
    [Fact]
    public void A_newcomer_asks_for_a_table_before_it_says_anything_of_itself()
    {
        var lone = new Lone(isNamed: false);
        Assert.Equal(Standing.Outside, lone.Node.Status);
        lone.Submit(new Command.Join([B]));
        var ask = Assert.IsType<Message.Sync>(lone.Sent.Single().Message);
        Assert.Equal((SyncKind.Join, Transport.Stream, 0), (ask.Kind, ask.Transport, ask.Updates.Length));
        lone.Receive(B, new Message.Sync(SyncKind.Reply) { Updates = [Alive(B, 3), Alive(C, 5)] });
        Assert.Equal(Standing.Member, lone.Node.Status);
        Assert.Equal(3, lone.Node.LiveCount);
        Assert.IsType<Result.Joined>(lone.Answers.Single());
        var push = Assert.IsType<Message.Sync>(lone.Sent.Single(sent => sent.To == B).Message);
        Assert.Contains(push.Updates, update => update.Member == Self && update.Status == MemberStatus.Alive);

        // What it learned is news to nobody but itself.
        Assert.Equal(1, lone.Node.NewsCount);
    }

    [Fact]
    public void A_newcomer_asks_again_until_somebody_answers()
    {
        var lone = new Lone(isNamed: false);
        lone.Submit(new Command.Join([B, C]));
        Assert.Equal(Duration.FromSeconds(1), lone.Due(Timer.Join));
        lone.Choices.Enqueue(1);
        lone.Fire(Timer.Join);
        Assert.Equal(C, lone.Sent.Single().To);
    }

    [Fact]
    public void Without_anyone_to_ask_it_is_the_first()
    {
        var lone = new Lone(isNamed: false);
        lone.Submit(new Command.Join([]));
        Assert.Equal((Standing.Member, 1), (lone.Node.Status, lone.Node.LiveCount));
        Assert.IsType<Result.Joined>(lone.Answers.Single());
        Assert.Equal(Standing.Member, new Lone(new MembershipOptions { Seeds = [Self] }, isNamed: false).Node.Status);
    }

    [Theory]
    [InlineData(MemberStatus.Alive, false)]
    [InlineData(MemberStatus.Suspect, false)]
    [InlineData(MemberStatus.Dead, true)]
    [InlineData(MemberStatus.Left, true)]
    public void A_name_is_free_once_its_holder_is_gone(MemberStatus status, bool isFree)
    {
        var held = new Update(
            Self, status, 70, status <= MemberStatus.Suspect ? MemberDescription.At("elsewhere") : null, status <= MemberStatus.Suspect ? 70 : 0, status == MemberStatus.Suspect ? [C] : []);
        var lone = new Lone(isNamed: false);
        lone.Submit(new Command.Join([B]));
        lone.Receive(B, new Message.Sync(SyncKind.Reply) { Updates = [Alive(B, 1), held] });
        if (isFree)
        {
            Assert.Equal((Standing.Member, 71), (lone.Node.Status, lone.Node.Incarnation));
            return;
        }

        Assert.Equal(Standing.Outside, lone.Node.Status);
        Assert.Equal("NameTaken n1: elsewhere has it, not 1", lone.Events.OfType<Command.NameTaken>().Single().ToString());
        Assert.IsType<Result.NameTaken>(lone.Answers.Single());
        Assert.Equal([Refusal.Equivocation], lone.Refusals);
        Assert.Empty(lone.Sent);
        Assert.NotNull(lone.Due(Timer.Join));
        lone.Receive(B, new Message.Sync(SyncKind.Reply) { Updates = [Alive(B, 1), Dead(Self, 70)] });
        Assert.Equal((Standing.Member, 71), (lone.Node.Status, lone.Node.Incarnation));
    }

    [Fact]
    public void A_successor_at_the_same_address_takes_over_at_once()
    {
        var lone = new Lone(isNamed: false);
        lone.Submit(new Command.Join([B]));
        lone.Receive(B, new Message.Sync(SyncKind.Reply) { Updates = [Alive(B, 1), Alive(Self, 70)] });
        Assert.Equal((Standing.Member, 71), (lone.Node.Status, lone.Node.Incarnation));
    }

    [Fact]
    public void Of_two_that_joined_apart_the_one_whose_announcement_overrides_stays()
    {
        var winner = new Lone();
        winner.Tell(B, Alive(Self, 1, "0"));
        Assert.Equal(Standing.Member, winner.Node.Status);
        Assert.Single(winner.Events.OfType<Command.NameTaken>());
        Assert.Equal([Refusal.Equivocation], winner.Refusals);

        var loser = new Lone();
        loser.Tell(B, Alive(Self, 2, "elsewhere"));
        Assert.Equal(Standing.Outside, loser.Node.Status);
        Assert.Single(loser.Events.OfType<Command.NameTaken>());
        Assert.Null(loser.Due(Timer.Period));
        Assert.NotNull(loser.Due(Timer.Join));
        loser.Receive(B, new Message.Ping(Self, 3));
        Assert.Empty(loser.Sent);
    }

    [Fact]
    public void Everybody_else_keeps_the_same_one_of_two_and_says_so()
    {
        foreach (var order in new[] { new[] { "left", "right" }, ["right", "left"] })
        {
            var lone = new Lone();
            lone.Tell(C, Alive(B, 9, order[0]));
            lone.Tell(C, Alive(B, 9, order[1]));
            Assert.Equal("right", lone.Node.Find(B)!.Value.Description.ToString());
            Assert.Equal("NameTaken n2: right has it, not left", lone.Events.OfType<Command.NameTaken>().Single().ToString());
            Assert.Equal([Refusal.Equivocation], lone.Refusals);
        }
    }

    [Fact]
    public void Messages_in_this_nodes_own_name_are_refused()
    {
        var lone = new Lone();
        lone.Receive(Self, new Message.Ping(Self, 1));
        Assert.Equal([Refusal.Equivocation], lone.Refusals);
        Assert.Empty(lone.Sent);
    }

    [Fact]
    public void A_goodbye_is_told_and_then_answered_and_then_there_is_silence()
    {
        var lone = new Lone();
        lone.Submit(new Command.Leave());
        Assert.Empty(lone.Answers);
        lone.Tell(C, Suspect(Self, 1, C));
        Assert.Equal(1, lone.Node.Incarnation);
        lone.Fire(Timer.Gossip);
        Assert.All(lone.Sent, sent => Assert.Equal(Left(Self, 1), sent.Message.Updates.Single()));
        lone.Fire(Timer.Gossip);
        Assert.IsType<Result.Gone>(lone.Answers.Single());
        lone.Receive(B, new Message.Ping(Self, 1));
        Assert.Equal([Refusal.NotReady], lone.Refusals);
        lone.Submit(new Command.Leave());
        Assert.IsType<Result.Refused>(lone.Answers.Single());
    }

    [Fact]
    public void A_goodbye_that_takes_too_long_is_over_anyway()
    {
        var lone = new Lone();
        lone.Submit(new Command.Leave());
        lone.Fire(Timer.Leave);
        Assert.IsType<Result.Gone>(lone.Answers.Single());
    }

    [Fact]
    public void Who_left_is_no_longer_a_member_and_is_not_contacted()
    {
        var lone = new Lone();
        lone.Tell(B, Left(B, 1));
        Assert.Equal((MemberStatus.Left, 4), (lone.StatusOf(B), lone.Node.LiveCount));
        lone.Fire(Timer.Contact);
        Assert.Empty(lone.Sent);
    }

    [Fact]
    public void Tags_change_under_a_new_incarnation()
    {
        var lone = new Lone();
        lone.Submit(new Command.Describe(new MemberDescription("1"u8.ToArray(), "fast"u8.ToArray())));
        Assert.Equal(new Result.Described(2), lone.Answers.Single());
        lone.Fire(Timer.Gossip);
        var update = lone.Sent[0].Message.Updates.Single();
        Assert.Equal((2, 4), (update.Incarnation, update.Description!.Tags.Length));
        lone.Submit(new Command.Describe(new MemberDescription(new byte[129])));
        Assert.IsType<Result.Refused>(lone.Answers.Single());
    }
}
