using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Synod.Simulation;
using Xunit;
using static Synod.Protocols.Tests.Gossip.AntiEntropy.Stores;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Message = RangeReconciliation.Message;
using Play = Stage<RangeReconciliation.Message, RangeReconciliation.Record, RangeReconciliation.Command, RangeReconciliation.Result>;
using Result = RangeReconciliation.Result;

/// <summary>The rules of gossip.md §6.</summary>
public sealed class RangeTests
{
    private static readonly RangeReconciliation.Command s_reconcile = new RangeReconciliation.Command.Reconcile(B);

    [Fact]
    public void Both_end_with_what_either_had()
    {
        var play = Stage();
        play.Put(A, "a", 1);
        play.Put(A, "b", 3);
        play.Put(B, "b", 2);
        play.Put(B, "c", 1);
        play.Submit(A, s_reconcile);
        play.Run();
        Assert.All([A, B], node => Assert.Equal("a=1 b=3 c=1", play.At(node).Content()));
        Assert.Equal(new Result.Reconciled(B, 2, 2, 2), play.Answers(A)[^1].Result);
    }

    [Fact]
    public void A_span_that_is_equal_is_not_spoken_of_again()
    {
        var play = Filled(32, Small);
        play.Put(A, "00", 2);
        play.Submit(A, s_reconcile);
        play.Sync(A);
        play.Sync(B);
        Assert.Equal(2, ((Message.Request)play.Between(A, B).Single()).Pieces.Length);
        play.Deliver(A, B);
        Assert.Equal("[, 08) [08, 16)", string.Join(" ", ((Message.Reply)play.Between(B, A).Single()).Pieces.Select(piece => piece.Span)));
        play.Run();
        Assert.Equal(play.At(A).Content(), play.At(B).Content());
    }

    [Fact]
    public void A_small_span_is_listed_and_a_large_one_split()
    {
        var play = Filled(6, Small);
        play.Receive(B, A, new Message.Request(1, 1, [new Piece.Listed(new(Key.Empty, Key.Of("02")), []), new Piece.Hashed(new(Key.Of("02"), Key.Empty), default)], [], []));
        play.Sync(A);
        var pieces = ((Message.Reply)play.Between(A, B).Single()).Pieces;
        Assert.Equal(["00", "01"], ((Piece.Listed)pieces[0]).Ids.Select(id => id.Key.ToString()));
        Assert.Equal(["[02, 04)", "[04, ∞)"], pieces.Skip(1).Select(piece => piece.Span.ToString()));
    }

    [Fact]
    public void An_answer_that_does_not_fit_says_how_far_it_is_and_the_rest_is_asked_again()
    {
        var play = Filled(300, Small);
        for (var number = 0; number < 300; number++)
        {
            play.Put(A, $"{number:00}", 2);
        }

        play.Submit(A, s_reconcile);
        var cut = 0;
        play.Sync(A);
        play.Sync(B);
        while (play.Network.Count > 0)
        {
            var (from, to, message) = play.Network[0];
            cut += message is Message.Reply reply && reply.Compared < ((Message.Request)_last!).Pieces.Length ? 1 : 0;
            _last = message;
            play.Deliver(from, to);
            play.Sync(A);
            play.Sync(B);
        }

        Assert.True(cut > 3, $"{cut} answers were cut");
        Assert.Equal(play.At(A).Content(), play.At(B).Content());
    }

