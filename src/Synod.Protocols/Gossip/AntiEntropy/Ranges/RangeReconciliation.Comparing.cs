using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>Requests and replies: what each says about a span, and what follows from it.</summary>
public sealed partial class RangeReconciliation
{
    private void On(NodeId from, Message.Request request, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!IsSound(request))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        Take(request.Items, outbox);
        var space = _options.MostMessageBytes - RangeOptions.HeadBytes;
        var (items, served) = Serve(request.Wants, space / 2);
        space -= items.Sum(item => item.Size);
        var (pieces, compared) = (new List<Piece>(), 0);
        foreach (var piece in request.Pieces)
        {
            var answer = Answer(piece);
            space -= answer.Sum(part => part.Size);
            if (space < 0)
            {
                break;
            }

            pieces.AddRange(answer);
            compared++;
        }

        var reply = new Message.Reply(
            request.Session,
            request.Sequence,
            _options.Mutation == RangeMutation.ComparedOverstated ? request.Pieces.Length : compared,
            [.. pieces],
            _options.Mutation == RangeMutation.ServedOverstated ? request.Wants.Length : served,
            items);
        if (_options.Mutation == RangeMutation.AckBeforeDurable)
        {
            outbox.SendEarly(from, reply);
        }
        else
        {
            outbox.Send(from, reply);
        }
    }

    private void On(NodeId from, Message.Reply reply, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_sessions.TryGetValue(from, out var session) || session.Outstanding is not { } request || session.Number != reply.Session
            || (request.Sequence != reply.Sequence && _options.Mutation != RangeMutation.SequenceIgnored))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (!IsSound(reply, request))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        session.Settle(reply.Compared, reply.Served);
        session.Received += reply.Items.Length;
        Take(reply.Items, outbox);
        session.Open.InsertRange(0, reply.Pieces.OfType<Piece.Hashed>()
            .Where(piece => FingerprintOf(piece.Span) != piece.Fingerprint).SelectMany(piece => Parts(piece.Span)));
        foreach (var piece in reply.Pieces.OfType<Piece.Listed>())
        {
            Compare(piece, session);
        }

        Continue(from, session, context, outbox);
    }

    /// <summary>Whoever waits is told, or the next request goes out.</summary>
    private void Continue(NodeId peer, Session session, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (session.IsDone)
        {
            _sessions.Remove(peer);
            outbox.CancelTimer(Retry(peer));
            outbox.Answer(session.Request, new Result.Reconciled(peer, session.Rounds, session.Sent, session.Received));
            return;
        }

        var space = _options.MostMessageBytes - RangeOptions.HeadBytes;
        var items = NextItems(session, space / 2);
        space -= items.Sum(item => item.Size);
        var wants = NextWants(session, space / 4);
        space -= wants.Sum(key => key.Span.Length + 5);
        var pieces = ImmutableArray.CreateBuilder<Piece>();
        foreach (var piece in session.Open.Select(Describe))
        {
            space -= piece.Size;
            if (space < 0)
            {
                break;
            }

            pieces.Add(piece);
        }

        session.Open.RemoveRange(0, pieces.Count);
        Send(peer, session, session.Ask(pieces.ToImmutable(), items, wants), context, outbox);
    }

    private void Send(
        NodeId peer, Session session, Message.Request request, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.Send(peer, request);
        outbox.SetTimer(Retry(peer), context.Now + (_options.Retry * (1L << session.Attempts)));
    }

    private Fingerprint FingerprintOf(KeySpan span) => _options.Mutation == RangeMutation.OnlyCounted
        ? ItemHash.Zero.Fingerprint(_items.Total(span).Count)
        : _items.Fingerprint(span);

    /// <summary>The spans that one which differs is asked about in: itself if it is small.</summary>
    private IEnumerable<KeySpan> Parts(KeySpan span) =>
        _items.Total(span).Count <= _options.MostListed ? [span] : Spans(span);

    private IEnumerable<KeySpan> Spans(KeySpan span)
    {
        var spans = _items.Split(span, _options.Branching);
        return _options.Mutation == RangeMutation.BoundsLost
            ? spans.Select(part => part.Start == span.Start ? part : part with { Start = part.Start.Successor() })
            : spans;
    }

    /// <summary>What this replica has in a span.</summary>
    private Piece Describe(KeySpan span) => _items.Total(span).Count <= _options.MostListed
        ? new Piece.Listed(span, [.. _items.Within(span).Select(Id)])
        : new Piece.Hashed(span, FingerprintOf(span));

    private static ItemId Id(Item item) => new(item.Key, item.Hash.Short);

    /// <summary>What this replica has in a span of which it was told something: nothing if that is the same.</summary>
    private List<Piece> Answer(Piece piece)
    {
        var isSame = piece is Piece.Listed listed
            ? listed.Ids.Length == _items.Total(piece.Span).Count && listed.Ids.SequenceEqual(_items.Within(piece.Span).Select(Id))
            : ((Piece.Hashed)piece).Fingerprint == FingerprintOf(piece.Span);
        return isSame ? [] : [.. Parts(piece.Span).Select(Describe)];
    }

    private void Compare(Piece.Listed piece, Session session)
    {
        session.Wants.AddRange(piece.Ids.Where(id => !Has(id)).Select(id => id.Key));
        var difference = new Difference(piece.Span, piece.Ids);
        if (Beside(difference).Any())
        {
            session.Differences.Add(difference);
        }
    }

    private bool Has(ItemId id) => _items.TryGet(id.Key, out var item) && item.Hash.Short == id.Fingerprint;

    /// <summary>The items here in a span that the peer lacks, or has otherwise.</summary>
    private IEnumerable<Item> Beside(Difference difference)
    {
        var at = 0;
        foreach (var item in _items.Within(difference.Span))
        {
            while (at < difference.Theirs.Length && difference.Theirs[at].Key < item.Key)
            {
                at++;
            }

            if (at == difference.Theirs.Length || difference.Theirs[at] != Id(item))
            {
                yield return item;
            }
        }
    }

    /// <summary>Items for the peer, at least one if there is any. They are found as they are sent: there may be as many as there are.</summary>
    private ImmutableArray<Content> NextItems(Session session, int space)
    {
        var items = ImmutableArray.CreateBuilder<Content>();
        while (session.Differences.FirstOrDefault() is { } difference)
        {
            session.Differences.RemoveAt(0);
            foreach (var item in Beside(difference))
            {
                var content = new Content(item.Key, item.Value);
                space -= content.Size;
                if (space < 0 && items.Count > 0)
                {
                    session.Differences.Insert(0, difference with { Span = difference.Span with { Start = item.Key } });
                    return items.ToImmutable();
                }

                items.Add(content);
            }
        }

        return items.ToImmutable();
    }

    private static ImmutableArray<Key> NextWants(Session session, int space)
    {
        var count = 0;
        while (count < session.Wants.Count && (space -= session.Wants[count].Span.Length + 5) >= 0)
        {
            count++;
        }

        ImmutableArray<Key> wants = [.. session.Wants.Take(count)];
        session.Wants.RemoveRange(0, count);
        return wants;
    }

    /// <summary>The contents of wanted keys, at least one, and how many keys that settles. One that is gone meanwhile has none.</summary>
    private (ImmutableArray<Content> Items, int Served) Serve(ImmutableArray<Key> wants, int space)
    {
        var items = ImmutableArray.CreateBuilder<Content>();
        for (var served = 0; served < wants.Length; served++)
        {
            if (_items.TryGet(wants[served], out var item))
            {
                var content = new Content(item.Key, item.Value);
                space -= content.Size;
                if (space < 0 && items.Count > 0)
                {
                    return (items.ToImmutable(), served);
                }

                items.Add(content);
            }
        }

        return (items.ToImmutable(), wants.Length);
    }

    private void Take(ImmutableArray<Content> items, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var (key, value) in items)
        {
            if (!Offer(key, value, outbox))
            {
                outbox.Refuse(Refusal.Malformed);
            }
        }
    }
}
