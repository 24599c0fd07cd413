using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Rumors.Town;

namespace Synod.Protocols.Tests.Rumors;

using Message = Synod.Protocols.Gossip.Rumors.Message;
using Mongering = Synod.Protocols.Gossip.Rumors;

/// <summary>The rules of gossip.md §1 and §4.</summary>
public sealed class PaperTests
{
    [Fact]
    public void A_version_is_an_origin_and_a_number_so_two_writers_do_not_clash()
    {
        var play = Stage(Options());
        play.Submit(A, Spread("a"));
        play.Submit(B, Spread("b"));
        play.Sync(A);
        play.Sync(B);
        play.Fire(A, Round);
        play.Fire(B, Round);
        play.Run();
        Assert.Equal(["n2.1:b"], play.Heard(A));
        Assert.Equal(["n1.1:a"], play.Heard(B));
    }

    [Fact]
    public void Push_tells_the_drawn_peer_and_whoever_is_told_tells_others()
    {
        var play = Stage(Options());
        play.Submit(B, Spread("x"));
        play.Fire(B, Round);
        play.Run();
        Assert.Equal(["n2.1:x"], play.Heard(A));
        play.Fire(A, Round);
        play.Run();
        Assert.Empty(play.Heard(B));
        Assert.Equal(1, play.At(A).Hot);
        Assert.Equal([new RumorResult.Started(First(B))], play.Answers(B).Select(answer => answer.Result));
    }

    [Fact]
    public void Nobody_is_told_before_the_origins_record_is_durable()
    {
        var play = Stage(Options());
        play.Submit(B, Spread("x"));
        play.Fire(B, Round);
        Assert.Empty(play.Network);
        Assert.Empty(play.Answers(B));
        play.Sync(B);
        Assert.Single(play.Network);
        Assert.Single(play.Answers(B));
    }

    [Fact]
    public void A_restart_gives_no_number_out_again_and_goes_on_with_what_it_started()
    {
        var play = Stage(Options());
        play.Submit(B, Spread("x"));
        play.Sync(B);
        play.Crash(B);
        play.Submit(B, Spread("y"));
        play.Sync(B);
        play.Fire(B, Round);
        play.Run();
        Assert.Equal(["n2.1:x", "n2.2:y"], play.Heard(A));
    }

    /// <summary>crdt.md §2, of versions: a disk that was lost takes with it which numbers were given out.</summary>
    [Theory]
    [InlineData(nameof(RumorsMutation.None), "y")]
    [InlineData(nameof(RumorsMutation.IncarnationIgnored), null)]
    public void What_a_node_says_after_it_lost_its_disk_is_news_to_those_who_heard_it_before(string mutation, string? heard)
    {
        var listener = new Mongering(A, Options(), PeerView.Of([A, B]));
        listener.Recover([], new Still(), new());
        Assert.Equal("x", HeardFrom(0, "x"));
        Assert.Equal(heard, HeardFrom(77, "y"));
        return;

        string? HeardFrom(long incarnation, string body)
        {
            var outbox = new Outbox<Message, RumorRecord, RumorCommand, RumorResult>();
            var teller = new Mongering(B, Options() with { Incarnation = incarnation, Mutation = Enum.Parse<RumorsMutation>(mutation) }, PeerView.Of([A, B]));
            teller.Recover([], new Still(), outbox);
            teller.Submit(new RequestId(1), Spread(body), new Still(), outbox);
            var told = ((RumorRecord.Started)outbox.Records[^1]).Rumor;
            outbox.Clear();
            listener.Receive(B, Push(told), new Still(), outbox);
            return outbox.Executions is [var (_, command)] ? System.Text.Encoding.ASCII.GetString(((RumorCommand.Learn)command).Rumor.Body.Span) : null;
        }
    }

    /// <summary>Others still tell of what it said before, which it has forgotten: that is not forged, and it is news to it.</summary>
    [Fact]
    public void A_node_that_lost_its_disk_learns_what_it_had_said()
    {
        var play = Stage(Options() with { Incarnation = 77 });
        play.Receive(A, B, Push(Rumor(B, 5, "old")));
        Assert.Equal(["n2.5:old"], play.Heard(B));
        play.Submit(B, Spread("new"));
        play.Sync(B);
        Assert.Equal([new RumorResult.Started(new RumorId(B, 1, 77))], play.Answers(B).Select(answer => answer.Result));
    }

