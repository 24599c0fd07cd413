using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// What an initiator still has to do with a peer. All of it is here and nothing is there: a link may be cut, or the peer restarted, and
/// the session goes on where it was.
/// </summary>
internal sealed class Session
{
    private long _number;
    private long _request;
    private long _sequence;
    private long _rounds;
    private long _sent;
    private long _received;
    private int _attempts;
    private RangeReconciliation.Message.Request? _outstanding;

    public long Number { get => _number; init => _number = value; }

    /// <summary>Who waits for its end.</summary>
    public RequestId Request { get => new(_request); init => _request = value.Value; }

    /// <summary>Spans that may differ and are to be asked about, in order. The first are the deepest, so that there are never many.</summary>
    public List<KeySpan> Open { get; } = [];

    /// <summary>What the peer has in spans where it lacks something.</summary>
    public List<Difference> Differences { get; } = [];

    /// <summary>Keys whose content the peer has and this replica lacks.</summary>
    public List<Key> Wants { get; } = [];

    /// <summary>What was asked and not answered.</summary>
    public RangeReconciliation.Message.Request? Outstanding => _outstanding;

    public long Rounds => _rounds;

    public long Sent => _sent;

    public long Received { get => _received; set => _received = value; }

    /// <summary>How often the outstanding request was sent again.</summary>
    public int Attempts { get => _attempts; set => _attempts = value; }

    public bool IsDone => _outstanding is null && Open.Count == 0 && Differences.Count == 0 && Wants.Count == 0;

    public RangeReconciliation.Message.Request Ask(ImmutableArray<Piece> pieces, ImmutableArray<Content> items, ImmutableArray<Key> wants)
    {
        _attempts = 0;
        _rounds++;
        _sent += items.Length;
        return _outstanding = new(_number, ++_sequence, pieces, items, wants);
    }

    /// <summary>The outstanding request is answered: what the answer did not get to is to be asked again.</summary>
    public void Settle(int compared, int served)
    {
        Open.InsertRange(0, _outstanding!.Pieces.Skip(compared).Select(piece => piece.Span));
        Wants.InsertRange(0, _outstanding.Wants.Skip(served));
        _outstanding = null;
    }

    public void State(StateVisitor visitor)
    {
        visitor.Visit("number", ref _number);
        visitor.Visit("request", ref _request);
        visitor.Visit("sequence", ref _sequence);
        visitor.Visit("rounds", ref _rounds);
        visitor.Visit("sent", ref _sent);
        visitor.Visit("received", ref _received);
        visitor.Visit("attempts", ref _attempts);
        visitor.Visit("open", Open, static (v, ref span) => v.Visit("", ref span, RangeFields.Spans));
        visitor.Visit("differences", Differences, static (v, ref item) => v.Visit("", ref item, RangeFields.Differences));
        visitor.Visit("wants", Wants, static (v, ref key) => v.Visit("", ref key, RangeFields.Keys));
        var isOutstanding = _outstanding is not null;
        visitor.Visit("isOutstanding", ref isOutstanding);
        if (isOutstanding)
        {
            RangeReconciliation.Message outstanding = _outstanding!;
            visitor.Visit("outstanding", ref outstanding, RangeFields.Messages);
            _outstanding = (RangeReconciliation.Message.Request)outstanding;
        }
        else
        {
            _outstanding = null;
        }
    }
}

/// <summary>A span of which the peer has <paramref name="Theirs"/>: whatever else is here goes to it.</summary>
internal sealed record Difference(KeySpan Span, ImmutableArray<ItemId> Theirs)
{
    public override string ToString() => $"{Span} beside {{{string.Join(' ', Theirs)}}}";
}