    private Message? _last;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cut_link_costs_the_messages_on_it_and_nothing_else(bool restartsPeer)
    {
        var whole = Filled(200, Small);
        whole.Submit(A, s_reconcile);
        Change(whole);
        whole.Run();
        var rounds = ((Result.Reconciled)whole.Answers(A)[^1].Result).Rounds;

        var play = Filled(200, Small);
        play.Submit(A, s_reconcile);
        Change(play);
        var random = new SeededRandom(7);
        while (play.At(A).Peers.Count > 0)
        {
            play.Sync(A);
            play.Sync(B);
            if (play.Network.Count == 0)
            {
                play.Fire(A, Retry);
            }
            else if (random.Below(3) == 0)
            {
                play.Drop(play.Network[0].From, play.Network[0].To);
                if (restartsPeer)
                {
                    play.Crash(B);
                }
            }
            else
            {
                play.Deliver(play.Network[0].From, play.Network[0].To);
            }
        }

        Assert.Equal(rounds, ((Result.Reconciled)play.Answers(A)[^1].Result).Rounds);
        Assert.Equal(play.At(A).Content(), play.At(B).Content());

        static void Change(Play play)
        {
            for (var number = 0; number < 200; number += 20)
            {
                play.Put(number % 40 == 0 ? A : B, $"{number:00}", 2);
            }
        }
    }

    [Fact]
    public void Items_are_acknowledged_when_they_are_durable()
    {
        var play = Stage();
        play.Put(A, "a", 1);
        play.Submit(A, s_reconcile);
        play.Sync(A);
        play.Sync(B);
        play.Deliver(A, B);
        play.Deliver(B, A);
        play.Deliver(A, B);
        Assert.Equal("a=1", play.At(B).Content());
        Assert.Empty(play.Network);
        play.Crash(B);
        Assert.Equal("", play.At(B).Content());
        play.Fire(A, Retry);
        play.Run();
        play.Crash(B);
        Assert.Equal("a=1", play.At(B).Content());
        Assert.IsType<Result.Reconciled>(play.Answers(A)[^1].Result);
    }

    [Fact]
    public void An_answer_counts_for_the_request_that_it_answers()
    {
        var play = Filled(40, Small);
        play.Put(B, "39", 2);
        play.Submit(A, s_reconcile);
        play.Sync(A);
        play.Sync(B);
        play.Deliver(A, B);
        var first = (Message.Reply)play.Between(B, A).Single();
        play.Receive(B, A, first with { Session = 99 });
        play.Deliver(B, A);
        play.Receive(B, A, first);
        Assert.Equal([Refusal.Unexpected, Refusal.Unexpected], play.Refusals(A));
        play.Run();
        play.Receive(B, A, first);
        Assert.Equal(3, play.Refusals(A).Count);
        Assert.Equal(play.At(B).Content(), play.At(A).Content());
    }

    [Fact]
    public void An_answer_speaks_only_of_what_was_asked()
    {
        var play = Filled(8, Small);
        play.Submit(A, s_reconcile);
        play.Sync(A);
        var request = (Message.Request)play.Between(A, B).Single();
        var (first, reply) = (request.Pieces[0], new Message.Reply(request.Session, request.Sequence, 1, [], 0, []));
        play.Receive(B, A, reply with { Compared = 3 });
        play.Receive(B, A, reply with { Compared = -1 });
        play.Receive(B, A, reply with { Served = 1 });
        play.Receive(B, A, reply with { Pieces = [request.Pieces[1]] });
        play.Receive(B, A, reply with { Pieces = [first with { Span = KeySpan.All }] });
        play.Receive(B, A, reply with { Pieces = [first, first] });
        play.Receive(B, A, reply with { Items = [new(Key.Of("x"), new byte[9])] });
        play.Receive(B, A, reply with { Items = [.. Enumerable.Range(0, 100).Select(number => new Content(Key.Of($"{number}"), new byte[8]))] });
        Assert.Equal(Enumerable.Repeat(Refusal.Malformed, 8), play.Refusals(A));
        Assert.Equal(2, play.At(A).OpenWith(B));
        play.Run();
        Assert.IsType<Result.Reconciled>(play.Answers(A)[^1].Result);
    }

