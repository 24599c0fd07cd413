using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>What must hold, of ourselves and of what arrives.</summary>
public sealed partial class RangeReconciliation
{
    /// <summary>Both sides of a session that ended have everything that either had when it began. Over two nodes, so hosts check it.</summary>
    public const string ReconciledIsEqual = nameof(ReconciledIsEqual);

    /// <summary>What was told to be there is still there after a crash. Over time, so hosts check it.</summary>
    public const string AcknowledgedIsKept = nameof(AcknowledgedIsKept);

    /// <summary>Spans that are still open are in order and do not overlap.</summary>
    public const string OpenSpansAreDisjoint = nameof(OpenSpansAreDisjoint);

    /// <summary>No message is larger than the options allow.</summary>
    public const string MessagesAreBounded = nameof(MessagesAreBounded);

    public override void CheckInvariants()
    {
        foreach (var (peer, session) in _sessions)
        {
            Invariant.Check(
                _options.Mutation == RangeMutation.SequenceIgnored || AreDisjoint(session.Open), OpenSpansAreDisjoint, $"with {peer}: {string.Join(' ', session.Open)}");
            Invariant.Check(
                session.Outstanding is not { } request || SizeOf(request.Pieces, request.Items, request.Wants) <= _options.MostMessageBytes,
                MessagesAreBounded,
                $"with {peer}");
        }
    }

    private static int SizeOf(ImmutableArray<Piece> pieces, ImmutableArray<Content> items, ImmutableArray<Key> wants) =>
        pieces.Sum(piece => piece.Size) + items.Sum(item => item.Size) + wants.Sum(key => key.Span.Length + 5);

    private static bool AreDisjoint(IEnumerable<KeySpan> spans)
    {
        KeySpan? last = null;
        foreach (var span in spans)
        {
            if (span.IsEmpty || (last is { } before && (before.End.IsEmpty || span.Start < before.End)))
            {
                return false;
            }

            last = span;
        }

        return true;
    }

    private bool IsSound(Message.Request request) =>
        AreSound(request.Pieces) && request.Items.All(item => Fits(item.Key, item.Value))
        && request.Wants.All(key => key.Span.Length <= _options.MostKeyBytes)
        && SizeOf(request.Pieces, request.Items, request.Wants) <= _options.MostMessageBytes;

    /// <summary>A reply speaks of what was asked, and only of that.</summary>
    private bool IsSound(Message.Reply reply, Message.Request request)
    {
        if (reply.Compared < 0 || reply.Compared > request.Pieces.Length || reply.Served < 0 || reply.Served > request.Wants.Length
            || !AreSound(reply.Pieces) || !reply.Items.All(item => Fits(item.Key, item.Value))
            || SizeOf(reply.Pieces, reply.Items, []) > _options.MostMessageBytes)
        {
            return false;
        }

        var asked = 0;
        foreach (var piece in reply.Pieces)
        {
            while (asked < reply.Compared && !request.Pieces[asked].Span.Contains(piece.Span))
            {
                asked++;
            }

            if (asked == reply.Compared)
            {
                return false;
            }
        }

        return true;
    }

    private bool AreSound(ImmutableArray<Piece> pieces) =>
        AreDisjoint(pieces.Select(piece => piece.Span))
        && pieces.All(piece => piece.Span.Start.Span.Length <= _options.MostKeyBytes && piece.Span.End.Span.Length <= _options.MostKeyBytes
            && (piece is not Piece.Listed listed || IsInOrder(listed)));

    private static bool IsInOrder(Piece.Listed piece)
    {
        for (var at = 0; at < piece.Ids.Length; at++)
        {
            if (!piece.Span.Contains(piece.Ids[at].Key) || (at > 0 && piece.Ids[at - 1].Key >= piece.Ids[at].Key))
            {
                return false;
            }
        }

        return true;
    }
}
