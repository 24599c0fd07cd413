using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>A set of one origin's numbers as separate ranges: a history without gaps is one of them, however long it is.</summary>
internal sealed class CounterRanges
{
    private readonly List<Range> _ranges = [];

    public int Count => _ranges.Count;

    public bool Contains(long counter) => _ranges is [.., var last] && counter <= last.Last && _ranges[Find(counter)].First <= counter;

    /// <summary>Adds a number; false if that would make more than <paramref name="most"/> ranges.</summary>
    public bool TryAdd(long counter, int most)
    {
        if (Contains(counter))
        {
            return true;
        }

        var at = Find(counter);
        var joinsBefore = at > 0 && _ranges[at - 1].Last == counter - 1;
        var joinsAfter = at < _ranges.Count && _ranges[at].First == counter + 1;
        if (joinsBefore && joinsAfter)
        {
            _ranges[at - 1] = new Range(_ranges[at - 1].First, _ranges[at].Last);
            _ranges.RemoveAt(at);
        }
        else if (joinsBefore)
        {
            _ranges[at - 1] = _ranges[at - 1] with { Last = counter };
        }
        else if (joinsAfter)
        {
            _ranges[at] = _ranges[at] with { First = counter };
        }
        else if (_ranges.Count < most)
        {
            _ranges.Insert(at, new Range(counter, counter));
        }
        else
        {
            return false;
        }

        return true;
    }

    /// <summary>Adds 1 to <paramref name="counter"/>, for a set that holds nothing above it.</summary>
    public void Fill(long counter)
    {
        _ranges.Clear();
        if (counter > 0)
        {
            _ranges.Add(new Range(1, counter));
        }
    }

    public void State(StateVisitor visitor) => visitor.Visit("ranges", _ranges, static (v, ref range) =>
    {
        var (first, last) = (range.First, range.Last);
        v.Visit("", ref first);
        v.Visit("-", ref last);
        range = new Range(first, last);
    });

    /// <summary>The first range that ends at or after <paramref name="counter"/>.</summary>
    private int Find(long counter)
    {
        var (low, high) = (0, _ranges.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _ranges[middle].Last < counter ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private readonly record struct Range(long First, long Last);
}