    [Fact]
    public void A_checkpoint_keeps_the_number_and_what_is_still_told()
    {
        var play = Stage(Options(k: 1));
        play.Submit(B, Spread("x"));
        play.Sync(B);
        var outbox = new Outbox<Message, RumorRecord, RumorCommand, RumorResult>();
        play.At(B).Checkpoint(new Still(), outbox);
        Assert.Equal(["Counted 1", "Started n2.1:x"], outbox.Records.ToArray().Select(record => $"{record}"));
        var copy = new Mongering(B, Options(), PeerView.Empty);
        copy.Recover(outbox.Records.ToArray(), new Still(), new());
        Assert.Equal((1, 1L, true), (copy.Hot, copy.Counter, copy.Knows(First(B))));
        play.Fire(B, Round);
        play.Run();
        play.Fire(B, Round);
        play.Run();
        outbox.Clear();
        play.At(B).Checkpoint(new Still(), outbox);
        Assert.Equal(["Counted 1"], outbox.Records.ToArray().Select(record => $"{record}"));
    }

    [Fact]
    public void Feedback_and_a_counter_end_interest_after_k_contacts_that_knew()
    {
        var play = Stage(Options(k: 2), nodes: 2);
        play.Submit(B, Spread("x"));
        play.Sync(B);
        Contact(B);
        Assert.Equal(1, play.At(B).Hot);
        Contact(B);
        Assert.Equal(1, play.At(B).Hot);
        Contact(B);
        Assert.Equal(0, play.At(B).Hot);
        play.Fire(B, Round);
        Assert.False(play.IsArmed(B, Round));
        Assert.Empty(play.Network);
        return;

        void Contact(NodeId node)
        {
            play.Fire(node, Round);
            play.Run();
        }
    }

    [Fact]
    public void Feedback_and_a_coin_end_interest_when_a_contact_knew_and_the_coin_says_so()
    {
        var play = Stage(Options(loss: InterestLoss.FeedbackCoin, k: 5), nodes: 2);
        play.Submit(B, Spread("x"));
        play.Sync(B);
        play.Fire(B, Round);
        play.Run();
        Assert.Equal(1, play.At(B).Hot);
        play.Fire(B, Round);
        play.Run();
        Assert.Equal(0, play.At(B).Hot);
    }

    [Theory]
    [InlineData(InterestLoss.BlindCounter, 3)]
    [InlineData(InterestLoss.BlindCoin, 1)]
    public void Blind_rules_ask_for_no_feedback_and_count_contacts(InterestLoss loss, int contacts)
    {
        var play = Stage(Options(loss: loss, k: 3));
        play.Submit(B, Spread("x"));
        play.Sync(B);
        for (var contact = 0; contact < contacts; contact++)
        {
            Assert.Equal(1, play.At(B).Hot);
            play.Fire(B, Round);
            Assert.Equal(contact + 1, play.Network.Count);
        }

        Assert.Equal(0, play.At(B).Hot);
        play.Run();
        Assert.Single(play.Heard(A));
    }

    [Fact]
    public void Pull_asks_and_is_offered_what_is_new()
    {
        var play = Stage(Options(RumorStyle.Pull), nodes: 2);
        play.Submit(A, Spread("x"));
        play.Sync(A);
        play.Fire(A, Round);
        play.Run();
        Assert.Empty(play.Heard(B));
        play.Fire(B, Round);
        Assert.IsType<Message.Pull>(Assert.Single(play.Between(B, A)));
        play.Deliver(B, A);
        Assert.Equal("Offer 1 knew [], 2 [n1.1:x]", $"{Assert.Single(play.Between(A, B))}");
        play.Run();
        Assert.Equal(["n1.1:x"], play.Heard(B));
    }

    [Fact]
    public void Of_pulls_in_one_round_one_that_needed_it_counts_for_all()
    {
        var play = Stage(Options(RumorStyle.Pull, k: 1));
        play.Submit(A, Spread("x"));
        play.Sync(A);
        Pull(B);
        play.Fire(A, Round);
        Assert.Equal(1, play.At(A).Hot);
        Pull(B);
        Pull(C);
        play.Fire(A, Round);
        Assert.Equal(1, play.At(A).Hot);
        Pull(B);
        Pull(C);
        play.Fire(A, Round);
        Assert.Equal(0, play.At(A).Hot);
        return;

        void Pull(NodeId node)
        {
            play.Fire(node, Round);
            while (play.Between(node, A).Any() || play.Between(A, node).Any())
            {
                var (from, to) = play.Between(node, A).Any() ? (node, A) : (A, node);
                play.Deliver(from, to);
            }
        }
    }

