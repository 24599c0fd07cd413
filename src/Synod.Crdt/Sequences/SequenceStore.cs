using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// The elements of a sequence by their dots, and the deletions by theirs. Where an element stands follows from the elements alone; one
/// whose parent has not arrived waits for it and is not shown.
/// </summary>
/// <remarks>Tables are walked only where order makes no difference; what is written is sorted.</remarks>
public sealed partial class SequenceStore<T> : IDotStore<SequenceStore<T>>
    where T : notnull
{
    private readonly IWire<T> _wire;
    private readonly Dictionary<Dot, SequenceNode<T>> _nodes = [];

    /// <summary>Deletions: which element each deleted.</summary>
    private readonly Dictionary<Dot, Dot> _deletions = [];

    /// <summary>The deletions of an element, of which there are several if they were concurrent.</summary>
    private readonly Dictionary<Dot, Dots> _deleted = [];

    /// <summary>Elements that wait for their parent, by its id.</summary>
    private readonly Dictionary<Dot, List<SequenceNode<T>>> _waiting = [];

    private readonly SequenceNode<T> _beginning = new(new(Dot.None, Dot.None, false, 0, default!));
    private readonly SequenceTree<T> _tree;

    /// <summary>The largest order of any element so far.</summary>
    private ulong _order;

    public SequenceStore(IWire<T> wire) => (_wire, _tree) = (wire, new(_beginning));

    public bool IsEmpty => _nodes.Count == 0 && _deletions.Count == 0;

    /// <summary>How many elements are there to see.</summary>
    public int Count => _tree.Count;

    /// <summary>Deleted elements that are still kept.</summary>
    public int Tombstones => _deleted.Count;

    /// <summary>Elements whose parent has not arrived.</summary>
    public int Waiting => _waiting.Values.Sum(list => list.Count);

    /// <summary>The elements in order.</summary>
    public IEnumerable<SequenceElement<T>> Elements => _tree.InOrder().Select(node => node.Element);

    /// <summary>The element at an index.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public SequenceElement<T> At(int index) => _tree.At(index).Element;

    /// <summary>Where an element stands, or would if it was not deleted; null if it is unknown or waits.</summary>
    public int? IndexOf(Dot id) => _nodes.TryGetValue(id, out var node) && node.IsPlaced ? SequenceTree<T>.IndexOf(node) : null;

    public SequenceStore<T> Empty() => new(_wire);

    /// <summary>Inserts values before the element at an index, or at the end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside.</exception>
    public Change<SequenceStore<T>> Insert(DotSource source, int index, params IReadOnlyList<T> values)
    {
        // Both neighbours are alive here, also if there are tombstones in between: what is deleted gets no new children, except from
        // those who have not seen the deletion, and can go once there are none.
        var left = index == 0 ? _beginning : _tree.At(index - 1);
        var right = index == Count ? null : _tree.At(index);
        var (parent, isLeft) = right is not null && left.HasRights ? (right.Element.Id, true) : (left.Element.Id, false);
        var store = Empty();
        var dots = new List<Dot>();
        var order = _order;
        foreach (var value in values)
        {
            order = Math.Min(order + 1, Dot.MaxCounter);
            var element = new SequenceElement<T>(source.Next(), parent, isLeft, order, value);
            store.Put(element);
            dots.Add(element.Id);
            (parent, isLeft) = (element.Id, false);
        }

        return new(store, CausalContext.Of(dots));
    }

    /// <summary>Deletes elements from an index on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    public Change<SequenceStore<T>> Delete(DotSource source, int index, int count)
    {
        var store = Empty();
        var dots = new List<Dot>();
        for (var at = 0; at < count; at++)
        {
            var dot = source.Next();
            store.PutDeletion(dot, _tree.At(index + at).Element.Id);
            dots.Add(dot);
        }

        return new(store, CausalContext.Of(dots));
    }

    /// <summary>
    /// Drops deleted elements that have no children and whose deletion every replica has seen: nobody will ever refer to them.
    /// </summary>
    public Change<SequenceStore<T>> Compact(CausalContext stable)
    {
        var gone = new List<Dot>();
        var left = new Dictionary<Dot, int>();
        var leaves = new Stack<SequenceNode<T>>(_nodes.Values.Where(node => node.IsLeaf));
        while (leaves.TryPop(out var node))
        {
            var deletions = _deleted.GetValueOrDefault(node.Element.Id);
            if (!node.IsPlaced || deletions.IsEmpty || deletions.Where(stable, true).IsEmpty || !stable.Contains(node.Element.Id))
            {
                continue;
            }

            gone.Add(node.Element.Id);
            for (var index = 0; index < deletions.Count; index++)
            {
                gone.Add(deletions[index]);
            }

            // A parent of whose children the last one goes is a leaf in turn.
            if (_nodes.TryGetValue(node.Element.Parent, out var parent))
            {
                var rest = (left.TryGetValue(parent.Element.Id, out var known) ? known : parent.Children.Count()) - 1;
                left[parent.Element.Id] = rest;
                if (rest == 0)
                {
                    leaves.Push(parent);
                }
            }
        }

        return new(Empty(), CausalContext.Of(gone));
    }

    public bool Join(CausalContext mine, SequenceStore<T> other, CausalContext theirs)
    {
        // What they have seen and hold no more was dropped there: of few dots by looking each up, of many by walking ours.
        var few = theirs.DotCount < (ulong)(_nodes.Count + _deletions.Count) / 4;
        var seen = few ? theirs.Dots() : _nodes.Keys.Concat(_deletions.Keys).Where(theirs.Contains);
        var dropped = seen.Where(dot => Holds(dot) && !other.Holds(dot)).ToList();
        foreach (var dot in dropped)
        {
            Drop(dot);
        }

        var changed = dropped.Count > 0;
        foreach (var (dot, node) in other._nodes)
        {
            if (!mine.Contains(dot) && !_nodes.ContainsKey(dot))
            {
                Put(node.Element);
                changed = true;
            }
        }

        foreach (var (dot, target) in other._deletions)
        {
            if (!mine.Contains(dot) && !_deletions.ContainsKey(dot))
            {
                PutDeletion(dot, target);
                changed = true;
            }
        }

        return changed;
    }

    public SequenceStore<T> Unseen(CausalContext known)
    {
        var store = Empty();
        foreach (var (_, node) in _nodes.Where(item => !known.Contains(item.Key)))
        {
            store.Put(node.Element);
        }

        foreach (var (dot, target) in _deletions.Where(item => !known.Contains(item.Key)))
        {
            store.PutDeletion(dot, target);
        }

        return store;
    }

    public void ListDots(List<Dot> dots, CausalContext? among = null)
    {
        if (among is not null && among.DotCount < (ulong)_nodes.Count)
        {
            dots.AddRange(among.Dots().Where(Holds));
            return;
        }

        dots.AddRange(_nodes.Keys.Concat(_deletions.Keys).Where(dot => among?.Contains(dot) != false));
    }

    public IEnumerable<(Dot Dot, SequenceStore<T> Part)> Parts()
    {
        foreach (var (dot, node) in _nodes)
        {
            var part = Empty();
            part.Put(node.Element);
            yield return (dot, part);
        }

        foreach (var (dot, target) in _deletions)
        {
            var part = Empty();
            part.PutDeletion(dot, target);
            yield return (dot, part);
        }
    }

    public override string ToString() => typeof(T) == typeof(System.Text.Rune)
        ? string.Concat(Elements.Select(element => element.Value))
        : $"[{string.Join(", ", Elements.Select(element => element.Value))}]";

    private bool Holds(Dot dot) => _nodes.ContainsKey(dot) || _deletions.ContainsKey(dot);

    private void Put(SequenceElement<T> element)
    {
        var node = new SequenceNode<T>(element) { IsVisible = !_deleted.ContainsKey(element.Id) };
        _nodes.Add(element.Id, node);
        _order = Math.Max(_order, element.Order);
        Place(node);
    }

    /// <summary>Gives an element its place, and then those that waited for it; without recursion, a text is one long line of children.</summary>
    private void Place(SequenceNode<T> first)
    {
        var next = new Stack<SequenceNode<T>>([first]);
        while (next.TryPop(out var node))
        {
            if (ParentOf(node) is not { IsPlaced: true } parent)
            {
                if (!_waiting.TryGetValue(node.Element.Parent, out var waiting))
                {
                    _waiting.Add(node.Element.Parent, waiting = []);
                }

                waiting.Add(node);
                continue;
            }

            var (before, after) = parent.Take(node);
            if (after is not null)
            {
                _tree.InsertBefore(after.First(), node);
            }
            else if (node.Element.IsLeft)
            {
                _tree.InsertBefore(parent, node);
            }
            else
            {
                _tree.InsertAfter(before?.Last() ?? parent, node);
            }

            if (_waiting.Remove(node.Element.Id, out var children))
            {
                children.ForEach(next.Push);
            }
        }
    }

    private SequenceNode<T>? ParentOf(SequenceNode<T> node) =>
        node.Element.Parent == Dot.None ? _beginning : _nodes.GetValueOrDefault(node.Element.Parent);

    private void PutDeletion(Dot dot, Dot target)
    {
        _deletions.Add(dot, target);
        var known = _deleted.GetValueOrDefault(target);
        var all = new List<Dot> { dot };
        for (var index = 0; index < known.Count; index++)
        {
            all.Add(known[index]);
        }

        all.Sort();
        _deleted[target] = new Dots(all);
        Show(target, false);
    }

    private void Drop(Dot dot)
    {
        if (_deletions.Remove(dot, out var target))
        {
            var rest = _deleted[target].Without(dot);
            _deleted[target] = rest;
            if (rest.IsEmpty)
            {
                _deleted.Remove(target);
                Show(target, true);
            }
        }
        else if (_nodes.Remove(dot, out var node))
        {
            DropNode(node);
        }
    }

    /// <summary>Takes an element out of the sequence. Children that it should not have had any more wait, unseen, for good.</summary>
    private void DropNode(SequenceNode<T> dropped)
    {
        if (!dropped.IsPlaced)
        {
            Forget(dropped);
            return;
        }

        ParentOf(dropped)!.Drop(dropped);
        var next = new Stack<SequenceNode<T>>([dropped]);
        while (next.TryPop(out var node))
        {
            var wasVisible = node != dropped && !_deleted.ContainsKey(node.Element.Id);
            _tree.Remove(node);
            node.IsVisible = wasVisible;
            if (node != dropped)
            {
                _waiting.TryAdd(node.Element.Parent, []);
                _waiting[node.Element.Parent].Add(node);
            }

            foreach (var child in node.Children)
            {
                next.Push(child);
            }

            node.DropAll();
        }
    }

    private void Forget(SequenceNode<T> waiting)
    {
        var siblings = _waiting[waiting.Element.Parent];
        siblings.Remove(waiting);
        if (siblings.Count == 0)
        {
            _waiting.Remove(waiting.Element.Parent);
        }
    }

    private void Show(Dot target, bool isVisible)
    {
        if (_nodes.TryGetValue(target, out var node))
        {
            _tree.Show(node, isVisible);
        }
    }
}
