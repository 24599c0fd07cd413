using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// The dots that were ever observed: a version vector and its exceptions in one (Almeida et al. 2018, §7.2). A dot that is in a
/// state's context and not in its store was removed there; so a context never holds a dot that was not seen.
/// </summary>
public sealed class CausalContext : IEquatable<CausalContext>
{
    /// <summary>The entry of a context that has had no more, as those of deltas: it needs no array.</summary>
    private Entry _only;

    private Entry[]? _many;
    private int _count;

    public CausalContext()
    {
    }

    /// <summary>The context of one dot.</summary>
    internal CausalContext(Dot dot) => (_only, _count) = (new(dot.Replica, new DotRanges(new DotRange(dot.Counter, dot.Counter))), 1);

    public bool IsEmpty => _count == 0;

    /// <summary>How many dots were observed; the largest number if there are more, as somebody may claim.</summary>
    public ulong DotCount
    {
        get
        {
            UInt128 count = 0;
            foreach (ref readonly var entry in Entries)
            {
                count += entry.Seen.Count;
            }

            return (ulong)UInt128.Min(count, ulong.MaxValue);
        }
    }

    /// <summary>How many ranges it takes to tell them: as many as there are replicas, if nothing is missing in between.</summary>
    public int RangeCount
    {
        get
        {
            var count = 0;
            foreach (ref readonly var entry in Entries)
            {
                count += entry.Seen.Length;
            }

            return count;
        }
    }

    /// <summary>The replicas of which something was observed, in ascending order.</summary>
    public IEnumerable<ReplicaId> Replicas => Enumerable.Range(0, _count).Select(index => Entries[index].Replica);

    /// <summary>The context of some dots, in any order.</summary>
    public static CausalContext Of(params IEnumerable<Dot> dots)
    {
        var context = new CausalContext();
        var sorted = dots.ToArray();
        Array.Sort(sorted);
        for (int from = 0, to; from < sorted.Length; from = to)
        {
            var replica = sorted[from].Replica;
            to = from + 1;
            while (to < sorted.Length && sorted[to].Replica == replica)
            {
                to++;
            }

            var counters = sorted[from..to].Select(dot => new DotRange(dot.Counter, dot.Counter));
            context.Insert(context._count, new(replica, DotRanges.Of(counters)));
        }

        return context;
    }

    public bool Contains(Dot dot)
    {
        var index = Find(dot.Replica);
        return index >= 0 && Entries[index].Seen.Contains(dot.Counter);
    }

    /// <summary>The last event of a replica up to which there is no gap; 0 if its first was not seen.</summary>
    public ulong Prefix(ReplicaId replica)
    {
        var index = Find(replica);
        return index >= 0 ? Entries[index].Seen.Prefix : 0;
    }

    /// <summary>The last event of a replica that was seen, whatever is missing before it; 0 if there is none.</summary>
    internal ulong Highest(ReplicaId replica)
    {
        var index = Find(replica);
        return index >= 0 ? Entries[index].Seen.Highest : 0;
    }

    /// <summary>The first dot of a replica that is above all that were seen of it.</summary>
    /// <exception cref="OverflowException">The last one was seen.</exception>
    public Dot Next(ReplicaId replica)
    {
        var index = Find(replica);
        return new(replica, index >= 0 ? Entries[index].Seen.Next : 1);
    }

    /// <summary>Makes the next dot of a replica and takes note of it.</summary>
    internal Dot Extend(ReplicaId replica)
    {
        var index = Find(replica);
        if (index < 0)
        {
            Insert(~index, new(replica, new DotRanges(new DotRange(1, 1))));
            return new(replica, 1);
        }

        ref var entry = ref Entries[index];
        var counter = entry.Seen.Next;
        entry = new(replica, entry.Seen.Union(new DotRanges(new DotRange(counter, counter))));
        return new(replica, counter);
    }

    /// <summary>Takes note of a dot. False if it was known.</summary>
    public bool Add(Dot dot)
    {
        var index = Find(dot.Replica);
        var one = new DotRanges(new DotRange(dot.Counter, dot.Counter));
        if (index < 0)
        {
            Insert(~index, new(dot.Replica, one));
            return true;
        }

        ref var entry = ref Entries[index];
        if (entry.Seen.Contains(dot.Counter))
        {
            return false;
        }

        entry = new(entry.Replica, entry.Seen.Union(one));
        return true;
    }

    /// <summary>The union of both; true if that is more than it was.</summary>
    public bool Join(CausalContext other)
    {
        var changed = false;
        foreach (ref readonly var theirs in other.Entries)
        {
            var index = Find(theirs.Replica);
            if (index < 0)
            {
                Insert(~index, theirs);
                changed = true;
                continue;
            }

            ref var mine = ref Entries[index];
            if (!mine.Seen.Covers(theirs.Seen))
            {
                mine = new(mine.Replica, mine.Seen.Union(theirs.Seen));
                changed = true;
            }
        }

        return changed;
    }

