using RocksDbSharp;
using Synod.Core;
using Synod.Storage;

namespace Synod.Node.Storage;

/// <summary>
/// A store in RocksDB. Its own log is off: Synod's log has every command, so writes stay in memory until a flush. All keys share one
/// column family, whose memtables reach the disk in the order in which they were filled: what survives a crash is the result of a prefix
/// of the batches. The newest batches gather in front of it and enter together, as one atomic write with one value per key.
/// </summary>
/// <remarks>For one thread, but for <see cref="Flush"/> and for snapshots that were taken.</remarks>
public sealed class RocksStore : IStore, IDisposable
{
    // Enough for the hot keys to be overwritten in it many times, little enough to stay in the processor's cache.
    private const int BufferedBytes = 256 << 10;

    private readonly Lock _lock = new();
    private readonly WriteBuffer _buffer = new();
    private readonly RocksDb _database;
    private readonly WriteOptions _write = new WriteOptions().DisableWal(1);
    private readonly FlushOptions _flush = new FlushOptions().SetWaitForFlush(true);

    /// <param name="path">A folder, made if missing, that no other process has open.</param>
    /// <exception cref="StorageFailure">The store is in use, damaged, or cannot be opened.</exception>
    public RocksStore(string path) => _database = Run($"open the store '{path}'", () =>
    {
        Directory.CreateDirectory(path);
        return RocksDb.Open(Options(), path);
    });

    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        lock (_lock)
        {
            if (_buffer.TryGet(key, out var value))
            {
                return value is null ? null : [.. value];
            }
        }

        try
        {
            return _database.Get(key);
        }
        catch (RocksDbException failure)
        {
            throw Failure("read the store", failure);
        }
    }

    public IStoreCursor Seek(KeySpan span)
    {
        lock (_lock)
        {
            var view = _buffer.View();
            var writes = view.Seek(span);
            if (writes.Next())
            {
                return new BufferedCursor(view, writes, new RocksCursor(_database, span, null));
            }

            view.Dispose();
            return new RocksCursor(_database, span, null);
        }
    }

    public void Write(StoreBatch batch)
    {
        lock (_lock)
        {
            if (HasRange(batch))
            {
                // What the buffer holds may lie inside the range or not: too rare to look.
                Spill();
                WriteThrough(batch);
                return;
            }

            foreach (var operation in batch.Operations)
            {
                switch (operation.Kind)
                {
                    case StoreOperationKind.Put:
                        _buffer.Put(operation.Key, operation.Value);
                        break;
                    case StoreOperationKind.Insert:
                        _buffer.Insert(operation.Key, operation.Value);
                        break;
                    default:
                        _buffer.Delete(operation.Key);
                        break;
                }
            }

            if (_buffer.Bytes > BufferedBytes)
            {
                Spill();
            }
        }
    }

    public IStoreSnapshot Snapshot()
    {
        Spill();
        return new View(_database);
    }

    public void Flush()
    {
        Spill();
        _ = Run("flush the store", () =>
        {
            _database.Flush(_flush);
            return 0;
        });
    }

    public void Dispose() => _database.Dispose();

    private static bool HasRange(StoreBatch batch)
    {
        foreach (var operation in batch.Operations)
        {
            if (operation.Kind == StoreOperationKind.DeleteRange)
            {
                return true;
            }
        }

        return false;
    }

    // One atomic write, so that what RocksDB holds is always as after some batch.
    private void Spill()
    {
        lock (_lock)
        {
            if (_buffer.Count == 0)
            {
                return;
            }

            // In order: the way to a key's place is still in the processor's cache from its neighbour.
            using var operations = new WriteBatch();
            using (var view = _buffer.View())
            {
                var writes = view.Seek(KeySpan.All);
                while (writes.Next())
                {
                    _ = writes.Value.Value is { } value ? operations.Put(writes.Key, value) : operations.Delete(writes.Key);
                }
            }

            Write(operations);
            _buffer.Clear();
        }
    }

    private void WriteThrough(StoreBatch batch)
    {
        using var operations = new WriteBatch();
        foreach (var operation in batch.Operations)
        {
            _ = operation.Kind switch
            {
                StoreOperationKind.Put or StoreOperationKind.Insert => operations.Put(operation.Key, operation.Value),
                StoreOperationKind.Delete => operations.Delete(operation.Key),
                StoreOperationKind.DeleteRange => operations.DeleteRange(
                    operation.Key, (ulong)operation.Key.Length, operation.Value, (ulong)operation.Value.Length),
                _ => throw new ArgumentOutOfRangeException(nameof(batch), operation.Kind, "No such operation."),
            };
        }

        Write(operations);
    }

    private void Write(WriteBatch operations)
    {
        try
        {
            _database.Write(operations, _write);
        }
        catch (RocksDbException failure)
        {
            throw Failure("write the store", failure);
        }
    }

    // Few threads and small caches: nodes share small machines, and the data is mostly in the page cache anyway.
    private static DbOptions Options()
    {
        var table = new BlockBasedTableOptions()
            .SetBlockCache(Cache.CreateLru(128UL << 20))
            .SetFilterPolicy(BloomFilterPolicy.Create(10, false))
            .SetCacheIndexAndFilterBlocks(true)
            .SetPinL0FilterAndIndexBlocksInCache(true);
        return (DbOptions)new DbOptions()
            .SetCreateIfMissing(true)
            .SetParanoidChecks(true)
            .SetMaxOpenFiles(512)
            .SetMaxBackgroundCompactions(1)
            .SetMaxBackgroundFlushes(1)
            .SetBytesPerSync(1 << 20)
            .SetKeepLogFileNum(2)
            .SetStatsDumpPeriodSec(0)
            .SetWriteBufferSize(64UL << 20)
            .SetMaxWriteBufferNumber(4)
            .SetLevelCompactionDynamicLevelBytes(true)
            .SetCompression(Compression.Lz4)
            .SetBlockBasedTableFactory(table);
    }

    private static T Run<T>(string what, Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception failure) when (failure is RocksDbException or IOException or UnauthorizedAccessException)
        {
            throw Failure(what, failure);
        }
    }

    private static StorageFailure Failure(string what, Exception failure) =>
        failure.Message.Contains("No space left", StringComparison.OrdinalIgnoreCase)
            ? new StorageFailure($"The disk is full: could not {what}. Free space, then start the node again.", failure)
            : new StorageFailure($"Could not {what}: {failure.Message}", failure);

    private sealed class View : IStoreSnapshot
    {
        private readonly RocksDb _database;
        private readonly Snapshot _snapshot;
        private readonly ReadOptions _options;

        public View(RocksDb database)
        {
            _database = database;
            _snapshot = database.CreateSnapshot();
            _options = new ReadOptions().SetSnapshot(_snapshot);
        }

        public byte[]? Get(ReadOnlySpan<byte> key)
        {
            try
            {
                return _database.Get(key, readOptions: _options);
            }
            catch (RocksDbException failure)
            {
                throw Failure("read the store", failure);
            }
        }

        public IStoreCursor Seek(KeySpan span) => new RocksCursor(_database, span, _snapshot);

        public void Dispose() => _snapshot.Dispose();
    }
}
