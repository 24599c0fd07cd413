using Synod.Core;

namespace Synod.Storage;

/// <summary>Reads of an ordered map from byte strings to byte strings.</summary>
public interface IStoreReader
{
    /// <summary>The value of <paramref name="key"/>, or null. The array belongs to the caller.</summary>
    byte[]? Get(ReadOnlySpan<byte> key);

    /// <summary>
    /// A cursor over the keys of <paramref name="span"/> in ascending order, as of now, before the first. Later writes are not
    /// seen. Dispose of it before the next write of many keys: it pins memory.
    /// </summary>
    IStoreCursor Seek(KeySpan span);
}

/// <summary>Walks a span in ascending order of keys.</summary>
public interface IStoreCursor : IDisposable
{
    /// <summary>Moves to the next key; false at the end.</summary>
    bool Next();

    /// <summary>Valid until the next move.</summary>
    ReadOnlySpan<byte> Key { get; }

    /// <summary>Valid until the next move.</summary>
    ReadOnlySpan<byte> Value { get; }
}

/// <summary>A consistent view of the store at the moment it was taken.</summary>
public interface IStoreSnapshot : IStoreReader, IDisposable;

/// <summary>
/// The applied state of a node's groups. Writes are atomic per batch and ordered, but durable only after a <see cref="Flush"/>:
/// after a crash the store is as after some earlier batch, at or past the last flush, and the log's tail replays the rest.
/// </summary>
public interface IStore : IStoreReader
{
    /// <summary>Applies every operation of <paramref name="batch"/> in order, or none.</summary>
    void Write(StoreBatch batch);

    IStoreSnapshot Snapshot();

    /// <summary>Makes every write that returned before the call durable. Blocks; may be called from another thread.</summary>
    /// <exception cref="StorageFailure">The disk refused: the node must stop.</exception>
    void Flush();
}

/// <summary>The disk or the store failed in a way that leaves durability unknown: the process must stop.</summary>
public sealed class StorageFailure(string message, Exception? cause = null) : Exception(message, cause);
