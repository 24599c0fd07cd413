namespace Synod.Crdt;

/// <summary>The dots under one element, ascending. There is one, but for concurrent updates of the same element.</summary>
internal readonly struct Dots
{
    private readonly Dot _first;
    private readonly Dot[]? _more;

    public Dots(Dot only) => _first = only;

    public Dots(List<Dot> ascending)
    {
        if (ascending.Count > 0)
        {
            _first = ascending[0];
            _more = ascending.Count > 1 ? [.. ascending[1..]] : null;
        }
    }

    public bool IsEmpty => _first == Dot.None;

    public int Count => IsEmpty ? 0 : 1 + (_more?.Length ?? 0);

    public Dot this[int index] => index == 0 ? _first : _more![index - 1];

    public bool Contains(Dot dot) => dot == _first || _more.AsSpan().Contains(dot);

    public bool Equals(in Dots other) => _first == other._first && _more.AsSpan().SequenceEqual(other._more);

    /// <summary>Those that are in a context (<paramref name="inside"/>) or outside of it.</summary>
    public Dots Where(CausalContext context, bool inside)
    {
        if (Count <= 1)
        {
            return IsEmpty || context.Contains(_first) == inside ? this : default;
        }

        var kept = new List<Dot>();
        for (var index = 0; index < Count; index++)
        {
            if (context.Contains(this[index]) == inside)
            {
                kept.Add(this[index]);
            }
        }

        return new(kept);
    }

    public Dots Without(Dot dot)
    {
        var kept = new List<Dot>();
        for (var index = 0; index < Count; index++)
        {
            if (this[index] != dot)
            {
                kept.Add(this[index]);
            }
        }

        return new(kept);
    }

    /// <summary>
    /// The dots of one element after a join: those of both, and those of one side that the other never saw. A dot that the other
    /// saw and has no more was removed there (notes §4.3).
    /// </summary>
    public static Dots Join(in Dots mine, CausalContext seenByMe, in Dots theirs, CausalContext seenByThem)
    {
        if (mine.Equals(theirs))
        {
            return mine;
        }

        var kept = new List<Dot>();
        for (var index = 0; index < mine.Count; index++)
        {
            if (!seenByThem.Contains(mine[index]) || theirs.Contains(mine[index]))
            {
                kept.Add(mine[index]);
            }
        }

        for (var index = 0; index < theirs.Count; index++)
        {
            if (!seenByMe.Contains(theirs[index]))
            {
                kept.Add(theirs[index]);
            }
        }

        kept.Sort();
        return new(kept);
    }
}
