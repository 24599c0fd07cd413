using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Xunit;
using static Synod.Protocols.Tests.Gossip.AntiEntropy.Notes;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Message = Scuttlebutt.Message;
using Record = Scuttlebutt.Record;
using Result = Scuttlebutt.Result;

/// <summary>The rules of gossip.md §1 and §5 for updates by origin.</summary>
public sealed class ScuttlebuttTests
{
    // Two digest entries and a few small updates in a message.
    private static readonly ScuttlebuttOptions s_narrow = new() { MostMessageBytes = ScuttlebuttOptions.LeastMessageBytes };

    [Fact]
    public void After_three_messages_both_have_what_either_had()
    {
        var play = Pair();
        play.Put(A, "x", "1");
        play.Put(B, "y", "2");
        play.Fire(A, Round);
        play.Sync(A);
        play.Sync(B);
        Assert.IsType<Message.Ask>(play.Between(A, B).Single());
        play.Deliver(A, B);
        play.Sync(B);
        Assert.IsType<Message.Exchange>(play.Between(B, A).Single());
        play.Deliver(B, A);
        play.Sync(A);
        Assert.IsType<Message.Tell>(play.Between(A, B).Single());
        play.Deliver(A, B);
        Assert.Empty(play.Network);
        Assert.All([A, B], node => Assert.Equal(("x=1", "y=2"), (play.Seen(node, First(A)), play.Seen(node, First(B)))));
        Assert.Equal(play.At(A).Origins, play.At(B).Origins);
    }

    [Fact]
    public void Who_has_everything_is_told_nothing()
    {
        var play = Pair();
        play.Put(A, "x", "1");
        play.Talk(A);
        play.Talk(A);
        var trace = play.Trace;
        Assert.EndsWith("send n1 Exchange 2 {} [n1.0:1 n2.0:0]\nn2 → n1: Exchange 2 {} [n1.0:1 n2.0:0]\n", trace, StringComparison.Ordinal);
    }

    [Fact]
    public void Updates_go_in_the_order_of_versions_and_one_that_was_replaced_does_not_go()
    {
        var play = Pair();
        play.Put(A, "x", "1");
        play.Put(A, "y", "2");
        play.Put(A, "x", "3");
        play.Talk(A);
        var learned = play.Log(B).OfType<Record.Learned>().Single().Delta;
        Assert.Equal([2L, 3L], learned.Entries.Select(entry => entry.Version));
        Assert.Equal((0, 3), (learned.From, learned.Through));
        Assert.Equal("x=3 y=2", play.Seen(B, First(A)));
    }

    [Fact]
    public void What_does_not_fit_is_cut_at_the_new_end_and_goes_on_from_there()
    {
        var play = Pair(s_narrow);
        for (var at = 0; at < 20; at++)
        {
            play.Put(A, $"k{at:00}", "some value");
        }

        play.Talk(A);
        var first = play.Log(B).OfType<Record.Learned>().First().Delta;
        Assert.InRange(first.Through, 2, 19);
        Assert.Equal(Enumerable.Range(1, (int)first.Through).Select(version => (long)version), first.Entries.Select(entry => entry.Version));
        Assert.Equal(first.Through, play.Progress(B, First(A)).Max);
        play.Talk(A);
        Assert.Equal(first.Through, play.Log(B).OfType<Record.Learned>().ElementAt(1).Delta.From);
        for (var rounds = 0; rounds < 10; rounds++)
        {
            play.Talk(A);
        }

        Assert.Equal(play.Seen(A, First(A)), play.Seen(B, First(A)));
    }

    [Theory]
    [InlineData("None", true)]
    [InlineData("Unfair", false)]
    public void An_origin_with_little_to_tell_is_not_kept_waiting_by_one_with_much(string mutation, bool isFair)
    {
        var play = Stage(s_narrow with { Mutation = Enum.Parse<ScuttlebuttMutation>(mutation) }, null, A, B, C);
        for (var at = 0; at < 40; at++)
        {
            play.Put(A, $"k{at:00}", "some value");
        }

        play.Put(B, "y", "1");
        play.Talk(B);
        while (play.Progress(B, First(A)).Max < 40)
        {
            play.Talk(B);
        }

        play.Talk(C);
        Assert.Equal(isFair, play.Seen(C, First(B)) == "y=1");
    }

