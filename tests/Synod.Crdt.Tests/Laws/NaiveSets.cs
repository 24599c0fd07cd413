using System.Globalization;
using Synod.Core;

namespace Synod.Crdt.Tests.Laws;

/// <summary>
/// The chapter's naive OR-Set: a set of unique tags for each element, a removal deletes tags, and a merge unions what is left. It
/// brings every removed element back.
/// </summary>
internal sealed class NaiveOrSet : ILattice<NaiveOrSet>
{
    private readonly SortedDictionary<string, SortedSet<Dot>> _tags = new(StringComparer.Ordinal);
    private ulong _counter;

    public byte Tag => 200;

    public bool IsBottom => _tags.Count == 0;

    public NaiveOrSet Add(ReplicaId replica, string element)
    {
        var delta = new NaiveOrSet();
        var tag = new Dot(replica, ++_counter);
        delta._tags[element] = [tag];
        Join(delta);
        return delta;
    }

    public NaiveOrSet Remove(string element)
    {
        _tags.Remove(element);
        return Bottom();
    }

    public NaiveOrSet Bottom() => new();

    public bool Join(NaiveOrSet other)
    {
        var changed = false;
        foreach (var (element, tags) in other._tags)
        {
            if (!_tags.TryGetValue(element, out var own))
            {
                _tags.Add(element, own = []);
            }

            foreach (var tag in tags)
            {
                changed |= own.Add(tag);
            }
        }

        _counter = Math.Max(_counter, other._counter);
        return changed;
    }

    public bool LessOrEqual(NaiveOrSet other) =>
        _tags.All(item => other._tags.TryGetValue(item.Key, out var tags) && item.Value.IsSubsetOf(tags));

    public NaiveOrSet Minus(NaiveOrSet known)
    {
        var rest = Bottom();
        foreach (var part in Decompose().Where(part => !part.LessOrEqual(known)))
        {
            rest.Join(part);
        }

        return rest;
    }

    public IEnumerable<NaiveOrSet> Decompose()
    {
        foreach (var (element, tags) in _tags)
        {
            foreach (var tag in tags)
            {
                var part = Bottom();
                part._tags[element] = [tag];
                yield return part;
            }
        }
    }

    public void Write(CodecWriter writer)
    {
        writer.Unsigned((ulong)_tags.Count);
        foreach (var (element, tags) in _tags)
        {
            writer.String(element);
            writer.Unsigned((ulong)tags.Count);
            foreach (var tag in tags)
            {
                writer.Replica(tag.Replica);
                writer.Unsigned(tag.Counter);
            }
        }
    }

    public NaiveOrSet? Read(ref CodecReader reader)
    {
        var set = Bottom();
        for (var elements = reader.Count(); elements > 0; elements--)
        {
            var element = reader.String();
            var tags = set._tags[element] = [];
            for (var count = reader.Count(); count > 0; count--)
            {
                tags.Add(new(reader.Replica(), reader.Unsigned()));
            }
        }

        return set;
    }

    public override string ToString() => Checkers.Braced(_tags.Keys);
}

/// <summary>A counter that keeps the difference of each replica and joins by the larger: what was taken comes back.</summary>
internal sealed class DifferenceCounter : ILattice<DifferenceCounter>
{
    private readonly SortedDictionary<ReplicaId, long> _values = [];

    public byte Tag => 201;

    public bool IsBottom => _values.Count == 0;

    public DifferenceCounter Add(ReplicaId replica, long amount)
    {
        var delta = Bottom();
        delta._values[replica] = _values[replica] = _values.GetValueOrDefault(replica) + amount;
        return delta;
    }

    public DifferenceCounter Bottom() => new();

    public bool Join(DifferenceCounter other)
    {
        var changed = false;
        foreach (var (replica, value) in other._values)
        {
            if (!_values.TryGetValue(replica, out var own) || own < value)
            {
                _values[replica] = value;
                changed = true;
            }
        }

        return changed;
    }

    public bool LessOrEqual(DifferenceCounter other) =>
        _values.All(item => other._values.TryGetValue(item.Key, out var value) && item.Value <= value);

    public DifferenceCounter Minus(DifferenceCounter known)
    {
        var rest = Bottom();
        foreach (var part in Decompose().Where(part => !part.LessOrEqual(known)))
        {
            rest.Join(part);
        }

        return rest;
    }

    public IEnumerable<DifferenceCounter> Decompose()
    {
        foreach (var (replica, value) in _values)
        {
            var part = Bottom();
            part._values[replica] = value;
            yield return part;
        }
    }

    public void Write(CodecWriter writer)
    {
        writer.Unsigned((ulong)_values.Count);
        foreach (var (replica, value) in _values)
        {
            writer.Replica(replica);
            writer.Signed(value);
        }
    }

    public DifferenceCounter? Read(ref CodecReader reader)
    {
        var counter = Bottom();
        for (var count = reader.Count(); count > 0; count--)
        {
            counter._values[reader.Replica()] = reader.Signed();
        }

        return counter;
    }

    public override string ToString() => _values.Values.Sum().ToString(CultureInfo.InvariantCulture);
}
