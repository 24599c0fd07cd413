namespace Synod.Protocols.Gossip;

/// <summary>
/// A growing array in pages that are shared until written. At 10,000 nodes in one process the tables have 100 million rows, nearly all of
/// which are equal; each node pays for its list of pages, and for those in which it knows something else.
/// </summary>
internal sealed class MemberPages<T>
{
    private const int PageBits = 5;
    private const int PageSize = 1 << PageBits;

    private T[][] _pages;

    /// <summary>One bit a page: whether it is this array's own to write.</summary>
    private ulong[] _owned;
    private bool _sharesList;

    public MemberPages(IReadOnlyList<T> items)
    {
        Count = items.Count;
        _pages = new T[(Count + PageSize - 1) >> PageBits][];
        _owned = new ulong[(_pages.Length + 63) >> 6];
        for (var at = 0; at < Count; at++)
        {
            (_pages[at >> PageBits] ??= new T[PageSize])[at & (PageSize - 1)] = items[at];
        }
    }

    /// <summary>A copy that shares every page, and the list of pages too. The original must not be written any more.</summary>
    public MemberPages(MemberPages<T> original)
    {
        (Count, _pages, _owned, _sharesList) = (original.Count, original._pages, [], true);
    }

    public int Count { get; private set; }

    public T this[int index]
    {
        get => _pages[index >> PageBits][index & (PageSize - 1)];
        set => Own(index >> PageBits)[index & (PageSize - 1)] = value;
    }

    public void Add(T item)
    {
        Count++;
        this[Count - 1] = item;
    }

    private T[] Own(int page)
    {
        if (_sharesList)
        {
            (_pages, _owned, _sharesList) = ([.. _pages], new ulong[(_pages.Length + 63) >> 6], false);
        }

        if (page == _pages.Length)
        {
            Array.Resize(ref _pages, page + 1);
            Array.Resize(ref _owned, (page >> 6) + 1);
            _pages[page] = new T[PageSize];
            _owned[page >> 6] |= 1ul << page;
        }
        else if ((_owned[page >> 6] >> page & 1) == 0)
        {
            _pages[page] = [.. _pages[page]];
            _owned[page >> 6] |= 1ul << page;
        }

        return _pages[page];
    }
}
