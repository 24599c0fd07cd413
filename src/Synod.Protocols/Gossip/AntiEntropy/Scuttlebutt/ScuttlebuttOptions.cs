using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>Times and limits; all in one class so that a deployment can say it once.</summary>
public sealed record ScuttlebuttOptions
{
    /// <summary>A round begins after this long, up to twice that.</summary>
    public Duration Period { get; init; } = Duration.FromMilliseconds(500);

    /// <summary>No message is larger, so that it fits into one packet. At least <see cref="LeastMessageBytes"/>.</summary>
    public int MostMessageBytes { get; init; } = 1_400;

    /// <summary>Own tombstones beyond this many are dropped, oldest first, also if a member has not heard of them: it will be reset.</summary>
    public int MostTombstones { get; init; } = 1_000;

    /// <summary>Whether this node's disk was put back from a backup, or may have lost a part of what it told.</summary>
    public bool IsRestored { get; init; }

    /// <summary>Room for a digest and one small update.</summary>
    public const int LeastMessageBytes = 320;

    /// <summary>Bytes of a message beside digest entries and updates, at most.</summary>
    internal const int HeadBytes = 64;

    /// <summary>Key and value of one update together, in bytes: it must fit into a message beside a digest.</summary>
    public int MostEntryBytes => (MostMessageBytes / 2) - HeadBytes - OriginDelta.Size - 21;

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal ScuttlebuttMutation Mutation { get; init; }
}
