using RocksDbSharp;
using Synod.Core;
using Synod.Storage;

namespace Synod.Node.Storage;

/// <summary>
/// A store in RocksDB. Its own log is off: Synod's log has every command, so writes stay in memory until a flush. All keys share one
/// column family, whose memtables reach the disk in the order in which they were filled: what survives a crash is the result of a prefix
/// of the batches.
/// </summary>
public sealed class RocksStore : IStore, IDisposable
{
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
        try
        {
            return _database.Get(key);
        }
        catch (RocksDbException failure)
        {
            throw Failure("read the store", failure);
        }
    }

    public IStoreCursor Seek(KeySpan span) => new RocksCursor(_database, span, null);

    public void Write(StoreBatch batch)
    {
        using var operations = new WriteBatch();
        foreach (var operation in batch.Operations)
        {
            switch (operation.Kind)
            {
                case StoreOperationKind.Put:
                    operations.Put(operation.Key, operation.Value);
                    break;
                case StoreOperationKind.Delete:
                    operations.Delete(operation.Key);
                    break;
                case StoreOperationKind.DeleteRange:
                    operations.DeleteRange(
                        operation.Key, (ulong)operation.Key.Length, operation.Value, (ulong)operation.Value.Length);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(batch), operation.Kind, "No such operation.");
            }
        }

        try
        {
            _database.Write(operations, _write);
        }
        catch (RocksDbException failure)
        {
            throw Failure("write the store", failure);
        }
    }

    public IStoreSnapshot Snapshot() => new View(_database);

    public void Flush() => Run("flush the store", () =>
    {
        _database.Flush(_flush);
        return 0;
    });

    public void Dispose() => _database.Dispose();

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