    [Fact]
    public void Who_is_cut_off_first_comes_first_the_next_time()
    {
        var nodes = Enumerable.Range(1, 12).Select(number => new NodeId(number)).ToArray();
        var play = Stage(s_narrow, Roster.Of(nodes), nodes);
        foreach (var node in nodes)
        {
            play.Put(node, "k", "some value");
        }

        // Everybody talks to the first, whose answers have room for a few digest entries and an update or two.
        for (var rounds = 0; rounds < 30; rounds++)
        {
            foreach (var node in nodes.Skip(1))
            {
                play.Talk(node);
            }
        }

        Assert.All(nodes, node => Assert.Equal(12, play.At(node).Origins.Count()));
        Assert.All(nodes, node => Assert.All(nodes, origin => Assert.NotEqual("", play.Seen(node, First(origin)))));
    }

    [Fact]
    public void A_deletion_goes_as_a_tombstone_and_is_forgotten_when_everybody_has_it()
    {
        var play = Stage(null, null, A, B, C);
        play.Put(A, "x", "1");
        play.Talk(B);
        play.Talk(C);
        play.Delete(A, "x");
        play.Talk(B);
        Assert.Equal(("", 1), (play.Seen(B, First(A)), play.At(B).Tombstones(First(A))));
        play.Talk(A);
        Assert.Equal(1, play.At(A).Tombstones(First(A)));
        Assert.Equal("x=1", play.Seen(C, First(A)));

        // C has it now, and says so in its next round; A drops it in its own next round and tells.
        play.Talk(C);
        play.Talk(C);
        play.Talk(B);
        play.Talk(A);
        Assert.Equal((0, 2), (play.At(A).Tombstones(First(A)), play.Progress(A, First(A)).Floor));
        play.Talk(C);
        Assert.All([A, B, C], node => Assert.Equal((0, 2, 2), (play.At(node).Tombstones(First(A)), play.Progress(node, First(A)).Floor, play.Progress(node, First(A)).Max)));
    }

    [Fact]
    public void Tombstones_beyond_the_cap_go_and_who_lacks_one_takes_everything_anew()
    {
        var play = Pair(new() { MostTombstones = 1 });
        play.Put(A, "x", "1");
        play.Put(A, "y", "1");
        play.Put(A, "z", "1");
        play.Talk(A);
        play.Delete(A, "x");
        play.Delete(A, "y");
        play.Fire(A, Round);
        play.Sync(A);
        Assert.Equal(new Record.Forgot(4), play.Log(A)[^1]);
        play.Run();
        var reset = play.Log(B).OfType<Record.Learned>().Last().Delta;
        Assert.Equal((0, 4, 5), (reset.From, reset.Sender.Floor, reset.Through));
        Assert.Equal("z=1", play.Seen(B, First(A)));
    }

    [Fact]
    public void During_a_reset_in_parts_readers_see_what_was_and_nobody_is_told_of_it()
    {
        var play = Stage(s_narrow with { MostTombstones = 0 }, null, A, B, C);
        for (var at = 0; at < 20; at++)
        {
            play.Put(A, $"k{at:00}", "some value");
        }

        for (var rounds = 0; rounds < 12; rounds++)
        {
            play.Talk(B);
        }

        play.Delete(A, "k10");
        play.Talk(A);
        var progress = play.Progress(B, First(A));
        Assert.Equal(21, progress.Floor);
        Assert.InRange(progress.Max, 1, 20);
        Assert.Equal(20, play.At(B).Entries(First(A)).Count());
        var toC = new Message.Ask(7, new Digest(Origin.Least, Origin.Most, []));
        play.Receive(C, B, toC);
        play.Sync(B);
        Assert.DoesNotContain(((Message.Exchange)play.Between(B, C).Single()).Deltas, delta => delta.Sender.Origin == First(A));
        play.Drop(B, C);
        for (var rounds = 0; rounds < 12; rounds++)
        {
            play.Talk(B);
        }

        Assert.Equal(19, play.At(B).Entries(First(A)).Count());
        Assert.Null(play.At(B).Read(First(A), Name("k10")));
    }

