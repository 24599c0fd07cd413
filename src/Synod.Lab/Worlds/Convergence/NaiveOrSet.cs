using Synod.Core;
using Synod.Crdt;

namespace Synod.Lab.Worlds.Convergence;

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

    public IReadOnlyCollection<string> Elements => _tags.Keys;

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

    public override string ToString() => $"{{{string.Join(", ", _tags.Keys)}}}";
}
