using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// Range-based set reconciliation for large stores (Meyer 2023): both sides compare what stands for spans of keys, and split those that
/// differ until they are small enough to list. Rounds are logarithmic in the store, bytes are logarithmic for each difference.
/// </summary>
/// <remarks>
/// The responder keeps nothing between messages, and every message is bounded. The initiator has one request under way for each peer and
/// knows what is still open, so a cut link costs one message, and a peer is never flooded.
/// </remarks>
public sealed partial class RangeReconciliation
    : Protocol<RangeReconciliation.Message, RangeReconciliation.Record, RangeReconciliation.Command, RangeReconciliation.Result>
{
    private const int MostBackoff = 6;

    private readonly NodeId _node;
    private readonly NodeSet _members;
    private readonly RangeOptions _options;
    private readonly IItemMerge _merge;
    private readonly ItemTree _items = new();
    private readonly SortedDictionary<NodeId, Session> _sessions = [];

    /// <exception cref="ArgumentException">Messages are too small to move anything on.</exception>
    public RangeReconciliation(NodeId node, NodeSet members, RangeOptions options, IItemMerge merge)
    {
        if (options.Branching < 2 || options.MostListed < options.Branching || options.MostMessageBytes < options.LeastMessageBytes)
        {
            throw new ArgumentException("Spans that differ are split in two or more, and a message has room for that.", nameof(options));
        }

        (_node, _members, _options, _merge) = (node, members, options, merge);
    }

    /// <summary>Kinds of timers; the key of Retry is the peer.</summary>
    public enum Timer
    {
        Retry,
    }

    /// <summary>The replica's items, for reading.</summary>
    public ItemTree Items => _items;

    /// <summary>Peers that this replica reconciles with.</summary>
    public IReadOnlyCollection<NodeId> Peers => _sessions.Keys;

    /// <summary>Spans that are still to be asked about with a peer, those under way included.</summary>
    public int OpenWith(NodeId peer) =>
        _sessions.TryGetValue(peer, out var session) ? session.Open.Count + (session.Outstanding?.Pieces.Length ?? 0) : 0;

    public override void State(StateVisitor visitor)
    {
        List<Content> items = [.. Contents()];
        visitor.Visit("items", items, static (v, ref item) => v.Visit("", ref item, RangeFields.Contents));
        visitor.Visit("sessions", _sessions, static (v, ref node) => v.Visit("", ref node), static (v, ref item) => (item ??= new()).State(v));
        if (visitor.IsReading)
        {
            Load(items);
        }
    }

    /// <summary>All items in one record. A store that keeps contents elsewhere has its own checkpoint; see README.</summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox) =>
        outbox.Persist(new Record.Image([.. Contents()]));

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var record in records)
        {
            Apply(record);
        }
    }

    protected override void OnReceive(
        NodeId from, Message message, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_members.Contains(from) || from == _node)
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        switch (message)
        {
            case Message.Request request:
                On(from, request, outbox);
                break;
            case Message.Reply reply:
                On(from, reply, context, outbox);
                break;
            default:
                outbox.Refuse(Refusal.Malformed);
                break;
        }
    }

    protected override void OnFire(
        TimerId timer, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var peer = new NodeId((int)timer.Key);
        if (_sessions.TryGetValue(peer, out var session) && session.Outstanding is { } request)
        {
            session.Attempts = Math.Min(session.Attempts + 1, MostBackoff);
            Send(peer, session, request, context, outbox);
        }
    }

    protected override void OnSubmit(
        RequestId request, Command command, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (command)
        {
            case Command.Put put when Fits(put.Key, put.Value) && Offer(put.Key, put.Value, outbox):
                outbox.Answer(request, new Result.Stored());
                break;
            case Command.Reconcile reconcile when _members.Without(_node).Contains(reconcile.Peer) && !_sessions.ContainsKey(reconcile.Peer):
                // Drawn, so that an answer to a session of a former life is never taken for one to this.
                var session = new Session { Number = context.Choose(int.MaxValue), Request = request };
                _sessions.Add(reconcile.Peer, session);
                session.Open.AddRange(Parts(KeySpan.All));
                Continue(reconcile.Peer, session, context, outbox);
                break;
            case Command.Abandon abandon when _sessions.Remove(abandon.Peer, out var given):
                outbox.CancelTimer(Retry(abandon.Peer));
                outbox.Answer(given.Request, new Result.Abandoned(abandon.Peer));
                outbox.Answer(request, new Result.Abandoned(abandon.Peer));
                break;
            default:
                outbox.AnswerEarly(request, new Result.Rejected());
                break;
        }
    }

    private static TimerId Retry(NodeId peer) => new((int)Timer.Retry, peer.Value);

    private IEnumerable<Content> Contents() => _items.Within(KeySpan.All).Select(item => new Content(item.Key, item.Value));

    private bool Fits(Key key, ReadOnlyMemory<byte> value) =>
        key.Span.Length <= _options.MostKeyBytes && value.Length <= _options.MostValueBytes;

    /// <summary>Merges content into a key, durably if that changes it; false if the content is malformed.</summary>
    private bool Offer(Key key, ReadOnlyMemory<byte> value, Outbox<Message, Record, Command, Result> outbox)
    {
        var held = _items.TryGet(key, out var item) ? item.Value : default(ReadOnlyMemory<byte>?);
        var merged = _merge.Merge(key, held, value);
        if (merged is null || !Fits(key, merged.Value))
        {
            return false;
        }

        merged = _options.Mutation == RangeMutation.MergeOverwrites ? value : merged;
        if (held is null || !held.Value.Span.SequenceEqual(merged.Value.Span))
        {
            // What came shares memory with its message.
            var record = new Record.Stored(new Key(key.Span.ToArray()), merged.Value.ToArray());
            outbox.Persist(record);
            Apply(record);
        }

        return true;
    }

    private void Apply(Record record)
    {
        switch (record)
        {
            case Record.Stored stored:
                Set(stored.Key, stored.Value);
                break;
            case Record.Image image:
                Load(image.Items);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(record), record, "Not a record of this protocol.");
        }
    }

    private void Load(IEnumerable<Content> items)
    {
        _items.Clear();
        foreach (var (key, value) in items)
        {
            Set(key, value);
        }
    }

    private void Set(Key key, ReadOnlyMemory<byte> value) => _items.Set(
        _options.Mutation == RangeMutation.ContentNotHashed ? new Item(key, value, ItemHash.Of(key, [])) : Item.Of(key, value));
}