    [Fact]
    public void Push_pull_tells_and_asks_in_one_contact()
    {
        var play = Stage(Options(RumorStyle.PushPull), nodes: 2);
        play.Submit(A, Spread("a"));
        play.Submit(B, Spread("b"));
        play.Sync(A);
        play.Sync(B);
        play.Fire(B, Round);
        play.Deliver(B, A);
        Assert.Equal(["n2.1:b"], play.Heard(A));
        play.Deliver(A, B);
        Assert.Equal(["n1.1:a"], play.Heard(B));
        play.Run();
    }

    [Fact]
    public void What_anti_entropy_finds_is_handed_up_once_and_spread_again()
    {
        var play = Stage(Options());
        var found = new RumorCommand.Learn(Rumor(C, 5, "old"));
        play.Submit(B, found);
        play.Submit(B, found);
        Assert.Equal([new RumorResult.Learned(true), new RumorResult.Learned(false)], play.Answers(B).Select(answer => answer.Result));
        Assert.Equal(["n3.5:old"], play.Heard(B));
        play.Fire(B, Round);
        play.Run();
        Assert.Equal(["n3.5:old"], play.Heard(A));
    }

    [Fact]
    public void A_full_packet_takes_what_was_sent_least_often()
    {
        var play = Stage(Options(k: 100), nodes: 2);
        foreach (var body in new[] { "1", "2", "3", "4", "5", "6" })
        {
            play.Submit(B, Spread(body.PadLeft(30)));
        }

        play.Sync(B);
        for (var round = 0; round < 3; round++)
        {
            play.Fire(B, Round);
        }

        Assert.Equal(
            [[1L, 2L], [3L, 4L], [5L, 6L]],
            play.Between(B, A).Cast<Message.Push>().Select(push => push.Rumors.Select(rumor => rumor.Id.Counter).ToArray()));
    }

    [Fact]
    public void Rumors_of_those_who_left_are_still_true()
    {
        var play = Stage(Options());
        play.Submit(A, new RumorCommand.Meet(PeerView.Of([A, B])));
        play.Receive(B, A, Push(Rumor(C, 1, "legacy")));
        Assert.Equal(["n3.1:legacy"], play.Heard(A));
        play.Receive(C, A, Push(Rumor(C, 2, "from outside")));
        Assert.Equal([Refusal.NotMember], play.Refusals(A));
    }

    [Fact]
    public void What_is_spread_at_once_is_bounded()
    {
        var play = Stage(Options() with { MostHot = 2 });
        play.Submit(B, Spread("1"));
        play.Fire(B, Round);
        play.Submit(B, Spread("2"));
        play.Submit(B, Spread("3"));
        Assert.Equal(2, play.At(B).Hot);
        play.Sync(B);
        play.Fire(B, Round);
        Assert.Equal("Push 2 [n2.2:2 n2.3:3]", $"{play.Between(B, A).Last()}");
    }

    [Fact]
    public void A_history_without_gaps_is_remembered_as_one_range_and_too_many_gaps_wait_for_anti_entropy()
    {
        var play = Stage(Options());
        play.Receive(B, A, Push(Rumor(C, 1, ""), Rumor(C, 3, ""), Rumor(C, 5, "")));
        play.Receive(B, A, Push(Rumor(C, 7, "")));
        Assert.Equal([Refusal.NotReady], play.Refusals(A));
        play.Receive(B, A, Push(Rumor(C, 2, ""), Rumor(C, 4, "")));
        play.Receive(B, A, Push(Rumor(C, 7, "")));
        Assert.Single(play.Refusals(A));
        Assert.Equal(6, play.Heard(A).Length);
    }

    [Fact]
    public void Options_that_no_rumor_could_be_told_under_are_refused() => Assert.Throws<ArgumentException>(
        () => new Mongering(A, Options() with { MostBytes = 40 }, PeerView.Empty));
}
