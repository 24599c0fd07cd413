using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Protocols.Tests.Commit;
using Xunit;
using static Synod.Protocols.Tests.Plumtree.Grove;

namespace Synod.Protocols.Tests.Plumtree;

using Message = Synod.Protocols.Gossip.Plumtree.Message;
using Tree = Synod.Protocols.Gossip.Plumtree;

/// <summary>The rules of gossip.md §7.</summary>
public sealed class PaperTests
{
    [Fact]
    public void The_first_payload_makes_a_link_eager_and_a_duplicate_prunes_it_at_both_ends()
    {
        var play = Stage(3);
        play.Submit(A, Spread("x"));
        play.Sync(A);
        play.Deliver(A, B);
        play.Deliver(A, C);
        Assert.IsType<Message.Gossip>(Assert.Single(play.Between(B, C)));
        play.Run();
        Assert.Equal(["n1.1:x"], play.Heard(B));
        Assert.Equal(["n1.1:x"], play.Heard(C));
        Assert.Equal([A], play.At(B).Eager);
        Assert.Equal([C], play.At(B).Lazy);
        Assert.Equal([A], play.At(C).Eager);
        Assert.Equal([B], play.At(C).Lazy);
    }

    [Fact]
    public void In_quiet_each_node_is_sent_a_payload_once_and_lazy_peers_get_ids_in_batches()
    {
        var play = Pruned();
        play.Submit(A, Spread("y"));
        play.Submit(A, Spread("z"));
        play.Sync(A);
        Assert.Equal(4, play.Network.Count(item => item.Message is Message.Gossip));
        play.Run();
        Assert.Empty(play.Between(B, C));
        play.Fire(B, Batch);
        Assert.Equal("IHave [n1.2@2 n1.3@2]", $"{Assert.Single(play.Between(B, C))}");
        play.Run();
        Assert.False(play.IsArmed(C, Graft));
    }

    [Fact]
    public void Nobody_is_told_before_the_origins_record_is_durable_and_no_number_is_given_out_twice()
    {
        var play = Stage(2);
        play.Submit(A, Spread("x"));
        Assert.Empty(play.Network);
        Assert.Empty(play.Answers(A));
        play.Sync(A);
        Assert.Equal([new RumorResult.Started(Id(A))], play.Answers(A).Select(answer => answer.Result));
        play.Drop(A, B);
        play.Crash(A);
        play.Run();
        play.Fire(B, Graft);
        play.Run();
        Assert.Equal(["n1.1:x"], play.Heard(B));
        play.Submit(A, Spread("y"));
        play.Run();
        Assert.Equal(["n1.1:x", "n1.2:y"], play.Heard(B));
    }

    [Fact]
    public void What_is_announced_and_does_not_come_is_asked_for_and_mends_the_tree()
    {
        var play = Pruned();
        play.Submit(A, Spread("y"));
        play.Sync(A);
        play.Drop(A, C);
        play.Deliver(A, B);
        play.Fire(B, Batch);
        play.Deliver(B, C);
        Assert.Equal([Id(A, 2)], play.At(C).MissingIds);
        play.Fire(C, Graft);
        Assert.Equal("Graft n1.2", $"{Assert.Single(play.Between(C, B))}");
        play.Run();
        Assert.Equal(["n1.1:x", "n1.2:y"], play.Heard(C));
        Assert.Contains(B, play.At(C).Eager);
        Assert.Contains(C, play.At(B).Eager);
        Assert.Empty(play.At(C).MissingIds);
        Assert.False(play.IsArmed(C, Graft));
    }

