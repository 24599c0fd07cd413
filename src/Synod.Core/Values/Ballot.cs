namespace Synod.Core;

/// <summary>
/// A ballot of the Paxos family: totally ordered, and unique to the node that owns it (Lamport 2001, §2.2). Rounds are never
/// used twice by a node, also not after a restart: the node's own durable promise comes before its first message in the ballot.
/// </summary>
/// <param name="Round">0 means "no ballot".</param>
/// <param name="Node">The proposer that owns the ballot.</param>
public readonly record struct Ballot(long Round, NodeId Node) : IComparable<Ballot>
{
    /// <summary>Lower than every ballot in use.</summary>
    public static Ballot None => default;

    /// <summary>The lowest ballot of <paramref name="node"/> above this one.</summary>
    public Ballot Next(NodeId node) => new(checked(Round + 1), node);

    public int CompareTo(Ballot other) =>
        Round != other.Round ? Round.CompareTo(other.Round) : Node.CompareTo(other.Node);

    public static bool operator <(Ballot left, Ballot right) =>
        left.Round < right.Round || (left.Round == right.Round && left.Node.Value < right.Node.Value);

    public static bool operator >(Ballot left, Ballot right) => right < left;

    public static bool operator <=(Ballot left, Ballot right) => !(right < left);

    public static bool operator >=(Ballot left, Ballot right) => !(left < right);

    public override string ToString() => this == None ? "-" : $"{Round}.{Node.Value}";
}