    [Fact]
    public void A_request_that_is_strange_malformed_or_too_large_is_refused_and_counted()
    {
        var play = Stage(Small);
        var (empty, key, hash) = (new Message.Request(1, 1, [], [], []), Key.Of("x"), default(Fingerprint));
        play.Receive(new NodeId(9), A, empty);
        play.Receive(A, A, empty);
        play.Receive(B, A, empty with { Pieces = [new Piece.Hashed(new(key, key), hash)] });
        play.Receive(B, A, empty with { Pieces = [new Piece.Hashed(new(key, Key.Empty), hash), new Piece.Hashed(KeySpan.All, hash)] });
        play.Receive(B, A, empty with { Pieces = [new Piece.Hashed(new(Key.Of("too long a key"), Key.Empty), hash)] });
        play.Receive(B, A, empty with { Pieces = [new Piece.Listed(new(Key.Empty, key), [new(key, hash)])] });
        play.Receive(B, A, empty with { Pieces = [new Piece.Listed(KeySpan.All, [new(key, hash), new(key, hash)])] });
        play.Receive(B, A, empty with { Items = [new(key, new byte[9])] });
        play.Receive(B, A, empty with { Items = [.. Enumerable.Range(0, 100).Select(number => new Content(Key.Of($"{number}"), new byte[8]))] });
        play.Receive(B, A, empty with { Wants = [Key.Of("too long a key")] });
        Assert.Equal([Refusal.NotMember, Refusal.NotMember, .. Enumerable.Repeat(Refusal.Malformed, 8)], play.Refusals(A));
        play.Receive(B, A, empty with { Items = [new(key, default)] });
        Assert.Equal(Refusal.Malformed, play.Refusals(A)[^1]);
        Assert.Equal("", play.At(A).Content());
    }

    [Fact]
    public void There_is_one_session_for_each_peer_and_it_can_be_abandoned()
    {
        var play = Filled(40, Small);
        play.Put(B, "39", 2);
        play.Submit(A, s_reconcile);
        play.Submit(A, s_reconcile);
        play.Submit(A, new RangeReconciliation.Command.Reconcile(A));
        play.Submit(A, new RangeReconciliation.Command.Reconcile(new NodeId(9)));
        play.Submit(A, new RangeReconciliation.Command.Abandon(B));
        play.Submit(A, new RangeReconciliation.Command.Abandon(B));
        Assert.False(play.IsArmed(A, Retry));
        play.Run();
        Assert.Equal(4, play.Answers(A).Count(answer => answer.Result is Result.Rejected));
        Assert.Equal(2, play.Answers(A).Count(answer => answer.Result is Result.Abandoned));
        Assert.Equal([Refusal.Unexpected], play.Refusals(A));
        play.Submit(A, s_reconcile);
        play.Run();
        Assert.Equal(play.At(B).Content(), play.At(A).Content());
    }

    [Fact]
    public void A_checkpoint_is_all_that_recovery_needs()
    {
        var play = Filled(40, Small);
        var outbox = new Outbox<Message, RangeReconciliation.Record, RangeReconciliation.Command, Result>();
        play.At(A).Checkpoint(Calm.Context, outbox);
        var again = Make(A, Small);
        again.Recover([new RangeReconciliation.Record.Stored(Key.Of("older"), Number(1)), .. outbox.Records], Calm.Context, new());
        Assert.Equal(play.At(A).Content(), again.Content());
    }

    [Fact]
    public void Messages_without_room_for_an_answer_cannot_be_configured()
    {
        Assert.Throws<ArgumentException>(() => Make(A, Small with { MostMessageBytes = Small.MostMessageBytes - 1 }));
        Assert.Throws<ArgumentException>(() => Make(A, new() { Branching = 1 }));
        Assert.Throws<ArgumentException>(() => Make(A, new() { MostListed = 8 }));
    }

    private static Play Filled(int items, RangeOptions options)
    {
        var play = Stage(options);
        for (var number = 0; number < items; number++)
        {
            play.Put(A, $"{number:00}", 1);
            play.Put(B, $"{number:00}", 1);
        }

        return play;
    }
}
