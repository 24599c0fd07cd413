using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>
/// Names a snapshot for ever: who began it, the how manyth of theirs it is, and the epoch of the topology that it covers. A process
/// in another epoch takes no part.
/// </summary>
public readonly record struct SnapshotId(NodeId Initiator, long Number, long Epoch) : IComparable<SnapshotId>
{
    public int CompareTo(SnapshotId other)
    {
        var byNode = Initiator.CompareTo(other.Initiator);
        var byNumber = byNode != 0 ? byNode : Number.CompareTo(other.Number);
        return byNumber != 0 ? byNumber : Epoch.CompareTo(other.Epoch);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"s{Initiator.Value}.{Number}");
}

/// <summary>
/// A life of the whole system: it begins anew with each restore, and with it every channel. What was under way in an earlier one is
/// refused (snapshots.md §4). Ordered, and unique to the node that restored.
/// </summary>
public readonly record struct Incarnation(long Number, NodeId By) : IComparable<Incarnation>
{
    public int CompareTo(Incarnation other) => Number != other.Number ? Number.CompareTo(other.Number) : By.CompareTo(other.By);

    public static bool operator <(Incarnation left, Incarnation right) => left.CompareTo(right) < 0;

    public static bool operator >(Incarnation left, Incarnation right) => left.CompareTo(right) > 0;

    public static bool operator <=(Incarnation left, Incarnation right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Incarnation left, Incarnation right) => left.CompareTo(right) >= 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"i{Number}.{By.Value}");
}

/// <summary>A directed channel.</summary>
public readonly record struct Edge(NodeId From, NodeId To)
{
    public override string ToString() => $"{From}→{To}";
}

/// <summary>
/// Which processes there are and which directed channels join them, under a number that grows with each change. Messages about
/// snapshots go between any two; only the application's messages and markers need channels.
/// </summary>
public sealed record Topology(long Epoch, NodeSet Members, ImmutableArray<Edge> Channels)
{
    /// <summary>A channel from each member to each other one.</summary>
    public static Topology Mesh(long epoch, NodeSet members) =>
        new(epoch, members, [.. from a in members from b in members where a != b select new Edge(a, b)]);

    /// <summary>A channel from each member to the next, in the order given, and from the last to the first.</summary>
    public static Topology Ring(long epoch, params ReadOnlySpan<NodeId> members)
    {
        var edges = ImmutableArray.CreateBuilder<Edge>();
        for (var index = 0; index < members.Length; index++)
        {
            edges.Add(new Edge(members[index], members[(index + 1) % members.Length]));
        }

        return new(epoch, NodeSet.Of(members), edges.ToImmutable());
    }

    /// <summary>Whether every channel joins two members, and no two channels are the same.</summary>
    public bool IsSound => Epoch > 0 && !Members.IsEmpty && Channels.Distinct().Count() == Channels.Length
        && Channels.All(edge => edge.From != edge.To && Members.Contains(edge.From) && Members.Contains(edge.To));

    /// <summary>Whom <paramref name="node"/> sends to.</summary>
    public NodeSet From(NodeId node) => NodeSet.Of([.. Channels.Where(edge => edge.From == node).Select(edge => edge.To)]);

    /// <summary>Whom <paramref name="node"/> receives from.</summary>
    public NodeSet To(NodeId node) => NodeSet.Of([.. Channels.Where(edge => edge.To == node).Select(edge => edge.From)]);

    public bool Equals(Topology? other) =>
        other is not null && Epoch == other.Epoch && Members == other.Members && Channels.SequenceEqual(other.Channels);

    public override int GetHashCode() => (int)Epoch;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"e{Epoch} {string.Join(" ", Channels)}");
}

/// <summary>A message of the application that a cut found in a channel. <paramref name="Number"/> counts those of its channel from 1.</summary>
public readonly record struct InChannel(long Number, ReadOnlyMemory<byte> Body)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}:{new Key(Body)}");
}

/// <summary>The recorded state of one incoming channel, and how much of it had been received at the receiver's cut.</summary>
/// <param name="Received">Messages of the application received before the cut.</param>
/// <param name="Highest">The highest number among these.</param>
public sealed record ChannelPiece(NodeId From, long Received, long Highest, ImmutableArray<InChannel> Contents)
{
    /// <summary>
    /// Whether received and recorded are together each number from 1 to <paramref name="sent"/> once, the recorded in their order: the gaps below
    /// the highest received are in the channel, and all above it.
    /// </summary>
    public bool IsRestOf(long sent)
    {
        var (last, below) = (0L, 0L);
        foreach (var (number, _) in Contents)
        {
            if (number <= last || number == Highest)
            {
                return false;
            }

            last = number;
            below += number < Highest ? 1 : 0;
        }

        return Received >= 0 && Highest >= 0 && below == Highest - Received && Received + Contents.Length == sent;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{From}:{Received}+[{string.Join(" ", Contents)}]");
}

/// <summary>Messages of the application sent through one outgoing channel before the cut.</summary>
public readonly record struct SentCount(NodeId To, long Count)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{To}:{Count}");
}

/// <summary>What one process contributes to a snapshot: its state at its cut, and the states of its incoming channels.</summary>
public sealed record Piece(
    SnapshotId Id, NodeId Process, ReadOnlyMemory<byte> State, ImmutableArray<ChannelPiece> Incoming, ImmutableArray<SentCount> Sent)
{
    /// <summary>Whether it says something of each channel of its process in <paramref name="topology"/>, once, and of no others.</summary>
    public bool Covers(Topology topology) =>
        Incoming.Select(channel => channel.From).SequenceEqual(topology.To(Process)) && Sent.Select(sent => sent.To).SequenceEqual(topology.From(Process));

    public override string ToString() => $"Piece {Id} of {Process} {new Key(State)} in {string.Join(" ", Incoming)} out {string.Join(" ", Sent)}";
}
