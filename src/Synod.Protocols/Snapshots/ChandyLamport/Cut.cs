using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>
/// A complete snapshot: one piece of each member. It is a global state that the system could have been in: reachable from the state
/// in which the snapshot began, and the state in which it ended is reachable from it (Chandy and Lamport 1985, theorem 1).
/// </summary>
/// <param name="Incarnation">In which it was taken; counts of messages begin anew with each.</param>
public sealed record Cut(SnapshotId Id, Incarnation Incarnation, Topology Topology, ImmutableArray<Piece> Pieces)
{
    /// <summary>The piece of <paramref name="process"/>, or null.</summary>
    public Piece? this[NodeId process] => Pieces.FirstOrDefault(piece => piece.Process == process);

    /// <summary>Every message found in a channel, channel by channel in order.</summary>
    public IEnumerable<(Edge Channel, InChannel Message)> InChannels =>
        from piece in Pieces
        from channel in piece.Incoming
        from message in channel.Contents
        select (new Edge(channel.From, piece.Process), message);

    /// <summary>
    /// Null if the cut is consistent, otherwise why not: each channel holds exactly what was sent before its sender's cut and not
    /// received before its receiver's (snapshots.md §7, 1 and 2).
    /// </summary>
    public string? Inconsistency()
    {
        foreach (var piece in Pieces)
        {
            if (piece.Id != Id || !piece.Covers(Topology))
            {
                return $"{piece} is none of {Id}, or of other channels";
            }
        }

        foreach (var edge in Topology.Channels)
        {
            if (this[edge.From]?.Sent.First(item => item.To == edge.To) is not { } sent
                || this[edge.To]?.Incoming.First(item => item.From == edge.From) is not { } channel)
            {
                return $"nothing was recorded of {edge}";
            }

            if (Math.Max(channel.Highest, channel.Contents.Select(message => message.Number).DefaultIfEmpty().Max()) > sent.Count)
            {
                return $"{edge}: something was received inside the cut that was sent outside, {channel} of {sent}";
            }

            if (!channel.IsRestOf(sent.Count))
            {
                return $"{edge}: the channel does not hold what was sent and not received, {channel} of {sent}";
            }
        }

        return null;
    }

    public override string ToString() => $"{Id} of {Topology}: {string.Join("; ", Pieces)}";
}
