namespace Synod.Crdt;

/// <summary>
/// An element of a sequence, as it was inserted: a child of another one on one of its sides (Weidner, Kleppmann 2023, Fugue). Never
/// changed, so stores share it.
/// </summary>
/// <param name="Id">The dot of the insertion.</param>
/// <param name="Parent">Whose child it is; <see cref="Dot.None"/> for the beginning of the sequence.</param>
/// <param name="IsLeft">Whether it comes before its parent.</param>
/// <param name="Order">Above that of everything its author had seen: where it is among the children of a side (Lamport).</param>
public sealed record SequenceElement<T>(Dot Id, Dot Parent, bool IsLeft, ulong Order, T Value) : IComparable<SequenceElement<T>>
{
    public int CompareTo(SequenceElement<T>? other)
    {
        var order = Order.CompareTo(other!.Order);
        return order != 0 ? order : Id.CompareTo(other.Id);
    }
}

/// <summary>An element where it stands in one replica's sequence, and in the tree by which it is found.</summary>
internal sealed class SequenceNode<T>(SequenceElement<T> element)
{
    private List<SequenceNode<T>>? _lefts;
    private List<SequenceNode<T>>? _rights;

    public SequenceElement<T> Element { get; } = element;

    /// <summary>Whether it has a place in the sequence: its parent has.</summary>
    public bool IsPlaced { get; set; }

    public bool IsVisible { get; set; }

    /// <summary>Mixed from the id, so that the tree is balanced and the same wherever the elements are the same.</summary>
    public ulong Priority { get; } = Mix(element.Id);

    public SequenceNode<T>? Up { get; set; }

    public SequenceNode<T>? Lower { get; set; }

    public SequenceNode<T>? Upper { get; set; }

    /// <summary>Visible elements in the tree under this one, itself included.</summary>
    public int Visible { get; set; }

    public bool HasRights => _rights is { Count: > 0 };

    public bool IsLeaf => !HasRights && _lefts is not { Count: > 0 };

    public IEnumerable<SequenceNode<T>> Children => (_lefts ?? []).Concat(_rights ?? []);

    /// <summary>Takes a child among its siblings and returns those that it comes between.</summary>
    public (SequenceNode<T>? Before, SequenceNode<T>? After) Take(SequenceNode<T> child)
    {
        var siblings = child.Element.IsLeft ? _lefts ??= [] : _rights ??= [];
        var (low, high) = (0, siblings.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = siblings[middle].Element.CompareTo(child.Element) < 0 ? (middle + 1, high) : (low, middle);
        }

        siblings.Insert(low, child);
        return (low > 0 ? siblings[low - 1] : null, low + 1 < siblings.Count ? siblings[low + 1] : null);
    }

    public void Drop(SequenceNode<T> child) => (child.Element.IsLeft ? _lefts : _rights)!.Remove(child);

    public void DropAll() => (_lefts, _rights) = (null, null);

    /// <summary>The first element of this one with all its children.</summary>
    public SequenceNode<T> First()
    {
        var at = this;
        while (at._lefts is { Count: > 0 } lefts)
        {
            at = lefts[0];
        }

        return at;
    }

    /// <summary>The last element of this one with all its children.</summary>
    public SequenceNode<T> Last()
    {
        var at = this;
        while (at._rights is { Count: > 0 } rights)
        {
            at = rights[^1];
        }

        return at;
    }

    private static ulong Mix(Dot id)
    {
        var bits = id.Replica.Incarnation ^ (ulong)id.Replica.Node.Value << 32 ^ id.Counter * 0x9E3779B97F4A7C15;
        bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ bits >> 27) * 0x94D049BB133111EB;
        return bits ^ bits >> 31;
    }
}
