using Synod.Core;
using Synod.Crdt;
using Synod.Protocols.Gossip.AntiEntropy;
using Synod.Simulation.Histories;

namespace Synod.Lab.Worlds.AntiEntropyRoom;

/// <summary>
/// A counter, a set, a map, registers, a list and a stock that are replicated together, and beside them the ids of the operations that
/// went into them. Ids travel in the deltas that they belong to, so a replica's ids say what it has observed, by other means than
/// the dots that the objects go by.
/// </summary>
/// <param name="note">Hears of each operation when it is carried out.</param>
internal sealed class Shop(Action<ConvergentOperation>? note) : IConvergentState
{
    private static readonly Duration s_maxSkew = Duration.FromSeconds(60);

    private readonly SortedSet<long> _observed = [];
    private Part[] _parts = Least();
    private HybridClock _clock = new(s_maxSkew);
    private ReplicaId _self;

    public IReadOnlySet<long> Observed => _observed;

    public int Tombstones => Lines.Tombstones;

    private PnCounter Likes => ((Part<PnCounter>)_parts[0]).State;

    private OrSet<string> Tags => ((Part<OrSet<string>>)_parts[1]).State;

    private OrMap<string, DotFun<long>> Cart => ((Part<OrMap<string, DotFun<long>>>)_parts[2]).State;

    private MvRegister<string> Notes => ((Part<MvRegister<string>>)_parts[3]).State;

    private LwwRegister<string> Title => ((Part<LwwRegister<string>>)_parts[4]).State;

    private Sequence<string> Lines => ((Part<Sequence<string>>)_parts[5]).State;

    private BoundedCounter Stock => ((Part<BoundedCounter>)_parts[6]).State;

    public void Become(Origin self) => _self = Replica(self);

    public ReadOnlyMemory<byte> Mutate(ReadOnlyMemory<byte> command, StepContext context, out ReadOnlyMemory<byte> answer)
    {
        var asked = ShopCommand.Read(command);
        var before = new HashSet<long>(_observed);
        var made = new Shop(null);
        var operation = Carry(asked, context.TrueTime.Latest, made._parts);

        // Handing rights on changes nothing that anybody can see.
        var isSeen = operation is not null && asked.Action != ShopAction.Hand;
        answer = new[] { isSeen ? (byte)1 : (byte)0 };
        if (operation is null)
        {
            return default;
        }

        if (isSeen)
        {
            note?.Invoke(operation with { Observed = before });
            made._observed.Add(asked.Id);
            _observed.Add(asked.Id);
        }

        return made.Save();
    }

    public ReadOnlyMemory<byte>? Join(ReadOnlyMemory<byte> delta)
    {
        var other = new Shop(null);
        if (!other.TryRead(delta))
        {
            return null;
        }

        var novel = new Shop(null);
        for (var at = 0; at < _parts.Length; at++)
        {
            novel._parts[at] = other._parts[at].Minus(_parts[at]);
            _parts[at].Join(novel._parts[at]);
        }

        novel._observed.UnionWith(other._observed.Except(_observed));
        _observed.UnionWith(novel._observed);
        return novel._observed.Count == 0 && novel._parts.All(part => part.IsBottom) ? ReadOnlyMemory<byte>.Empty : novel.Save();
    }

    public ReadOnlyMemory<byte> Merge(IReadOnlyList<ReadOnlyMemory<byte>> deltas)
    {
        if (deltas.Count == 1)
        {
            return deltas[0];
        }

        var merged = new Shop(null);
        foreach (var delta in deltas)
        {
            merged.Join(delta);
        }

        return merged.Save();
    }

    public ReadOnlyMemory<byte> Save()
    {
        var writer = new CodecWriter();
        writer.Unsigned((ulong)_observed.Count);
        foreach (var id in _observed)
        {
            writer.Signed(id);
        }

        foreach (var part in _parts)
        {
            part.Write(writer);
        }

        return writer.ToArray();
    }

    public void Load(ReadOnlyMemory<byte> state)
    {
        _observed.Clear();
        _parts = Least();
        _clock = new HybridClock(s_maxSkew);
        Invariant.Check(state.IsEmpty || TryRead(state), "StatesLoad");
    }

    public ReadOnlyMemory<byte>? Digest()
    {
        var writer = new CodecWriter();
        foreach (var part in _parts)
        {
            part.Context?.Write(writer);
        }

        return writer.ToArray();
    }

    public ReadOnlyMemory<byte>? MissingTo(ReadOnlyMemory<byte> digest)
    {
        if (ReadDigest(digest) is not { } seen)
        {
            return null;
        }

        var missing = new Shop(null);
        missing._observed.UnionWith(_observed);
        for (var at = 0; at < _parts.Length; at++)
        {
            missing._parts[at] = _parts[at].MissingTo(seen[at]);
        }

        return missing.Save();
    }

    public ReadOnlyMemory<byte> Compact(IReadOnlyList<ReadOnlyMemory<byte>> digests)
    {
        // What a member has seen counts once all of it is here: nothing that it did before can still come.
        var stable = Lines.Context.Copy();
        foreach (var digest in digests)
        {
            if (ReadDigest(digest) is not { } seen || !seen[5].LessOrEqual(Lines.Context))
            {
                return default;
            }

            stable = stable.Intersect(seen[5]);
        }

        var made = new Shop(null);
        made.Lines.Join(Lines.Compact(stable));
        return made.Lines.IsBottom ? default : made.Save();
    }