    /// <summary>Whether everything in here is in <paramref name="other"/>.</summary>
    public bool LessOrEqual(CausalContext other)
    {
        foreach (ref readonly var mine in Entries)
        {
            var index = other.Find(mine.Replica);
            if (index < 0 || !other.Entries[index].Seen.Covers(mine.Seen))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The dots in here that are not in <paramref name="other"/>.</summary>
    public CausalContext Minus(CausalContext other)
    {
        var rest = new CausalContext();
        foreach (ref readonly var mine in Entries)
        {
            var index = other.Find(mine.Replica);
            var seen = index < 0 ? mine.Seen : mine.Seen.Except(other.Entries[index].Seen);
            if (!seen.IsEmpty)
            {
                rest.Insert(rest._count, new(mine.Replica, seen));
            }
        }

        return rest;
    }

    /// <summary>The dots in both.</summary>
    public CausalContext Intersect(CausalContext other) => Minus(Minus(other));

    /// <summary>The version vector by itself: what was seen without a gap.</summary>
    public CausalContext Prefixes()
    {
        var prefixes = new CausalContext();
        foreach (ref readonly var entry in Entries)
        {
            if (entry.Seen.Prefix > 0)
            {
                prefixes.Insert(prefixes._count, new(entry.Replica, new DotRanges(new DotRange(1, entry.Seen.Prefix))));
            }
        }

        return prefixes;
    }

    public CausalContext Copy() => new() { _only = _only, _many = _many is null ? null : Entries.ToArray(), _count = _count };

    /// <summary>Every dot, in ascending order.</summary>
    public IEnumerable<Dot> Dots()
    {
        for (var at = 0; at < _count; at++)
        {
            var (replica, seen) = Entries[at];
            for (var index = 0; index < seen.Length; index++)
            {
                for (var counter = seen[index].From; counter <= seen[index].To; counter++)
                {
                    yield return new(replica, counter);
                }
            }
        }
    }

    public void Write(CodecWriter writer)
    {
        writer.Unsigned((ulong)_count);
        foreach (var (replica, seen) in Entries)
        {
            writer.Replica(replica);
            writer.Unsigned((ulong)seen.Length);
            var last = 0UL;
            for (var index = 0; index < seen.Length; index++)
            {
                writer.Unsigned(seen[index].From - last);
                writer.Unsigned(seen[index].To - seen[index].From);
                last = seen[index].To;
            }
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote. The reader fails if replicas or ranges are out of order, or ranges touch.</summary>
    public static CausalContext Read(ref CodecReader reader)
    {
        var context = new CausalContext();
        var last = default(ReplicaId?);
        for (var count = reader.Elements(); count > 0 && !reader.Failed; count--)
        {
            var replica = reader.Replica();
            var ranges = ReadRanges(ref reader);
            if (last is { } before && replica.CompareTo(before) <= 0)
            {
                reader.Fail();
            }

            context.Insert(context._count, new(replica, ranges));
            last = replica;
        }

        return context;
    }

    public bool Equals(CausalContext? other) => other is not null && LessOrEqual(other) && other.LessOrEqual(this);

    public override bool Equals(object? obj) => Equals(obj as CausalContext);

    /// <summary>Contexts change: they are no keys.</summary>
    [SuppressMessage("Design", "CA1065", Justification = "A mutable key would be lost in its table.")]
    public override int GetHashCode() => throw new NotSupportedException("A causal context changes and is no key.");

    public override string ToString() => $"{{{string.Join(" ", Entries.ToArray())}}}";

    /// <summary>Where a replica is in the order; for writing dots by it.</summary>
    internal int IndexOf(ReplicaId replica) => Find(replica);

    /// <summary>The replica at a place that was read; the reader fails if there is none.</summary>
    internal ReplicaId ReplicaAt(ref CodecReader reader)
    {
        var index = reader.Minimal();
        if (index < (ulong)_count)
        {
            return Entries[(int)index].Replica;
        }

        reader.Fail();
        return default;
    }

    private static DotRanges ReadRanges(ref CodecReader reader)
    {
        var ranges = new List<DotRange>();
        var last = 0UL;
        var count = reader.Elements();
        if (count == 0)
        {
            reader.Fail();
        }

        for (; count > 0 && !reader.Failed; count--)
        {
            // Ranges that touch are one, so that equal sets are equal bytes.
            var (gap, extent) = (reader.Minimal(), reader.Minimal());
            if (gap < (ranges.Count == 0 ? 1UL : 2UL) || gap > Dot.MaxCounter || extent > Dot.MaxCounter
                || last + gap > Dot.MaxCounter || last + gap + extent > Dot.MaxCounter)
            {
                reader.Fail();
                break;
            }

            ranges.Add(new(last + gap, last + gap + extent));
            last += gap + extent;
        }

        return DotRanges.Of(ranges);
    }

    private Span<Entry> Entries => _many is null ? MemoryMarshal.CreateSpan(ref _only, _count) : _many.AsSpan(0, _count);

    private void Insert(int index, Entry entry)
    {
        if (_count == 0 && _many is null)
        {
            (_only, _count) = (entry, 1);
            return;
        }

        if (_many is null)
        {
            _many = [_only, default];
        }
        else if (_count == _many.Length)
        {
            Array.Resize(ref _many, _count * 2);
        }

        _many.AsSpan(index, _count - index).CopyTo(_many.AsSpan(index + 1));
        _many[index] = entry;
        _count++;
    }

    private int Find(ReplicaId replica)
    {
        var entries = Entries;
        var (low, high) = (0, entries.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            var order = entries[middle].Replica.CompareTo(replica);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle);
        }

        return ~low;
    }

    private readonly record struct Entry(ReplicaId Replica, DotRanges Seen)
    {
        public override string ToString()
        {
            var seen = Seen;
            var ranges = Enumerable.Range(0, seen.Length).Select(index => seen[index]);
            return $"{Replica}:{string.Join(",", ranges.Select(range => range.From == range.To ? $"{range.From}" : $"{range.From}-{range.To}"))}";
        }
    }
}
