using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// Elements, each with the dots of the adds that nobody has removed. An add costs a look into a hash table however large the set is;
/// joining a delta costs as much as the delta holds.
/// </summary>
/// <remarks>
/// The tables are walked only where order makes no difference; what is written is sorted.
/// </remarks>
public sealed partial class AddWinsStore<T>(IWire<T> wire) : IDotStore<AddWinsStore<T>>
    where T : notnull, IEquatable<T>
{
    /// <summary>So many elements are joined by walking both sides rather than by looking each up.</summary>
    private const int Many = 64;

    /// <summary>The element of a store that has held no other, as deltas do: they need no table.</summary>
    private T _only = default!;
    private Dots _onlyDots;

    private Dictionary<T, Dots>? _table;

    /// <summary>Which element a dot is under; made when a removal first asks for it, and kept from then on.</summary>
    private Dictionary<Dot, T>? _owners;

    /// <summary>Dots in the store: one for each element, and more for concurrent adds.</summary>
    private long _dotCount;

    public bool IsEmpty => Count == 0;

    public int Count => _table?.Count ?? (_onlyDots.IsEmpty ? 0 : 1);

    /// <summary>The elements, in no particular order.</summary>
    public IReadOnlyCollection<T> Elements => Table.Keys;

    public bool Contains(T element) => !DotsOf(element).IsEmpty;

    public AddWinsStore<T> Empty() => new(wire);

    /// <summary>
    /// Adds an element to this store at once, where the store is not a part of anything else: the same as joining the change that
    /// <see cref="Add(DotSource, T)"/> makes.
    /// </summary>
    internal Change<AddWinsStore<T>> AddHere(CausalContext context, ReplicaId replica, T element)
    {
        var dot = context.Extend(replica);
        var seen = new CausalContext(dot);
        var replaced = PutHere(element, new Dots(dot));
        for (var index = 0; index < replaced.Count; index++)
        {
            seen.Add(replaced[index]);
        }

        return new(new(wire) { _only = element, _onlyDots = new Dots(dot), _dotCount = 1 }, seen);
    }

    /// <summary>Adds an element under a fresh dot, which replaces the dots that it has.</summary>
    public Change<AddWinsStore<T>> Add(DotSource source, T element)
    {
        var dot = source.Next();
        var seen = new CausalContext();
        seen.Add(dot);
        See(seen, element);
        var store = Empty();
        store.Put(element, new Dots(dot));
        return new(store, seen);
    }

    /// <summary>Removes an element as far as it was seen here: an add that nobody here has heard of survives.</summary>
    public Change<AddWinsStore<T>> Remove(T element)
    {
        var seen = new CausalContext();
        See(seen, element);
        return new(Empty(), seen);
    }

    /// <summary>Removes every element that was seen here.</summary>
    public Change<AddWinsStore<T>> Clear()
    {
        var dots = new List<Dot>();
        ListDots(dots);
        return new(Empty(), CausalContext.Of(dots));
    }

    public bool Join(CausalContext mine, AddWinsStore<T> other, CausalContext theirs) =>
        theirs.DotCount < (ulong)Count / 4 || other.Count < Many ? JoinFew(mine, other, theirs) : JoinMany(mine, other, theirs);

    public AddWinsStore<T> Unseen(CausalContext known)
    {
        var store = Empty();
        foreach (var (element, dots) in Table)
        {
            store.Put(element, dots.Where(known, false));
        }

        return store;
    }

    public void ListDots(List<Dot> dots, CausalContext? among = null)
    {
        if (among is not null && among.DotCount < (ulong)Table.Count)
        {
            dots.AddRange(among.Dots().Where(Owners().ContainsKey));
            return;
        }

        foreach (var own in Table.Values)
        {
            for (var index = 0; index < own.Count; index++)
            {
                if (among?.Contains(own[index]) != false)
                {
                    dots.Add(own[index]);
                }
            }
        }
    }

    public IEnumerable<(Dot Dot, AddWinsStore<T> Part)> Parts()
    {
        foreach (var (element, dots) in Table)
        {
            for (var index = 0; index < dots.Count; index++)
            {
                var part = Empty();
                part.Put(element, new Dots(dots[index]));
                yield return (dots[index], part);
            }
        }
    }

    public override string ToString() => $"{{{string.Join(", ", Canonical.Sorted(Table.Keys, static element => element, wire).Select(item => item.Item))}}}";

    /// <summary>Joins a delta: each of its elements is looked up here, and each dot that it removes.</summary>
    private bool JoinFew(CausalContext mine, AddWinsStore<T> other, CausalContext theirs)
    {
        var (before, met, dropped) = (Count, 0, 0L);
        var changed = false;
        if (other._table is null && !other._onlyDots.IsEmpty)
        {
            changed = JoinOne(mine, other._only, other._onlyDots, theirs, ref met, ref dropped);
        }

        foreach (var (element, dots) in other._table ?? [])
        {
            changed |= JoinOne(mine, element, dots, theirs, ref met, ref dropped);
        }

        // What they have seen and hold no more is gone, also of elements that they do not mention at all.
        var isAccountedFor = met == before || theirs.DotCount <= (ulong)(other._dotCount + dropped);
        return (!isAccountedFor && DropSeen(other, theirs)) | changed;
    }

    /// <summary>
    /// Joins a state like this one: both are walked once, and only what differs is looked up. A dot of theirs that was seen here is held
    /// here too, or was removed; a dot of ours that they have seen and do not hold was removed there.
    /// </summary>
    private bool JoinMany(CausalContext mine, AddWinsStore<T> other, CausalContext theirs)
    {
        var (met, dropped) = (0, 0L);
        var changed = false;
        var held = DotMarks.For(theirs, other._dotCount);
        foreach (var (element, dots) in other._table!)
        {
            var isSeen = true;
            for (var index = 0; index < dots.Count; index++)
            {
                held?.Mark(dots[index]);
                isSeen &= mine.Contains(dots[index]);
            }

            changed |= !isSeen && JoinOne(mine, element, dots, theirs, ref met, ref dropped);
        }

        var gone = new List<(T Element, Dots Left)>();
        foreach (var (element, dots) in Table)
        {
            var rest = dots;
            for (var index = 0; index < dots.Count; index++)
            {
                var dot = dots[index];
                if (held?.Contains(dot) != true && theirs.Contains(dot) && (held is not null || !other.DotsOf(element).Contains(dot)))
                {
                    rest = rest.Without(dot);
                }
            }

            if (rest.Count < dots.Count)
            {
                gone.Add((element, rest));
            }
        }

        gone.ForEach(item => Put(item.Element, item.Left));
        return changed | gone.Count > 0;
    }

    private bool JoinOne(CausalContext mine, T element, in Dots dots, CausalContext theirs, ref int met, ref long dropped)
    {
        var own = DotsOf(element);
        var joined = Dots.Join(own, mine, dots, theirs);
        met += own.IsEmpty ? 0 : 1;
        if (joined.Equals(own))
        {
            return false;
        }

        dropped += own.Where(theirs, true).Count - Common(own, dots);
        Put(element, joined);
        return true;
    }

    private static int Common(in Dots left, in Dots right)
    {
        var common = 0;
        for (var index = 0; index < left.Count; index++)
        {
            common += right.Contains(left[index]) ? 1 : 0;
        }

        return common;
    }

    private void See(CausalContext seen, T element)
    {
        var dots = DotsOf(element);
        for (var index = 0; index < dots.Count; index++)
        {
            seen.Add(dots[index]);
        }
    }

    /// <summary>Drops the dots that they have seen and do not hold: of few by looking each up, of many by walking ours.</summary>
    private bool DropSeen(AddWinsStore<T> other, CausalContext theirs)
    {
        var gone = new List<(T Element, Dots Left)>();
        if (theirs.DotCount < (ulong)Table.Count / 4)
        {
            foreach (var dot in theirs.Dots())
            {
                if (Owners().TryGetValue(dot, out var element) && !other.DotsOf(element).Contains(dot))
                {
                    Put(element, Table[element].Without(dot));
                    gone.Add((element, default));
                }
            }

            return gone.Count > 0;
        }

        foreach (var (element, dots) in Table)
        {
            if (!other.Contains(element) && dots.Where(theirs, false) is var rest && !rest.Equals(dots))
            {
                gone.Add((element, rest));
            }
        }

        gone.ForEach(item => Put(item.Element, item.Left));
        return gone.Count > 0;
    }

    private Dictionary<Dot, T> Owners()
    {
        if (_owners is null)
        {
            _owners = new((int)_dotCount);
            foreach (var (element, dots) in Table)
            {
                for (var index = 0; index < dots.Count; index++)
                {
                    _owners[dots[index]] = element;
                }
            }
        }

        return _owners;
    }

    private Dictionary<T, Dots> Table
    {
        get
        {
            if (_table is null)
            {
                _table = [];
                if (!_onlyDots.IsEmpty)
                {
                    _table.Add(_only, _onlyDots);
                    (_only, _onlyDots) = (default!, default);
                }
            }

            return _table;
        }
    }

    private Dots DotsOf(T element) => _table is not null ? _table.GetValueOrDefault(element)
        : !_onlyDots.IsEmpty && _only.Equals(element) ? _onlyDots : default;

    private void Put(T element, in Dots dots)
    {
        if (!dots.IsEmpty)
        {
            PutHere(element, dots);
        }
        else if (Table.Remove(element, out var gone))
        {
            Account(element, gone, dots);
        }
    }

    /// <summary>Puts dots in the place of those of an element, and returns these.</summary>
    private Dots PutHere(T element, in Dots dots)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(Table, element, out _);
        var replaced = slot;
        slot = dots;
        Account(element, replaced, dots);
        return replaced;
    }

    private void Account(T element, in Dots old, in Dots dots)
    {
        _dotCount += dots.Count - old.Count;
        for (var index = 0; _owners is not null && index < old.Count; index++)
        {
            _owners.Remove(old[index]);
        }

        for (var index = 0; _owners is not null && index < dots.Count; index++)
        {
            _owners[dots[index]] = element;
        }
    }
}
