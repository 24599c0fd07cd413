namespace Synod.Core;

/// <summary>
/// The identity of a replica or participant. An identity that lost its disk is never used again: it may have promised what it
/// forgot, so its successor is a new node with a new id.
/// </summary>
/// <param name="Value">0 means "no node". Members of a quorum system are below <see cref="NodeSet.Capacity"/>.</param>
public readonly record struct NodeId(int Value) : IComparable<NodeId>
{
    /// <summary>No node.</summary>
    public static NodeId None => default;

    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    public static bool operator <(NodeId left, NodeId right) => left.Value < right.Value;

    public static bool operator >(NodeId left, NodeId right) => left.Value > right.Value;

    public override string ToString() => $"n{Value}";
}
