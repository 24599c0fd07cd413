using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Which rumors a node knows, which may be its own next one, and which of others it believes.</summary>
internal sealed class KnownRumors(NodeId self, long incarnation, RumorLimits limits, RumorsMutation mutation)
{
    private readonly SortedDictionary<(NodeId Node, long Incarnation), CounterRanges> _known = [];
    private readonly long _incarnation = mutation == RumorsMutation.IncarnationIgnored ? 0 : incarnation;
    private readonly SortedSet<NodeId> _former = [];
    private long _counter;

    /// <summary>The number of this node's last rumor.</summary>
    public long Counter => _counter;

    /// <summary>
    /// Starts a rumor, or answers that it is too long. The record comes before anybody hears of it, the client included: an id has one body
    /// in all lives of its origin.
    /// </summary>
    public Rumor? Start<TMessage>(
        RequestId request, ReadOnlyMemory<byte> body, Outbox<TMessage, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (body.Length > limits.MostBodyBytes)
        {
            outbox.AnswerEarly(request, new RumorResult.Refused(Refusal.Malformed));
            return null;
        }

        var rumor = new Rumor(new RumorId(self, ++_counter, _incarnation), body.ToArray());
        Of(rumor.Id).Fill(_counter);
        outbox.Persist(new RumorRecord.Started(rumor));
        outbox.Answer(request, new RumorResult.Started(rumor.Id));
        return rumor;
    }

    /// <summary>What a host is answered that found a rumor which is nothing new, or not to be believed; null for news.</summary>
    public RumorResult? AnswerToFound(Rumor rumor, PeerView view) =>
        Judge(rumor, view) is { } refusal ? new RumorResult.Refused(refusal) : Knows(rumor.Id) ? new RumorResult.Learned(false) : null;

    /// <summary>Takes the records of earlier lives: the rumors in them, which may not have been told to anybody.</summary>
    public IReadOnlyList<Rumor> Redo(IEnumerable<RumorRecord> records)
    {
        List<Rumor> started = [];
        foreach (var record in records)
        {
            switch (record)
            {
                case RumorRecord.Started own:
                    started.Add(own.Rumor.Kept());
                    Redo(own.Rumor.Id.Counter);
                    break;
                case RumorRecord.Counted counted:
                    Redo(counted.Counter);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(records), record, "Not a record of this protocol.");
            }
        }

        return mutation == RumorsMutation.OwnForgotten ? [] : started;
    }

    /// <summary>Persists anew what is needed of all records before: the number, and those of the rumors told here that are one's own.</summary>
    public void Checkpoint<TMessage>(IEnumerable<Rumor> told, Outbox<TMessage, RumorRecord, RumorCommand, RumorResult> outbox)
    {
        if (_counter > 0)
        {
            outbox.Persist(new RumorRecord.Counted(_counter));
        }

        foreach (var rumor in told.Where(rumor => rumor.Id.Origin == self))
        {
            outbox.Persist(new RumorRecord.Started(rumor));
        }
    }

    public bool Knows(RumorId id) => _known.TryGetValue(Origin(id), out var numbers) && numbers.Contains(id.Counter);

    /// <summary>Remembers a rumor; false if there is no room for it before anti-entropy has closed gaps.</summary>
    public bool TryAdd(RumorId id) =>
        (_known.ContainsKey(Origin(id)) || _known.Count < limits.MostOrigins) && Of(id).TryAdd(id.Counter, limits.MostRanges);

    /// <summary>Why a rumor is refused, whoever brings it; null if it may be believed.</summary>
    public Refusal? Judge(Rumor rumor, PeerView view)
    {
        if (rumor.Body.Length > limits.MostBodyBytes && mutation != RumorsMutation.SizeUnchecked)
        {
            return Refusal.Malformed;
        }

        return Judge(rumor.Id, view);
    }

    /// <summary>Why an id is refused; null if there may be such a rumor.</summary>
    public Refusal? Judge(RumorId id, PeerView view)
    {
        // Only this node gives out its numbers: whoever tells it of one that it has not given out made it up. Those of a life before its
        // disk was lost are as much news to it as anybody's.
        if (id.Origin == self && id.Incarnation == _incarnation)
        {
            return id.Counter > _counter && mutation != RumorsMutation.OwnNumbersUnchecked ? Refusal.Forged : null;
        }

        var isMember = !view.IsWhole || id.Origin == self || view.Contains(id.Origin) || _former.Contains(id.Origin);
        return isMember || mutation == RumorsMutation.OriginUnchecked ? null : Refusal.NotMember;
    }

    /// <summary>The view changes. What those who left have started is still true.</summary>
    public void Meet(PeerView old, PeerView now)
    {
        foreach (var node in old.Nodes)
        {
            if (!now.Contains(node) && mutation != RumorsMutation.FormerForgotten)
            {
                _former.Add(node);
            }
        }

        _former.RemoveWhere(now.Contains);
        while (_former.Count > limits.MostFormer)
        {
            _former.Remove(_former.Min);
        }
    }

    public void State(StateVisitor visitor)
    {
        visitor.Visit("counter", ref _counter);
        visitor.Visit("known", _known, VisitOrigin, static (v, ref numbers) => (numbers ??= new()).State(v));
        List<NodeId> former = [.. _former];
        visitor.Visit("former", former, static (v, ref node) => v.Visit("", ref node));
        if (visitor.IsReading)
        {
            _former.Clear();
            _former.UnionWith(former);
        }
    }

    private void Redo(long counter)
    {
        if (mutation != RumorsMutation.CounterForgotten)
        {
            _counter = Math.Max(_counter, counter);
            Of(new RumorId(self, _counter, _incarnation)).Fill(_counter);
        }
    }

    private CounterRanges Of(RumorId id)
    {
        if (!_known.TryGetValue(Origin(id), out var numbers))
        {
            _known.Add(Origin(id), numbers = new CounterRanges());
        }

        return numbers;
    }

    private (NodeId Node, long Incarnation) Origin(RumorId id) =>
        mutation == RumorsMutation.VersionsWithoutOrigin ? default : (id.Origin, id.Incarnation);

    private static void VisitOrigin(StateVisitor visitor, ref (NodeId Node, long Incarnation) origin)
    {
        var (node, incarnation) = origin;
        visitor.Visit("", ref node);
        visitor.Visit("/", ref incarnation);
        origin = (node, incarnation);
    }
}
