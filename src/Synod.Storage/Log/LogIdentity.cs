using System.Globalization;
using Synod.Core;

namespace Synod.Storage;

/// <summary>Whose log it is. Written into every segment, so that no one recovers from another's promises.</summary>
/// <param name="Cluster">The cluster's id.</param>
/// <param name="Node">The node that made the promises.</param>
/// <param name="Store">A number drawn when the data folder was made: a wiped disk is another store.</param>
public sealed record LogIdentity(string Cluster, NodeId Node, ulong Store)
{
    private const ulong ComebackBit = 1UL << 63;

    /// <summary>
    /// Whether the folder replaces one that was lost: then the node is a new replica, and takes no part in what the lost one promised.
    /// </summary>
    public bool IsComeback => (Store & ComebackBit) != 0;

    /// <summary>Which incarnation of the node this is: 0 with its first folder, the store's number after a loss.</summary>
    public ulong Incarnation => IsComeback ? Store : 0;

    /// <summary>The identity of a new folder, from a random number.</summary>
    public static LogIdentity Draw(string cluster, NodeId node, ulong random, bool comeback) =>
        new(cluster, node, comeback ? random | ComebackBit : random & ~ComebackBit);

    /// <summary>
    /// Whose folder it is that a node starts with: what is written in it stands, and an empty one is drawn for, as that of a node which
    /// lost another if whoever starts it says so.
    /// </summary>
    /// <param name="known">What is written in the folder; null for an empty one.</param>
    public static LogIdentity ForStart(LogIdentity? known, string cluster, NodeId node, ulong random, bool rejoins) =>
        known is null ? Draw(cluster, node, random, rejoins) : new LogIdentity(cluster, node, known.Store);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"cluster '{Cluster}', node {Node.Value}, store {Store:x16}");
}

/// <param name="SegmentBytes">The size of a segment file; a larger batch gets a segment of its own size.</param>
public sealed record LogOptions(long SegmentBytes = 64L << 20)
{
    public static LogOptions Default { get; } = new();
}