    [Fact]
    public void If_the_first_announcer_does_not_answer_the_next_is_asked_and_then_it_is_given_up()
    {
        var play = Stage(4);
        play.Receive(B, A, IHave(new Tree.Announced(Id(D), 2)));
        play.Receive(C, A, IHave(new Tree.Announced(Id(D), 3)));
        play.Fire(A, Graft);
        play.Fire(A, Graft);
        Assert.Equal("Graft n4.1", $"{Assert.Single(play.Between(A, B))}");
        Assert.Equal("Graft n4.1", $"{Assert.Single(play.Between(A, C))}");
        play.Fire(A, Graft);
        Assert.Empty(play.At(A).MissingIds);
        Assert.False(play.IsArmed(A, Graft));
        play.Run();
        Assert.Equal([Refusal.Unknown], play.Refusals(B));
    }

    [Fact]
    public void A_neighbour_that_is_down_is_in_neither_set_and_is_not_asked()
    {
        var play = Stage(4);
        play.Receive(B, A, IHave(new Tree.Announced(Id(D), 2)));
        play.Receive(C, A, IHave(new Tree.Announced(Id(D), 3)));
        play.Submit(A, new RumorCommand.Meet(PeerView.Of([C, D])));
        Assert.Equal([C, D], play.At(A).Eager);
        play.Fire(A, Graft);
        Assert.Empty(play.Between(A, B));
        Assert.Single(play.Between(A, C));
    }

    [Fact]
    public void A_new_neighbour_is_eager_and_both_tell_each_other_what_they_have()
    {
        var play = Stage(3, beside: node => PeerView.Of(node == C ? [] : [A, B], isWhole: false));
        play.Submit(A, Spread("x"));
        play.Submit(C, Spread("y"));
        play.Run();
        play.Submit(B, new RumorCommand.Meet(PeerView.Of([A, C], isWhole: false)));
        play.Run();
        Assert.Equal([Refusal.NotMember], play.Refusals(C));
        play.Submit(C, new RumorCommand.Meet(PeerView.Of([B], isWhole: false)));
        play.Run();
        Assert.Equal([Id(A)], play.At(C).MissingIds);
        Assert.Equal([Id(C)], play.At(B).MissingIds);
        play.Fire(C, Graft);
        play.Fire(B, Graft);
        play.Run();
        Assert.Equal(["n1.1:x"], play.Heard(C));
        Assert.Equal(["n3.1:y"], play.Heard(A));
    }

    [Fact]
    public void A_payload_on_a_long_way_gives_its_link_to_the_short_one()
    {
        // A tells B, B tells C, C tells D, D tells E; what A told E itself is late, and pruned.
        NodeId[] line = [A, B, C, D, new(5)];
        var e = line[4];
        var play = Stage(5, beside: node => PeerView.Of(
            Enumerable.Range(0, 5).Where(index => line[index] == node).SelectMany(index => new[] { line[(index + 4) % 5], line[(index + 1) % 5] }), isWhole: false));
        play.Submit(A, Spread("x"));
        play.Sync(A);
        play.Delay(A, e);
        for (var hop = 0; hop < 4; hop++)
        {
            play.Deliver(line[hop], line[hop + 1]);
        }

        play.Run();
        Assert.Equal(4, play.At(e).RoundOf(Id(A)));
        Assert.Equal([D], play.At(e).Eager);
        play.Submit(A, Spread("y"));
        play.Run();
        play.Fire(A, Batch);
        play.Run();
        Assert.Equal(1, play.At(e).RoundOf(Id(A, 2)));
        Assert.Equal([A], play.At(e).Eager);
        Assert.Contains(e, play.At(D).Lazy);
        play.Submit(A, Spread("z"));
        play.Run();
        Assert.Equal(1, play.At(e).RoundOf(Id(A, 3)));
    }

    [Fact]
    public void A_payload_is_kept_for_those_who_ask_and_no_longer()
    {
        var play = Stage(2);
        play.Submit(A, Spread("x"));
        play.Run();
        Assert.Equal(0, play.At(A).RoundOf(Id(A)));
        play.Fire(A, Expire);
        Assert.Equal(0, play.At(A).RoundOf(Id(A)));
        Assert.Throws<ArgumentException>(() => new Tree(A, Options with { Keep = Options.FirstWait + Options.NextWait }, PeerView.Empty));
        Assert.Throws<ArgumentException>(() => new Tree(A, Options with { NextWait = Options.FirstWait }, PeerView.Empty));
    }

