using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A store for each key, all under the context of whatever holds the map. A key is there as long as its store holds a dot.
/// </summary>
/// <remarks>Tables are walked only where order makes no difference; what is written is sorted.</remarks>
public sealed class DotMap<TKey, TValue>(IWire<TKey> wire, TValue prototype) : IDotStore<DotMap<TKey, TValue>>
    where TKey : notnull, IEquatable<TKey>
    where TValue : class, IDotStore<TValue>
{
    private readonly Dictionary<TKey, TValue> _values = [];

    public bool IsEmpty => _values.Count == 0;

    public int Count => _values.Count;

    /// <summary>The keys, in no particular order.</summary>
    public IReadOnlyCollection<TKey> Keys => _values.Keys;

    /// <summary>What is under a key, for reading; null if nothing is.</summary>
    public TValue? this[TKey key] => _values.GetValueOrDefault(key);

    public DotMap<TKey, TValue> Empty() => new(wire, prototype);

    /// <summary>Makes a change to what is under a key, or to an empty value if nothing is.</summary>
    public Change<DotMap<TKey, TValue>> Update(DotSource source, TKey key, Func<TValue, DotSource, Change<TValue>> change)
    {
        var (value, seen) = change(_values.GetValueOrDefault(key) ?? prototype.Empty(), source);
        var map = Empty();
        map.Put(key, value);
        return new(map, seen);
    }

    /// <summary>Removes a key with all of its value that was seen here; what was changed concurrently stays.</summary>
    public Change<DotMap<TKey, TValue>> Remove(TKey key)
    {
        var dots = new List<Dot>();
        _values.GetValueOrDefault(key)?.ListDots(dots);
        return new(Empty(), CausalContext.Of(dots));
    }

    public bool Join(CausalContext mine, DotMap<TKey, TValue> other, CausalContext theirs)
    {
        var changed = false;
        var live = new List<Dot>();
        other.ListDots(live);
        var removed = theirs.Minus(CausalContext.Of(live));
        foreach (var (key, value) in other._values)
        {
            var own = _values.GetValueOrDefault(key) ?? prototype.Empty();
            live.Clear();
            own.ListDots(live, removed);
            removed = live.Count == 0 ? removed : removed.Minus(CausalContext.Of(live));
            changed |= own.Join(mine, value, theirs);
            Put(key, own);
        }

        // What is left was removed under keys that they do not have any more, if it was here at all.
        return (!removed.IsEmpty && DropSeen(mine, other, theirs)) | changed;
    }

    public DotMap<TKey, TValue> Unseen(CausalContext known)
    {
        var map = Empty();
        foreach (var (key, value) in _values)
        {
            map.Put(key, value.Unseen(known));
        }

        return map;
    }

    public void ListDots(List<Dot> dots, CausalContext? among = null)
    {
        foreach (var value in _values.Values)
        {
            value.ListDots(dots, among);
        }
    }

    public IEnumerable<(Dot Dot, DotMap<TKey, TValue> Part)> Parts()
    {
        foreach (var (key, value) in _values)
        {
            foreach (var (dot, part) in value.Parts())
            {
                var map = Empty();
                map.Put(key, part);
                yield return (dot, map);
            }
        }
    }

    public void Write(CodecWriter writer, CausalContext context)
    {
        writer.Unsigned((ulong)_values.Count);
        foreach (var (bytes, (_, value)) in Canonical.Sorted(_values, static item => item.Key, wire))
        {
            writer.Bytes(bytes.Span);
            value.Write(writer, context);
        }
    }

    public DotMap<TKey, TValue>? Read(ref CodecReader reader, CausalContext context)
    {
        var map = Empty();
        var scratch = new CodecWriter();
        var last = default(ReadOnlyMemory<byte>?);
        for (var count = reader.Elements(); count > 0 && !reader.Failed; count--)
        {
            var bytes = reader.Slice();
            var key = Canonical.Read(bytes.ToArray(), wire, scratch, out var isValid);
            var value = prototype.Read(ref reader, context);
            if (!isValid || value is null || value.IsEmpty || last?.Span.SequenceCompareTo(bytes.Span) >= 0)
            {
                reader.Fail();
                break;
            }

            map._values.Add(key!, value);
            last = bytes;
        }

        return reader.Failed ? null : map;
    }

    public override string ToString() =>
        $"{{{string.Join(", ", Canonical.Sorted(_values, static item => item.Key, wire).Select(item => $"{item.Item.Key}: {item.Item.Value}"))}}}";

    private bool DropSeen(CausalContext mine, DotMap<TKey, TValue> other, CausalContext theirs)
    {
        var changed = false;
        var nothing = prototype.Empty();
        foreach (var (key, value) in _values)
        {
            if (!other._values.ContainsKey(key) && value.Join(mine, nothing, theirs))
            {
                changed = true;
                if (value.IsEmpty)
                {
                    _values.Remove(key);
                }
            }
        }

        return changed;
    }

    /// <summary>A key whose store is empty is no key.</summary>
    private void Put(TKey key, TValue value)
    {
        if (value.IsEmpty)
        {
            _values.Remove(key);
            return;
        }

        _values[key] = value;
    }
}