    [Fact]
    public void A_run_is_taken_only_where_it_continues_what_is_there()
    {
        var play = Pair();
        play.Receive(B, A, Tell(Delta(First(B), 5, 3, 5, Entry(5, "x", "1"))));
        Assert.Equal([Refusal.Unexpected], play.Refusals(A));
        play.Receive(B, A, Tell(Delta(First(B), 5, 0, 2, Entry(2, "x", "1"))));
        play.Receive(B, A, Tell(Delta(First(B), 5, 0, 5, Entry(2, "x", "1"), Entry(4, "y", "1"))));
        Assert.Equal("x=1 y=1", play.Seen(A, First(B)));
        play.Receive(B, A, Tell(Delta(First(B), 5, 0, 5, Entry(2, "x", "1"), Entry(4, "y", "1"))));
        Assert.Equal([Refusal.Unexpected, Refusal.Duplicate], play.Refusals(A));
    }

    [Fact]
    public void Who_lacks_deletions_that_are_forgotten_here_is_not_believed()
    {
        var play = Stage(null, null, A, B, C);
        play.Receive(B, A, Tell(new OriginDelta(new Progress(First(B), 9, 10), 0, 4, [Entry(4, "x", "1")])));
        play.Receive(C, A, Tell(Delta(First(B), 7, 4, 7, Entry(6, "deleted at 8", "1"))));
        Assert.Equal([Refusal.Unsafe], play.Refusals(A));
        Assert.Equal("x=1", play.Seen(A, First(B)));
        play.Receive(B, A, Tell(new OriginDelta(new Progress(First(B), 12, 13), 4, 13, [Entry(13, "y", "1")])));
        Assert.Equal([Refusal.Unsafe, Refusal.NotReady], play.Refusals(A));
    }

    [Fact]
    public void What_is_forged_strange_or_malformed_is_refused_and_counted()
    {
        var play = Pair();
        play.Put(A, "x", "1");
        var nine = new NodeId(9);
        play.Receive(nine, A, Tell());
        play.Receive(A, A, Tell());
        play.Receive(B, A, Tell(Delta(First(A), 5, 0, 5, Entry(5, "x", "forged"))));
        play.Receive(B, A, Tell(Delta(First(nine), 5, 0, 5, Entry(5, "x", "1"))));
        play.Receive(B, A, Tell(Delta(First(B), 5, 0, 5, Entry(5, "x", "1"), Entry(4, "y", "1"))));
        play.Receive(B, A, Tell(Delta(First(B), 4, 0, 5, Entry(5, "x", "1"))));
        play.Receive(B, A, Tell(Delta(First(B), 5, -1, 5, Entry(5, "x", "1"))));
        play.Receive(B, A, Tell(Delta(First(B), 5, 0, 5, new Entry(5, Name("x"), new byte[1_400], false))));
        play.Receive(B, A, Tell(Delta(First(B), 5, 0, 5, new Entry(5, Name("x"), new byte[1], true))));
        play.Receive(B, A, new Message.Ask(1, new Digest(Origin.Most, Origin.Least, [])));
        play.Receive(B, A, new Message.Ask(1, new Digest(Origin.Least, Origin.Most, [new(First(B), 0, 1), new(First(B), 0, 2)])));
        play.Receive(B, A, new Message.Ask(1, new Digest(Origin.Least, Origin.Most, [.. Enumerable.Range(0, 100).Select(at => new Progress(new(B, at), 0, 1))])));
        play.Receive(B, A, new Message.Exchange(1, [], new Digest(Origin.Least, Origin.Most, [])));
        Assert.Equal(
            [
                Refusal.NotMember, Refusal.NotMember, Refusal.Forged, Refusal.NotMember, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed,
                Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Unexpected,
            ],
            play.Refusals(A));
        Assert.Equal(("x=1", ""), (play.Seen(A, First(A)), play.Seen(A, First(B))));
        Assert.Equal(new Progress(First(A), 0, 1), Assert.Single(play.At(A).Origins));
    }

