using Synod.Core;

namespace Synod.Storage.Mvcc;

/// <summary>
/// Versions of user keys in an ordered store. Stateless: every read names its reader (the store, or a snapshot of it),
/// and every write goes into a batch that the caller applies together with whatever else belongs to the same command.
/// </summary>
public static class MvccStore
{
    // The first byte of a stored version's value.
    private const byte Tombstone = 0;
    private const byte Value = 1;

    /// <summary>The newest version of <paramref name="key"/> at or below <paramref name="at"/>, tombstones included; null if none.</summary>
    public static MvccVersion? Get(IStoreReader reader, Key key, Timestamp at)
    {
        var first = StoreKeys.Version(key, at);
        using var cursor = reader.Seek(new KeySpan(new Key(first), new Key(StoreKeys.VersionsEnd(key))));
        return cursor.Next() ? new MvccVersion(StoreKeys.TimestampOf(cursor.Key), DecodeValue(cursor.Value)) : null;
    }

    /// <summary>The newest version of all.</summary>
    public static MvccVersion? Newest(IStoreReader reader, Key key) => Get(reader, key, Timestamp.MaxValue);

    /// <summary>
    /// Adds the keys of <paramref name="span"/> that exist at <paramref name="at"/> to <paramref name="items"/>, in order, until
    /// <paramref name="maxItems"/> or at least <paramref name="maxBytes"/> of keys and values were added (one item always fits).
    /// </summary>
    /// <returns>Whether the scan stopped at a limit; it goes on at the successor of the last key added.</returns>
    public static bool Scan(IStoreReader reader, KeySpan span, Timestamp at, int maxItems, int maxBytes, List<MvccItem> items)
    {
        Invariant.Check(maxItems > 0, "A scan asks for items");
        if (span.IsEmpty)
        {
            return false;
        }

        using var cursor = new VersionCursor(reader, span);
        var count = 0;
        long bytes = 0;
        while (cursor.NextKey())
        {
            if (!cursor.DownTo(at) || DecodeValue(cursor.StoredValue) is not { } value)
            {
                continue;
            }

            if (count == maxItems || bytes >= maxBytes && count > 0)
            {
                return true;
            }

            var key = cursor.UserKey;
            items.Add(new MvccItem(key, cursor.Timestamp, value));
            count++;
            bytes += key.Span.Length + value.Length;
        }

        return false;
    }

    /// <summary>Writes a version; null is a tombstone. Replaces a version of the same timestamp.</summary>
    public static void Put(StoreBatch batch, Key key, Timestamp timestamp, ReadOnlyMemory<byte>? value)
    {
        CheckLimits(key, value);
        batch.Put(StoreKeys.Version(key, timestamp), EncodeValue(value));
    }

    /// <summary>
    /// Removes, per key, all versions older than the newest version at or below <paramref name="threshold"/>, and that one too if
    /// it is a tombstone (spanner.md §8). Reads below the threshold must already be refused. Looks at no more than
    /// <paramref name="maxKeys"/> keys.
    /// </summary>
    public static GarbageProgress CollectGarbage(IStoreReader reader, StoreBatch batch, KeySpan span, Timestamp threshold, int maxKeys)
    {
        Invariant.Check(maxKeys > 0, "A collection of garbage looks at keys");
        if (span.IsEmpty)
        {
            return default;
        }

        using var cursor = new VersionCursor(reader, span);
        var removed = 0;
        for (var keys = 0; cursor.NextKey(); keys++)
        {
            if (keys == maxKeys)
            {
                return new GarbageProgress(cursor.UserKey, true, removed);
            }

            if (!cursor.DownTo(threshold))
            {
                continue;
            }

            // A read at or above the threshold finds the same with and without a tombstone below which there is nothing.
            var remove = DecodeIsTombstone(cursor.StoredValue);
            do
            {
                if (remove)
                {
                    batch.Delete(cursor.StoredKey.ToArray());
                    removed++;
                }

                remove = true;
            }
            while (cursor.Older());
        }

        return new GarbageProgress(Key.Empty, false, removed);
    }

    /// <summary>Deletes every version of the span.</summary>
    public static void DeleteSpan(StoreBatch batch, KeySpan span)
    {
        if (span.IsEmpty)
        {
            return;
        }

        var stored = StoreKeys.Versions(span);
        batch.DeleteRange(stored.Start.Memory.ToArray(), stored.End.Memory.ToArray());
    }

    /// <summary>
    /// Every stored pair of the span. Enumerate it as slowly as you like if the reader is a snapshot; the store itself
    /// must not change meanwhile.
    /// </summary>
    public static IEnumerable<RawPair> Export(IStoreReader reader, KeySpan span)
    {
        if (span.IsEmpty)
        {
            yield break;
        }

        using var cursor = reader.Seek(StoreKeys.Versions(span));
        while (cursor.Next())
        {
            yield return new RawPair(cursor.Key.ToArray(), cursor.Value.ToArray());
        }
    }

    /// <summary>Writes a pair from <see cref="Export"/>; false, and nothing written, if it is no version of <paramref name="span"/>.</summary>
    public static bool Import(StoreBatch batch, KeySpan span, RawPair pair)
    {
        var value = pair.Value.Span;
        if (!StoreKeys.TryVersion(pair.Key.Span, out var key, out _)
            || value is not ([Tombstone] or [Value, ..])
            || value.Length > 1 + MvccLimits.MaxValueBytes
            || key.Span.Length > MvccLimits.MaxKeyBytes
            || !span.Contains(key))
        {
            return false;
        }

        batch.Put(pair.Key.ToArray(), pair.Value.ToArray());
        return true;
    }

    private static void CheckLimits(Key key, ReadOnlyMemory<byte>? value)
    {
        Invariant.Check(key.Span.Length <= MvccLimits.MaxKeyBytes, "A stored key is within its limit");
        Invariant.Check(value.GetValueOrDefault().Length <= MvccLimits.MaxValueBytes, "A stored value is within its limit");
    }

    private static byte[] EncodeValue(ReadOnlyMemory<byte>? value)
    {
        if (value is not { } present)
        {
            return [Tombstone];
        }

        var stored = new byte[1 + present.Length];
        stored[0] = Value;
        present.Span.CopyTo(stored.AsSpan(1));
        return stored;
    }

    private static ReadOnlyMemory<byte>? DecodeValue(ReadOnlySpan<byte> stored) =>
        DecodeIsTombstone(stored) ? null : (ReadOnlyMemory<byte>?)stored[1..].ToArray();

    private static bool DecodeIsTombstone(ReadOnlySpan<byte> stored)
    {
        Invariant.Check(!stored.IsEmpty && stored[0] <= Value, "Stored versions are well formed");
        return stored[0] == Tombstone;
    }
}