    [Fact]
    public void What_anti_entropy_finds_goes_along_the_tree()
    {
        var play = Stage(3);
        play.Submit(B, new RumorCommand.Learn(Rumor(C, 9, "old")));
        play.Submit(B, new RumorCommand.Learn(Rumor(C, 9, "old")));
        Assert.Equal([new RumorResult.Learned(true), new RumorResult.Learned(false)], play.Answers(B).Select(answer => answer.Result));
        play.Deliver(B, A);
        Assert.Equal(["n3.9:old"], play.Heard(A));
    }

    [Fact]
    public void What_is_waited_for_is_bounded_for_each_announcer()
    {
        var play = Stage(3);
        play.Receive(B, A, IHave(new(Id(C, 1), 1), new(Id(C, 2), 1), new(Id(C, 3), 1)));
        Assert.Equal([Refusal.NotReady], play.Refusals(A));
        play.Receive(C, A, IHave(new Tree.Announced(Id(C, 4), 1)));
        Assert.Equal([Id(C, 1), Id(C, 2), Id(C, 4)], play.At(A).MissingIds);
    }

    [Theory]
    [InlineData(Refusal.NotMember, 9, 2, 1, "x", 1)]
    [InlineData(Refusal.NotMember, 2, 9, 1, "x", 1)]
    [InlineData(Refusal.Forged, 2, 1, 1, "x", 1)]
    [InlineData(Refusal.Malformed, 2, 2, 1, "a body that is longer than is allowed here", 1)]
    [InlineData(Refusal.Malformed, 2, 2, 1, "x", 0)]
    [InlineData(Refusal.Malformed, 2, 2, 1, "x", 10_001)]
    public void What_cannot_be_is_refused(Refusal refusal, int from, int origin, long counter, string body, int round)
    {
        var play = Stage(2);
        play.Receive(new NodeId(from), A, new Message.Gossip(Rumor(new NodeId(origin), counter, body), round));
        if (body == "x")
        {
            play.Receive(new NodeId(from), A, IHave(new Tree.Announced(Id(new NodeId(origin), counter), round)));
        }

        Assert.Equal([refusal], play.Refusals(A).Distinct());
        Assert.Empty(play.Heard(A));
        Assert.Empty(play.At(A).MissingIds);
    }

    [Fact]
    public void Too_many_ids_and_two_bodies_are_refused()
    {
        var play = Stage(2);
        play.Receive(B, A, IHave([.. Enumerable.Range(1, 5).Select(number => new Tree.Announced(Id(B, number), 1))]));
        play.Receive(B, A, new Message.Gossip(Rumor(B, 1, "x"), 1));
        play.Receive(B, A, new Message.Gossip(Rumor(B, 1, "y"), 1));
        Assert.Equal([Refusal.Malformed, Refusal.Equivocation], play.Refusals(A));
    }

    [Fact]
    public void Every_case_survives_its_binary_form_and_no_part_of_it_is_taken_for_the_whole() => WireChecks.All(
        new Tree.MessageWire(),
        new Message.Gossip(Rumor(B, 300, "body"), 4),
        new Message.IHave([new(Id(B), 2), new(Id(C, 9), 1)], true),
        new Message.Graft(null),
        new Message.Graft(Id(B)),
        new Message.Prune());

    /// <summary>Three nodes whose tree is A to B and A to C.</summary>
    private static Stage<Message, RumorRecord, RumorCommand, RumorResult> Pruned()
    {
        var play = Stage(3);
        play.Submit(A, Spread("x"));
        play.Run();
        Assert.Equal([C], play.At(B).Lazy);
        return play;
    }
}