    [Fact]
    public void An_answer_is_taken_once_and_only_from_who_was_asked()
    {
        var play = Stage(null, null, A, B, C);
        play.Put(B, "y", "1");
        play.Fire(A, Round);
        play.Sync(A);
        play.Sync(B);
        play.Deliver(A, B);
        var answer = play.Between(B, A).Single();
        play.Receive(C, A, answer);
        play.Deliver(B, A);
        play.Receive(B, A, answer);
        Assert.Equal([Refusal.Unexpected, Refusal.Unexpected], play.Refusals(A));
        Assert.Equal("y=1", play.Seen(A, First(B)));
    }

    [Fact]
    public void Nothing_is_told_and_no_write_is_answered_before_it_is_durable()
    {
        var play = Pair();
        play.Sync(A);
        play.Put(A, "x", "1");
        play.Fire(A, Round);
        Assert.Empty(play.Network);
        Assert.Empty(play.Answers(A));
        play.Crash(A);
        Assert.Equal((0, ""), (play.Progress(A, First(A)).Max, play.Seen(A, First(A))));
        play.Put(A, "x", "2");
        play.Sync(A);
        Assert.Equal(new Result.Stored(First(A), 1), play.Answers(A).Single().Result);
        play.Talk(A);
        play.Crash(B);
        Assert.Equal("x=2", play.Seen(B, First(A)));
    }

    [Fact]
    public void A_restored_disk_writes_as_another_origin()
    {
        var restored = false;
        var play = new Stage<Message, Record, Scuttlebutt.Command, Result>(
            node => new Scuttlebutt(node, Roster.Of(A, B), new() { IsRestored = restored }), timer => $"{timer}", A, B).Begin();
        play.Put(A, "x", "1");
        play.Talk(A);
        restored = true;
        play.Crash(A);
        Assert.Equal(new Origin(A, 1), play.At(A).Self);
        play.Put(A, "x", "2");
        play.Talk(A);
        Assert.Equal(("x=1", "x=2"), (play.Seen(B, First(A)), play.Seen(B, new(A, 1))));
    }

    [Fact]
    public void Who_hears_that_others_know_more_of_it_than_its_disk_writes_as_another_origin()
    {
        var play = Pair();
        play.Put(A, "x", "1");
        play.Receive(B, A, new Message.Ask(1, new Digest(Origin.Least, Origin.Most, [new(First(A), 0, 3)])));
        Assert.Equal(new Origin(A, 1), play.At(A).Self);
        play.Put(A, "y", "1");
        Assert.Equal(("x=1", "y=1"), (play.Seen(A, First(A)), play.Seen(A, new(A, 1))));
        play.Receive(B, A, Tell(Delta(First(A), 3, 1, 3, Entry(2, "x", "2"), Entry(3, "z", "3"))));
        Assert.Equal("x=2 z=3", play.Seen(A, First(A)));
    }

    [Fact]
    public void A_fenced_origin_is_forgotten_and_refused_and_who_is_fenced_begins_anew()
    {
        var play = Pair();
        play.Put(A, "x", "1");
        play.Put(B, "y", "1");
        play.Talk(A);
        var roster = play.At(A).Roster.Fence(First(B));
        play.Submit(A, new Scuttlebutt.Command.Configure(roster));
        Assert.Equal("", play.Seen(A, First(B)));
        play.Talk(B);
        Assert.Contains(Refusal.NotMember, play.Refusals(A));
        Assert.Equal(("", "x=1"), (play.Seen(A, First(B)), play.Seen(B, First(A))));
        play.Submit(B, new Scuttlebutt.Command.Configure(roster));
        Assert.Equal((new Origin(B, 1), ""), (play.At(B).Self, play.Seen(B, First(B))));
        play.Put(B, "y", "2");
        play.Talk(B);
        Assert.Equal("y=2", play.Seen(A, new(B, 1)));
        play.Crash(B);
        Assert.Equal((new Origin(B, 1), "y=2"), (play.At(B).Self, play.Seen(B, new(B, 1))));
    }
}