    /// <summary>What this replica shows.</summary>
    public ConvergentView View(string replica) => new(replica, new HashSet<long>(_observed), new SortedDictionary<ConvergentType, IReadOnlyList<ConvergentItem>>
    {
        [ConvergentType.Counter] = [new("", (long)Likes.Value)],
        [ConvergentType.BoundedCounter] = [new("", (long)Stock.Value)],
        [ConvergentType.AddWinsSet] = [.. Tags.Elements.Order(StringComparer.Ordinal).Select(tag => new ConvergentItem(tag))],
        [ConvergentType.AddWinsMap] =
            [.. Cart.Keys.Order(StringComparer.Ordinal).Select(key => new ConvergentItem(key, (long)ResettableCounter.Sum(Cart[key]!)))],
        [ConvergentType.MultiValueRegister] = [.. Notes.Values.Order(StringComparer.Ordinal).Select(value => new ConvergentItem(value))],
        [ConvergentType.LastWriterRegister] = Title.TryGet(out var title) ? [new(title)] : [],
        [ConvergentType.Sequence] = [.. Lines.Values.Select((value, place) => new ConvergentItem(value, place))],
    });

    public static ReplicaId Replica(Origin origin) => new(origin.Node, (ulong)origin.Incarnation);

    private static Part[] Least() =>
    [
        new Part<PnCounter>(new()),
        new CausalPart<OrSet<string>, AddWinsStore<string>>(new(Wires.Text)),
        new CausalPart<OrMap<string, DotFun<long>>, DotMap<string, DotFun<long>>>(new(Wires.Text, new(Wires.Int64))),
        new CausalPart<MvRegister<string>, DotFun<string>>(new(Wires.Text)),
        new Part<LwwRegister<string>>(new(Wires.Text)),
        new CausalPart<Sequence<string>, SequenceStore<string>>(new(Wires.Text)),
        new Part<BoundedCounter>(new()),
    ];

    /// <summary>Does what is asked, into <paramref name="delta"/> too; null if it cannot be done here.</summary>
    private ConvergentOperation? Carry(ShopCommand asked, Timestamp now, Part[] delta)
    {
        var (id, action, text, number) = asked;
        switch (action)
        {
            case ShopAction.Like:
                return Made(0, Likes.Add(_self, number), ConvergentType.Counter, amount: number);
            case ShopAction.Tag:
                return Made(1, Tags.Add(_self, text), ConvergentType.AddWinsSet, text);
            case ShopAction.Untag:
                return Made(1, Tags.Remove(text), ConvergentType.AddWinsSet, text, isRemoval: true);
            case ShopAction.Put:
                return Made(
                    2, Cart.Update(_self, text, (store, source) => ResettableCounter.Increment(store, source, number)), ConvergentType.AddWinsMap, text, number);
            case ShopAction.Drop:
                return Made(2, Cart.Remove(text), ConvergentType.AddWinsMap, text, isRemoval: true);
            case ShopAction.Note:
                return Made(3, Notes.Set(_self, text), ConvergentType.MultiValueRegister, text);
            case ShopAction.Title:
                return Made(4, Title.Set(_self, _clock.Tick(now), text), ConvergentType.LastWriterRegister, text);
            case ShopAction.Insert:
                var place = (int)(number % (Lines.Count + 1));
                var after = place == 0 ? "" : Lines[place - 1];
                return Made(5, Lines.Insert(_self, place, text), ConvergentType.Sequence, text, after: after);
            case ShopAction.Delete when Lines.Count > 0:
                var index = (int)(number % Lines.Count);
                var line = Lines[index];
                return Made(5, Lines.Delete(_self, index), ConvergentType.Sequence, line, isRemoval: true);
            case ShopAction.Stock:
                return Made(6, Stock.Increment(_self, (ulong)number), ConvergentType.BoundedCounter, amount: number);
            case ShopAction.Sell when Stock.TryDecrement(_self, (ulong)number, out var sold):
                return Made(6, sold, ConvergentType.BoundedCounter, amount: -number);
            case ShopAction.Hand when Peer(text) is { } peer && Stock.TryTransfer(_self, peer, (ulong)number, out var handed):
                return Made(6, handed, ConvergentType.BoundedCounter);
            default:
                return null;
        }

        ConvergentOperation Made<T>(
            int at, T part, ConvergentType type, string element = "", long amount = 0, string after = "", bool isRemoval = false)
            where T : class, ILattice<T>
        {
            ((Part<T>)delta[at]).State.Join(part);
            return new ConvergentOperation(id, type, isRemoval, element, amount, after, _observed);
        }
    }

    /// <summary>A replica by its text form; null if it is none.</summary>
    private static ReplicaId? Peer(string text)
    {
        var reader = new CodecReader(Convert.FromHexString(text));
        var origin = OriginWire.Instance.Read(ref reader);
        return reader.IsComplete ? Replica(origin) : null;
    }

    private CausalContext[]? ReadDigest(ReadOnlyMemory<byte> digest)
    {
        var reader = new CodecReader(digest);
        var seen = new CausalContext[_parts.Length];
        for (var at = 0; at < _parts.Length; at++)
        {
            seen[at] = _parts[at].Context is null ? new CausalContext() : CausalContext.Read(ref reader);
        }

        return reader.IsComplete ? seen : null;
    }

    private bool TryRead(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        for (var count = reader.Count(); count > 0 && !reader.Failed; count--)
        {
            _observed.Add(reader.Signed());
        }

        var parts = new Part[_parts.Length];
        for (var at = 0; at < parts.Length; at++)
        {
            if (_parts[at].Read(ref reader) is not { } read)
            {
                return false;
            }

            parts[at] = read;
        }

        _parts = parts;
        return reader.IsComplete;
    }
}
