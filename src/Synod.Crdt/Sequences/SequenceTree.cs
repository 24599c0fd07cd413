namespace Synod.Crdt;

/// <summary>
/// The order of a sequence as a balanced tree (a treap): finding the n-th element, the place of an element, and putting one beside
/// another take logarithmic time, however long the sequence.
/// </summary>
internal sealed class SequenceTree<T>
{
    private SequenceNode<T>? _root;

    public SequenceTree(SequenceNode<T> beginning)
    {
        _root = beginning;
        beginning.IsPlaced = true;
    }

    /// <summary>How many elements are visible.</summary>
    public int Count => _root?.Visible ?? 0;

    /// <summary>The visible element at an index.</summary>
    public SequenceNode<T> At(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        var at = _root!;
        while (true)
        {
            var lower = at.Lower?.Visible ?? 0;
            if (index < lower)
            {
                at = at.Lower!;
            }
            else if (at.IsVisible && index == lower)
            {
                return at;
            }
            else
            {
                index -= lower + (at.IsVisible ? 1 : 0);
                at = at.Upper!;
            }
        }
    }

    /// <summary>How many visible elements come before one.</summary>
    public static int IndexOf(SequenceNode<T> node)
    {
        var index = node.Lower?.Visible ?? 0;
        for (var at = node; at.Up is { } up; at = up)
        {
            if (up.Upper == at)
            {
                index += (up.Lower?.Visible ?? 0) + (up.IsVisible ? 1 : 0);
            }
        }

        return index;
    }

    /// <summary>The visible elements in order.</summary>
    public IEnumerable<SequenceNode<T>> InOrder()
    {
        var at = _root;
        while (at?.Lower is { } lower)
        {
            at = lower;
        }

        while (at is not null)
        {
            if (at.IsVisible)
            {
                yield return at;
            }

            at = Next(at);
        }
    }

    public void InsertAfter(SequenceNode<T> at, SequenceNode<T> node)
    {
        if (at.Upper is not { } next)
        {
            at.Upper = node;
            Rise(at, node);
            return;
        }

        while (next.Lower is { } lower)
        {
            next = lower;
        }

        next.Lower = node;
        Rise(next, node);
    }

    public void InsertBefore(SequenceNode<T> at, SequenceNode<T> node)
    {
        if (at.Lower is not { } last)
        {
            at.Lower = node;
            Rise(at, node);
            return;
        }

        while (last.Upper is { } upper)
        {
            last = upper;
        }

        last.Upper = node;
        Rise(last, node);
    }

    public void Show(SequenceNode<T> node, bool isVisible)
    {
        if (node.IsVisible != isVisible)
        {
            node.IsVisible = isVisible;
            Recount(node);
        }
    }

    public void Remove(SequenceNode<T> node)
    {
        while (node.Lower is not null || node.Upper is not null)
        {
            var lowerGoesUp = node.Upper is null || (node.Lower is not null && node.Lower.Priority > node.Upper.Priority);
            Lift(lowerGoesUp ? node.Lower! : node.Upper!);
        }

        var up = node.Up;
        Replace(up, node, null);
        node.Up = null;
        node.IsPlaced = node.IsVisible = false;
        Recount(up);
    }

    private static SequenceNode<T>? Next(SequenceNode<T> node)
    {
        if (node.Upper is { } next)
        {
            while (next.Lower is { } lower)
            {
                next = lower;
            }

            return next;
        }

        var at = node;
        while (at.Up is { } up && up.Upper == at)
        {
            at = up;
        }

        return at.Up;
    }

    private static void Recount(SequenceNode<T>? from)
    {
        for (var at = from; at is not null; at = at.Up)
        {
            CountAt(at);
        }
    }

    private static void CountAt(SequenceNode<T> node) =>
        node.Visible = (node.Lower?.Visible ?? 0) + (node.Upper?.Visible ?? 0) + (node.IsVisible ? 1 : 0);

    private void Rise(SequenceNode<T> up, SequenceNode<T> node)
    {
        node.Up = up;
        node.IsPlaced = true;
        Recount(node);
        while (node.Up is { } above && above.Priority < node.Priority)
        {
            Lift(node);
        }
    }

    /// <summary>Turns a node with the one above it.</summary>
    private void Lift(SequenceNode<T> node)
    {
        var above = node.Up!;
        if (above.Lower == node)
        {
            above.Lower = node.Upper;
            Adopt(above, node.Upper);
            node.Upper = above;
        }
        else
        {
            above.Upper = node.Lower;
            Adopt(above, node.Lower);
            node.Lower = above;
        }

        Replace(above.Up, above, node);
        node.Up = above.Up;
        above.Up = node;
        CountAt(above);
        CountAt(node);
    }

    private static void Adopt(SequenceNode<T> up, SequenceNode<T>? node)
    {
        if (node is not null)
        {
            node.Up = up;
        }
    }

    private void Replace(SequenceNode<T>? up, SequenceNode<T> old, SequenceNode<T>? node)
    {
        if (up is null)
        {
            _root = node;
        }
        else if (up.Lower == old)
        {
            up.Lower = node;
        }
        else
        {
            up.Upper = node;
        }
    }
}
