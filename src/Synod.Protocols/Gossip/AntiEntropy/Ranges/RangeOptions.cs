using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>Times and limits; all in one class so that a deployment can say it once.</summary>
public sealed record RangeOptions
{
    /// <summary>Bytes of a message beside its parts, at most.</summary>
    internal const int HeadBytes = 64;

    /// <summary>In how many spans one that differs is split.</summary>
    public int Branching { get; init; } = 16;

    /// <summary>A span with at most so many items is listed.</summary>
    public int MostListed { get; init; } = 16;

    /// <summary>The longest key, in bytes.</summary>
    public int MostKeyBytes { get; init; } = 512;

    /// <summary>The longest content, in bytes.</summary>
    public int MostValueBytes { get; init; } = 16 << 10;

    /// <summary>No message is larger. At least <see cref="LeastMessageBytes"/>.</summary>
    public int MostMessageBytes { get; init; } = 64 << 10;

    /// <summary>A request that is not answered is sent again after this long, then after twice as long, up to 64 times.</summary>
    public Duration Retry { get; init; } = Duration.FromMilliseconds(200);

    /// <summary>Room for the answer to one span and one item, so that every message moves something on.</summary>
    public int LeastMessageBytes => HeadBytes + (2 * (MostKeyBytes + MostValueBytes + 10))
        + (Branching * ((2 * MostKeyBytes) + 16 + Fingerprint.Size)) + (MostListed * (MostKeyBytes + 5 + Fingerprint.Size));

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal RangeMutation Mutation { get; init; }
}

/// <summary>
/// Known mistakes, one line each at the guard that they disable. Tests and the hunts of the lab make a protocol with one of them, and
/// fail if it is not found.
/// </summary>
internal enum RangeMutation
{
    None,

    /// <summary>What stands for an item stands for its key alone.</summary>
    ContentNotHashed,

    /// <summary>What stands for a span is the number of items in it.</summary>
    OnlyCounted,

    /// <summary>The items at the bounds of spans fall between them.</summary>
    BoundsLost,

    /// <summary>An answer that was cut says that it is complete.</summary>
    ComparedOverstated,

    /// <summary>Items that did not fit any more count as sent.</summary>
    ServedOverstated,

    /// <summary>The answer to an earlier request is taken for that to the last one.</summary>
    SequenceIgnored,

    /// <summary>Items are acknowledged before they are durable.</summary>
    AckBeforeDurable,

    /// <summary>What comes takes the place of what is there.</summary>
    MergeOverwrites,
}
