using Synod.Core;

namespace Synod.Storage.Mvcc;

/// <summary>What may be stored.</summary>
public static class MvccLimits
{
    /// <summary>The longest user key, in bytes.</summary>
    public const int MaxKeyBytes = Key.MaxLength;

    /// <summary>The longest value, in bytes.</summary>
    public const int MaxValueBytes = 4 << 20;
}

/// <summary>A version of a key.</summary>
/// <param name="Timestamp">When the transaction that wrote it committed.</param>
/// <param name="Value">Null for a tombstone: the key was deleted.</param>
public readonly record struct MvccVersion(Timestamp Timestamp, ReadOnlyMemory<byte>? Value);

/// <summary>A key as seen by a read at a timestamp.</summary>
/// <param name="Timestamp">When the version that the read sees was committed.</param>
public readonly record struct MvccItem(Key Key, Timestamp Timestamp, ReadOnlyMemory<byte> Value);

/// <summary>How far a bounded collection of garbage came.</summary>
/// <param name="Next">Where to go on; meaningless when <paramref name="More"/> is false.</param>
/// <param name="More">Whether keys of the span were left.</param>
/// <param name="Removed">Versions that the batch deletes.</param>
public readonly record struct GarbageProgress(Key Next, bool More, int Removed);

/// <summary>A stored pair of a span, for snapshots: opaque, and the same on every node that applied the same commands.</summary>
public readonly record struct RawPair(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value);
