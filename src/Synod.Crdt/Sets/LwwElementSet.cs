using Synod.Core;

namespace Synod.Crdt;

/// <summary>What an element is that was added and removed at the very same time.</summary>
public enum Bias : byte
{
    /// <summary>Present if <c>add ≥ remove</c>.</summary>
    Add,

    /// <summary>Present if <c>add &gt; remove</c>.</summary>
    Remove,
}

/// <summary>
/// A set that knows for each element when it was last added and when last removed, by hybrid logical clocks; the later one counts.
/// The bias is the same at all replicas: states of the other bias are malformed.
/// <para>
/// Concurrent operations follow the clocks: what somebody whose clock is ahead has removed stays removed for everybody who has not seen
/// the removal until their clocks have come so far. Refuse such states by <see cref="Newest"/>, or use <see cref="OrSet{T}"/>.
/// </para>
/// </summary>
public sealed class LwwElementSet<T>(IWire<T> wire, Bias bias) : ILattice<LwwElementSet<T>>, ITimestamped
    where T : notnull, IEquatable<T>
{
    private readonly Dictionary<T, Times> _elements = [];

    public byte Tag => Tags.LwwElementSet;

    public Bias Bias => bias;

    public bool IsBottom => _elements.Count == 0;

    /// <summary>The elements, in no particular order.</summary>
    public IEnumerable<T> Elements => _elements.Keys.Where(Contains);

    public HybridTimestamp Newest { get; private set; }

    public bool Contains(T element)
    {
        var (added, removed) = _elements.GetValueOrDefault(element);
        return !added.IsNone && (bias == Bias.Add ? added.Time >= removed.Time : added.Time > removed.Time);
    }

    /// <summary>When an element was last added and removed, as far as known here.</summary>
    public (Stamp Added, Stamp Removed) TimesOf(T element)
    {
        var (added, removed) = _elements.GetValueOrDefault(element);
        return (added, removed);
    }

    /// <summary>Adds an element now, or just after its removal if that was seen and lies ahead of our clock.</summary>
    public LwwElementSet<T> Add(ReplicaId replica, HybridTimestamp now, T element)
    {
        var (added, removed) = _elements.GetValueOrDefault(element);
        return Apply(element, new(Stamp.Max(added, removed).After(now, replica), Stamp.None));
    }

    /// <summary>Removes an element now, or just after its add if that was seen and lies ahead of our clock.</summary>
    public LwwElementSet<T> Remove(ReplicaId replica, HybridTimestamp now, T element)
    {
        var (added, removed) = _elements.GetValueOrDefault(element);
        return Apply(element, new(Stamp.None, Stamp.Max(added, removed).After(now, replica)));
    }

    public LwwElementSet<T> Bottom() => new(wire, bias);

    public bool Join(LwwElementSet<T> other)
    {
        Invariant.Check(bias == other.Bias, "OneBias");
        var changed = false;
        foreach (var (element, theirs) in other._elements)
        {
            var mine = _elements.GetValueOrDefault(element);
            var joined = mine.Join(theirs);
            if (joined != mine)
            {
                Put(element, joined);
                changed = true;
            }
        }

        return changed;
    }

    public bool LessOrEqual(LwwElementSet<T> other) => _elements.All(item => item.Value.LessOrEqual(other._elements.GetValueOrDefault(item.Key)));

    public LwwElementSet<T> Minus(LwwElementSet<T> known)
    {
        var rest = Bottom();
        foreach (var (element, mine) in _elements)
        {
            var missing = mine.Minus(known._elements.GetValueOrDefault(element));
            if (missing != default)
            {
                rest.Put(element, missing);
            }
        }

        return rest;
    }

    public IEnumerable<LwwElementSet<T>> Decompose()
    {
        foreach (var (element, (added, removed)) in _elements)
        {
            if (!added.IsNone)
            {
                yield return Of(element, new(added, Stamp.None));
            }

            if (!removed.IsNone)
            {
                yield return Of(element, new(Stamp.None, removed));
            }
        }
    }

    public void Write(CodecWriter writer)
    {
        writer.Byte((byte)bias);
        writer.Unsigned((ulong)_elements.Count);
        foreach (var (bytes, (_, times)) in Canonical.Sorted(_elements, static item => item.Key, wire))
        {
            writer.Bytes(bytes.Span);
            times.Write(writer);
        }
    }

    public LwwElementSet<T>? Read(ref CodecReader reader)
    {
        if (reader.Byte() != (byte)bias)
        {
            reader.Fail();
        }

        var set = Bottom();
        var scratch = new CodecWriter();
        var last = default(ReadOnlyMemory<byte>?);
        for (var count = reader.Elements(); count > 0 && !reader.Failed; count--)
        {
            var bytes = reader.Slice();
            var element = Canonical.Read(bytes.ToArray(), wire, scratch, out var isValid);
            var times = Times.Read(ref reader);
            if (reader.Failed || !isValid || last?.Span.SequenceCompareTo(bytes.Span) >= 0)
            {
                reader.Fail();
                break;
            }

            set.Put(element!, times);
            last = bytes;
        }

        return reader.Failed ? null : set;
    }

    public override string ToString() =>
        $"{{{string.Join(", ", Canonical.Sorted(_elements, static item => item.Key, wire).Select(item => $"{item.Item.Key} {item.Item.Value}"))}}}";

    private LwwElementSet<T> Of(T element, Times times)
    {
        var set = Bottom();
        set.Put(element, times);
        return set;
    }

    private LwwElementSet<T> Apply(T element, Times times)
    {
        var delta = Of(element, times);
        Join(delta);
        return delta;
    }

    private void Put(T element, Times times)
    {
        _elements[element] = times;
        Newest = HybridTimestamp.Max(Newest, Stamp.Max(times.Added, times.Removed).Time);
    }

    private readonly record struct Times(Stamp Added, Stamp Removed)
    {
        public Times Join(Times other) => new(Stamp.Max(Added, other.Added), Stamp.Max(Removed, other.Removed));

        public bool LessOrEqual(Times other) => Added <= other.Added && Removed <= other.Removed;

        public Times Minus(Times known) => new(
            Added <= known.Added ? Stamp.None : Added, Removed <= known.Removed ? Stamp.None : Removed);

        public void Write(CodecWriter writer)
        {
            writer.Byte((byte)((Added.IsNone ? 0 : 1) | (Removed.IsNone ? 0 : 2)));
            foreach (var stamp in new[] { Added, Removed })
            {
                if (!stamp.IsNone)
                {
                    stamp.Write(writer);
                }
            }
        }

        public static Times Read(ref CodecReader reader)
        {
            var which = reader.Byte();
            if (which is 0 or > 3)
            {
                reader.Fail();
            }

            var added = (which & 1) != 0 ? Stamp.Read(ref reader) : Stamp.None;
            return new(added, (which & 2) != 0 ? Stamp.Read(ref reader) : Stamp.None);
        }

        public override string ToString() => $"+{(Added.IsNone ? "" : $"{Added}")} -{(Removed.IsNone ? "" : $"{Removed}")}";
    }
}
