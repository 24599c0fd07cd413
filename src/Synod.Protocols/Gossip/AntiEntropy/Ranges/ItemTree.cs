using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>An item of an <see cref="ItemTree"/>.</summary>
public readonly record struct Item(Key Key, ReadOnlyMemory<byte> Value, ItemHash Hash)
{
    public static Item Of(Key key, ReadOnlyMemory<byte> value) => new(key, value, ItemHash.Of(key, value.Span));
}

/// <summary>
/// Items in the order of their keys, in a balanced tree (Adelson-Velsky and Landis 1962) whose nodes know the number and the sum of
/// hashes below them: a change, a fingerprint of any span, a rank and the item at a rank take logarithmic time.
/// </summary>
public sealed class ItemTree
{
    private Node? _root;

    public long Count => _root?.Count ?? 0;

    /// <summary>The item of a key; false if there is none.</summary>
    public bool TryGet(Key key, out Item item)
    {
        for (var node = _root; node is not null;)
        {
            var order = key.CompareTo(node.Item.Key);
            if (order == 0)
            {
                item = node.Item;
                return true;
            }

            node = order < 0 ? node.Left : node.Right;
        }

        item = default;
        return false;
    }

    /// <summary>Puts an item in the place of what its key had.</summary>
    public void Set(Item item) => _root = Set(_root, item);

    /// <summary>Takes an item out; false if there is none.</summary>
    public bool Remove(Key key)
    {
        var before = Count;
        _root = Remove(_root, key);
        return Count < before;
    }

    public void Clear() => _root = null;

    /// <summary>How many items have a key below <paramref name="key"/>.</summary>
    public long Rank(Key key) => Below(key).Count;

