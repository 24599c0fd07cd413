namespace Synod.Crdt;

/// <summary>Counters from <paramref name="From"/> to <paramref name="To"/>, both included.</summary>
public readonly record struct DotRange(ulong From, ulong To);

/// <summary>
/// The counters of one replica that were seen, as ascending ranges that neither overlap nor touch: equal sets have equal ranges. A
/// range from 1 is the version vector's entry; the others are its exceptions, and flow into it when the gap before them closes.
/// </summary>
internal readonly struct DotRanges
{
    private readonly DotRange _first;
    private readonly DotRange[]? _more;

    public DotRanges(DotRange only) => _first = only;

    private DotRanges(List<DotRange> ranges)
    {
        if (ranges.Count > 0)
        {
            _first = ranges[0];
            _more = ranges.Count > 1 ? [.. ranges[1..]] : null;
        }
    }

    public bool IsEmpty => _first.To == 0;

    /// <summary>The number of ranges.</summary>
    public int Length => IsEmpty ? 0 : 1 + (_more?.Length ?? 0);

    public DotRange this[int index] => index == 0 ? _first : _more![index - 1];

    /// <summary>Everything from 1 to here was seen.</summary>
    public ulong Prefix => _first.From == 1 ? _first.To : 0;

    public ulong Highest => IsEmpty ? 0 : this[Length - 1].To;

    /// <summary>The first counter above all of them.</summary>
    public ulong Next => Highest < Dot.MaxCounter ? Highest + 1 : throw new OverflowException("The replica has no dots left.");

    public ulong Count
    {
        get
        {
            var count = 0UL;
            for (var index = 0; index < Length; index++)
            {
                count += this[index].To - this[index].From + 1;
            }

            return count;
        }
    }

    public bool Contains(ulong counter)
    {
        if (counter <= _first.To || _more is null)
        {
            return counter >= _first.From && counter <= _first.To;
        }

        return Find(counter) is { } range && counter >= range.From;
    }

    /// <summary>Whether every counter of <paramref name="other"/> is in here.</summary>
    public bool Covers(in DotRanges other)
    {
        for (var index = 0; index < other.Length; index++)
        {
            var range = other[index];
            if (Find(range.From) is not { } mine || mine.From > range.From || mine.To < range.To)
            {
                return false;
            }
        }

        return true;
    }

    public bool Equals(in DotRanges other) =>
        _first == other._first && _more.AsSpan().SequenceEqual(other._more);

    public DotRanges Union(in DotRanges other)
    {
        if (IsEmpty || other.IsEmpty)
        {
            return IsEmpty ? other : this;
        }

        if (_more is null && other._more is null && _first.From <= other._first.To + 1 && other._first.From <= _first.To + 1)
        {
            return new(new DotRange(Math.Min(_first.From, other._first.From), Math.Max(_first.To, other._first.To)));
        }

        var ranges = new List<DotRange>(Length + other.Length);
        for (int mine = 0, theirs = 0; mine < Length || theirs < other.Length;)
        {
            var isMine = theirs == other.Length || (mine < Length && this[mine].From <= other[theirs].From);
            Append(ranges, isMine ? this[mine++] : other[theirs++]);
        }

        return new(ranges);
    }

    /// <summary>The counters in here that are not in <paramref name="other"/>.</summary>
    public DotRanges Except(in DotRanges other)
    {
        if (IsEmpty || other.IsEmpty)
        {
            return this;
        }

        var ranges = new List<DotRange>();
        var theirs = 0;
        for (var index = 0; index < Length; index++)
        {
            var (from, to) = this[index];
            while (theirs < other.Length && other[theirs].To < from)
            {
                theirs++;
            }

            for (var at = theirs; at < other.Length && other[at].From <= to && from <= to; at++)
            {
                if (other[at].From > from)
                {
                    ranges.Add(new(from, other[at].From - 1));
                }

                from = other[at].To + 1;
            }

            if (from <= to)
            {
                ranges.Add(new(from, to));
            }
        }

        return new(ranges);
    }

    /// <summary>The set of these ranges, which are in ascending order of where they begin.</summary>
    public static DotRanges Of(IEnumerable<DotRange> ascending)
    {
        var ranges = new List<DotRange>();
        foreach (var range in ascending)
        {
            Append(ranges, range);
        }

        return new(ranges);
    }

    private static void Append(List<DotRange> ranges, DotRange next)
    {
        // Only what touches is one range: a gap stands for events that were not seen, and stays.
        if (ranges.Count > 0 && next.From <= ranges[^1].To + 1)
        {
            ranges[^1] = new(ranges[^1].From, Math.Max(ranges[^1].To, next.To));
            return;
        }

        ranges.Add(next);
    }

    /// <summary>The first range that ends at or after a counter.</summary>
    private DotRange? Find(ulong counter)
    {
        if (counter <= _first.To)
        {
            return _first;
        }

        var (low, high) = (0, _more?.Length ?? 0);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _more![middle].To < counter ? (middle + 1, high) : (low, middle);
        }

        return low < (_more?.Length ?? 0) ? _more![low] : null;
    }
}
