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
    private readonly Dictionary<T, Dots> _elements = [];

    /// <summary>Which element a dot is under; made when a removal first asks for it, and kept from then on.</summary>
    private Dictionary<Dot, T>? _owners;

    /// <summary>Dots in the store: one for each element, and more for concurrent adds.</summary>
    private long _dotCount;

    public bool IsEmpty => _elements.Count == 0;

    public int Count => _elements.Count;

    /// <summary>The elements, in no particular order.</summary>
    public IReadOnlyCollection<T> Elements => _elements.Keys;

    public bool Contains(T element) => _elements.ContainsKey(element);

    public AddWinsStore<T> Empty() => new(wire);

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

    public bool Join(CausalContext mine, AddWinsStore<T> other, CausalContext theirs)
    {
        var (before, met, dropped) = (_elements.Count, 0, 0L);
        var changed = false;
        foreach (var (element, dots) in other._elements)
        {
            var own = _elements.GetValueOrDefault(element);
            var joined = Dots.Join(own, mine, dots, theirs);
            met += own.IsEmpty ? 0 : 1;
            if (joined.Equals(own))
            {
                continue;
            }

            dropped += own.Where(theirs, true).Count - Common(own, dots);
            changed = true;
            Put(element, joined);
        }

        // What they have seen and hold no more is gone, also of elements that they do not mention at all.
        var isAccountedFor = met == before || theirs.DotCount <= (ulong)(other._dotCount + dropped);
        return (!isAccountedFor && DropSeen(other, theirs)) | changed;
    }

    public AddWinsStore<T> Unseen(CausalContext known)
    {
        var store = Empty();
        foreach (var (element, dots) in _elements)
        {
            store.Put(element, dots.Where(known, false));
        }

        return store;
    }

    public void ListDots(List<Dot> dots, CausalContext? among = null)
    {
        if (among is not null && among.DotCount < (ulong)_elements.Count)
        {
            dots.AddRange(among.Dots().Where(Owners().ContainsKey));
            return;
        }

        foreach (var own in _elements.Values)
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
        foreach (var (element, dots) in _elements)
        {
            for (var index = 0; index < dots.Count; index++)
            {
                var part = Empty();
                part.Put(element, new Dots(dots[index]));
                yield return (dots[index], part);
            }
        }
    }

    public override string ToString() => $"{{{string.Join(", ", Canonical.Sorted(_elements.Keys, static element => element, wire).Select(item => item.Item))}}}";

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
        var dots = _elements.GetValueOrDefault(element);
        for (var index = 0; index < dots.Count; index++)
        {
            seen.Add(dots[index]);
        }
    }

    /// <summary>Drops the dots that they have seen and do not hold: of few by looking each up, of many by walking ours.</summary>
    private bool DropSeen(AddWinsStore<T> other, CausalContext theirs)
    {
        var gone = new List<(T Element, Dots Left)>();
        if (theirs.DotCount < (ulong)_elements.Count / 4)
        {
            foreach (var dot in theirs.Dots())
            {
                if (Owners().TryGetValue(dot, out var element) && !other._elements.GetValueOrDefault(element).Contains(dot))
                {
                    Put(element, _elements[element].Without(dot));
                    gone.Add((element, default));
                }
            }

            return gone.Count > 0;
        }

        foreach (var (element, dots) in _elements)
        {
            if (!other._elements.ContainsKey(element) && dots.Where(theirs, false) is var rest && !rest.Equals(dots))
            {
                gone.Add((element, rest));
            }
        }

        foreach (var (element, rest) in gone)
        {
            Put(element, rest);
        }

        return gone.Count > 0;
    }

    private Dictionary<Dot, T> Owners()
    {
        if (_owners is null)
        {
            _owners = new((int)_dotCount);
            foreach (var (element, dots) in _elements)
            {
                for (var index = 0; index < dots.Count; index++)
                {
                    _owners[dots[index]] = element;
                }
            }
        }

        return _owners;
    }

    /// <summary>The only place that changes the tables.</summary>
    private void Put(T element, in Dots dots)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_elements, element, out _);
        _dotCount += dots.Count - slot.Count;
        if (_owners is not null)
        {
            for (var index = 0; index < slot.Count; index++)
            {
                _owners.Remove(slot[index]);
            }

            for (var index = 0; index < dots.Count; index++)
            {
                _owners[dots[index]] = element;
            }
        }

        if (dots.IsEmpty)
        {
            _elements.Remove(element);
            return;
        }

        slot = dots;
    }
}
