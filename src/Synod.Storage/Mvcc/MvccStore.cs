using Synod.Core;

namespace Synod.Storage.Mvcc;

/// <summary>
/// Versions and intents of user keys in an ordered store. Stateless: every read names its reader (the store, or a snapshot of it),
/// and every write goes into a batch that the caller applies together with whatever else belongs to the same command.
/// </summary>
public static class MvccStore
{
    /// <summary>The newest version of <paramref name="key"/> at or below <paramref name="at"/>, tombstones included; null if none.</summary>
    public static MvccVersion? Get(IStoreReader reader, Key key, Timestamp at) => throw new NotImplementedException();

    /// <summary>The newest version of all.</summary>
    public static MvccVersion? Newest(IStoreReader reader, Key key) => Get(reader, key, Timestamp.MaxValue);

    /// <summary>
    /// Adds the keys of <paramref name="span"/> that exist at <paramref name="at"/> to <paramref name="items"/>, in order, until
    /// <paramref name="maxItems"/> or more than <paramref name="maxBytes"/> of keys and values were added (one item always fits).
    /// </summary>
    /// <returns>Whether the scan stopped at a limit; it goes on at the successor of the last key added.</returns>
    public static bool Scan(IStoreReader reader, KeySpan span, Timestamp at, int maxItems, int maxBytes, List<MvccItem> items) =>
        throw new NotImplementedException();

    /// <summary>Writes a version; null is a tombstone. Replaces a version of the same timestamp.</summary>
    public static void Put(StoreBatch batch, Key key, Timestamp timestamp, ReadOnlyMemory<byte>? value) =>
        throw new NotImplementedException();

    /// <summary>Deletes one version.</summary>
    public static void Remove(StoreBatch batch, Key key, Timestamp timestamp) => throw new NotImplementedException();

    public static void PutIntent(StoreBatch batch, Key key, IntentRecord intent) => throw new NotImplementedException();

    public static void RemoveIntent(StoreBatch batch, Key key) => throw new NotImplementedException();

    public static IntentRecord? GetIntent(IStoreReader reader, Key key) => throw new NotImplementedException();

    /// <summary>The intents on keys of <paramref name="span"/>, in order of keys. Enumerate before the next write.</summary>
    public static IEnumerable<(Key Key, IntentRecord Intent)> Intents(IStoreReader reader, KeySpan span) =>
        throw new NotImplementedException();

    /// <summary>
    /// Removes, per key, all versions older than the newest version at or below <paramref name="threshold"/>, and that one too if
    /// it is a tombstone (spanner.md §8). Reads below the threshold must already be refused. Looks at no more than
    /// <paramref name="maxKeys"/> keys.
    /// </summary>
    public static GarbageProgress CollectGarbage(IStoreReader reader, StoreBatch batch, KeySpan span, Timestamp threshold, int maxKeys) =>
        throw new NotImplementedException();

    /// <summary>Deletes every version and intent of the span.</summary>
    public static void DeleteSpan(StoreBatch batch, KeySpan span) => throw new NotImplementedException();

    /// <summary>Every stored pair of the span, intents first; enumerate lazily for chunks. The reader must stay as it is meanwhile.</summary>
    public static IEnumerable<RawPair> Export(IStoreReader reader, KeySpan span) => throw new NotImplementedException();

    /// <summary>Writes a pair from <see cref="Export"/>; false, and nothing written, if it is no version or intent of <paramref name="span"/>.</summary>
    public static bool Import(StoreBatch batch, KeySpan span, RawPair pair) => throw new NotImplementedException();
}