    /// <summary>The item with that many items below it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer.</exception>
    public Item At(long rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, Count);
        for (var node = _root!; ;)
        {
            var left = node.Left?.Count ?? 0;
            if (rank == left)
            {
                return node.Item;
            }

            (node, rank) = rank < left ? (node.Left!, rank) : (node.Right!, rank - left - 1);
        }
    }

    /// <summary>Number and sum of hashes of the items in a span.</summary>
    public (long Count, ItemHash Sum) Total(KeySpan span)
    {
        var (count, sum) = span.End.IsEmpty ? (Count, _root?.Sum ?? ItemHash.Zero) : Below(span.End);
        var (before, less) = Below(span.Start);
        return span.IsEmpty ? (0, ItemHash.Zero) : (count - before, sum - less);
    }

    public Fingerprint Fingerprint(KeySpan span)
    {
        var (count, sum) = Total(span);
        return sum.Fingerprint(count);
    }

    /// <summary>The items in a span, in order. The tree may not change meanwhile.</summary>
    public IEnumerable<Item> Within(KeySpan span)
    {
        var path = new Stack<Node>();
        Descend(_root);
        while (path.TryPop(out var node) && (span.End.IsEmpty || node.Item.Key < span.End))
        {
            yield return node.Item;
            Descend(node.Right);
        }

        void Descend(Node? node)
        {
            while (node is not null)
            {
                if (node.Item.Key >= span.Start)
                {
                    path.Push(node);
                    node = node.Left;
                }
                else
                {
                    node = node.Right;
                }
            }
        }
    }

    /// <summary>A span in <paramref name="parts"/> spans with about equally many items each, whose bounds are as short as keys allow.</summary>
    public IEnumerable<KeySpan> Split(KeySpan span, int parts)
    {
        var (first, count) = (Rank(span.Start), Total(span).Count);
        var start = span.Start;
        for (var part = 1; part < parts; part++)
        {
            var rank = first + (count * part / parts);
            if (rank == first || rank == first + count)
            {
                continue;
            }

            var bound = Separator(At(rank - 1).Key, At(rank).Key);
            if (bound > start)
            {
                yield return new KeySpan(start, bound);
                start = bound;
            }
        }

        yield return span with { Start = start };
    }

    /// <summary>Whether order, balance, numbers and sums are as they should be, at every node.</summary>
    public bool IsSound() => IsSound(_root, null, null);

    /// <summary>The shortest key above <paramref name="lower"/> and not above <paramref name="upper"/> that begins as that does.</summary>
    private static Key Separator(Key lower, Key upper) => new(upper.Memory[..(lower.Span.CommonPrefixLength(upper.Span) + 1)]);

    private (long Count, ItemHash Sum) Below(Key key)
    {
        var (count, sum) = (0L, ItemHash.Zero);
        for (var node = _root; node is not null;)
        {
            if (node.Item.Key < key)
            {
                count += (node.Left?.Count ?? 0) + 1;
                sum += (node.Left?.Sum ?? ItemHash.Zero) + node.Item.Hash;
                node = node.Right;
            }
            else
            {
                node = node.Left;
            }
        }

        return (count, sum);
    }

    private static Node Set(Node? node, Item item)
    {
        if (node is null)
        {
            return new Node(item);
        }

        var order = item.Key.CompareTo(node.Item.Key);
        if (order == 0)
        {
            node.Item = item;
        }
        else if (order < 0)
        {
            node.Left = Set(node.Left, item);
        }
        else
        {
            node.Right = Set(node.Right, item);
        }

        return node.Balanced();
    }

    private static Node? Remove(Node? node, Key key)
    {
        if (node is null)
        {
            return null;
        }

        var order = key.CompareTo(node.Item.Key);
        if (order < 0)
        {
            node.Left = Remove(node.Left, key);
        }
        else if (order > 0)
        {
            node.Right = Remove(node.Right, key);
        }
        else if (node.Left is null || node.Right is null)
        {
            return node.Left ?? node.Right;
        }
        else
        {
            var next = node.Right;
            while (next.Left is not null)
            {
                next = next.Left;
            }

            node.Item = next.Item;
            node.Right = Remove(node.Right, next.Item.Key);
        }

        return node.Balanced();
    }

    private static bool IsSound(Node? node, Key? above, Key? below) => node is null
        || ((above is null || node.Item.Key > above) && (below is null || node.Item.Key < below)
            && node.IsExact && Math.Abs(node.Lean) <= 1
            && IsSound(node.Left, above, node.Item.Key) && IsSound(node.Right, node.Item.Key, below));

    private sealed class Node(Item item)
    {
        public Item Item { get; set; } = item;

        public Node? Left { get; set; }

        public Node? Right { get; set; }

        public long Count { get; private set; } = 1;

        public ItemHash Sum { get; private set; } = item.Hash;

        public int Lean => (Left?._height ?? 0) - (Right?._height ?? 0);

        public bool IsExact => (Count, Sum, _height) == Counted();

        private int _height = 1;

        /// <summary>The root of this subtree after at most one of its sides changed by one in height.</summary>
        public Node Balanced()
        {
            Recount();
            if (Lean > 1)
            {
                if (Left!.Lean < 0)
                {
                    Left = Left.RotatedLeft();
                }

                return RotatedRight();
            }

            if (Lean < -1)
            {
                if (Right!.Lean > 0)
                {
                    Right = Right.RotatedRight();
                }

                return RotatedLeft();
            }

            return this;
        }

        private Node RotatedRight()
        {
            var top = Left!;
            (Left, top.Right) = (top.Right, this);
            Recount();
            top.Recount();
            return top;
        }

        private Node RotatedLeft()
        {
            var top = Right!;
            (Right, top.Left) = (top.Left, this);
            Recount();
            top.Recount();
            return top;
        }

        private void Recount() => (Count, Sum, _height) = Counted();

        private (long Count, ItemHash Sum, int Height) Counted() => (
            1 + (Left?.Count ?? 0) + (Right?.Count ?? 0),
            Item.Hash + (Left?.Sum ?? ItemHash.Zero) + (Right?.Sum ?? ItemHash.Zero),
            1 + Math.Max(Left?._height ?? 0, Right?._height ?? 0));
    }
}
