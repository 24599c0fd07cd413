using CsCheck;
using Synod.Core;
using Synod.Node.Storage;
using Xunit;

namespace Synod.Storage.Tests;

/// <summary>What every store does: a sorted map, atomic batches, stable cursors and snapshots.</summary>
public sealed class StoreTests
{
    public enum StoreKind
    {
        Memory,
        Rocks,
    }

    // Few letters and short keys, so that operations meet; zero bytes and prefixes included.
    private static readonly Gen<byte[]> GenKey = Gen.Select(Gen.Int[0, 3], Gen.Byte[0, 3].Array[3], (length, key) => key[..length].Prepend((byte)1).ToArray());

    private static readonly Gen<StoreOperation> GenOperation = Gen.Frequency(
        (6, Gen.Select(GenKey, Gen.Byte.Array[0, 4], (key, value) => new StoreOperation(StoreOperationKind.Put, key, value))),
        (2, GenKey.Select(key => new StoreOperation(StoreOperationKind.Delete, key, []))),
        (1, Gen.Select(GenKey, GenKey, Range)));

    [Theory, InlineData(StoreKind.Memory, 300), InlineData(StoreKind.Rocks, 20)]
    public void A_store_is_a_sorted_map(StoreKind kind, int iterations)
    {
        GenOperation.List[1, 8].List[1, 20].Sample(
            batches =>
            {
                using var fixture = new StoreFixture(kind);
                var model = new SortedDictionary<byte[], byte[]>(ByteOrder.Instance);
                foreach (var operations in batches)
                {
                    fixture.Store.Write(Batch(operations));
                    Apply(model, operations);
                    AssertSame(model, fixture.Store, KeySpan.All);
                }

                AssertSame(model, fixture.Store, new KeySpan(new Key(new byte[] { 1, 1 }), new Key(new byte[] { 1, 2, 0 })));
            },
            iter: iterations, threads: 1);
    }

    [Theory, InlineData(StoreKind.Memory, 300), InlineData(StoreKind.Rocks, 20)]
    public void Snapshots_and_cursors_see_what_was_there(StoreKind kind, int iterations)
    {
        Gen.Select(GenOperation.List[0, 150], GenOperation.List[1, 100], GenOperation.List[1, 100]).Sample(
            (before, between, after) =>
            {
                using var fixture = new StoreFixture(kind);
                var model = new SortedDictionary<byte[], byte[]>(ByteOrder.Instance);
                fixture.Store.Write(Batch(before));
                Apply(model, before);
                using var snapshot = fixture.Store.Snapshot();
                using var cursor = fixture.Store.Seek(KeySpan.All);
                var then = new SortedDictionary<byte[], byte[]>(model, ByteOrder.Instance);
                fixture.Store.Write(Batch(between));
                Apply(model, between);
                using var second = fixture.Store.Snapshot();
                var middle = new SortedDictionary<byte[], byte[]>(model, ByteOrder.Instance);
                fixture.Store.Write(Batch(after));
                Apply(model, after);

                AssertSame(then, snapshot, KeySpan.All);
                AssertSame(middle, second, KeySpan.All);
                AssertSame(model, fixture.Store, KeySpan.All);
                Assert.Equal(then.Keys, Keys(cursor));
            },
            iter: iterations, threads: 1);
    }

    [Fact]
    public void A_crash_of_a_memory_store_keeps_the_flushed_and_a_prefix_of_the_other_batches()
    {
        Gen.Select(GenOperation.List[1, 8].List[0, 8], GenOperation.List[1, 8].List[0, 8], Gen.Int[0, 9]).Sample(
            (flushed, unflushed, kept) =>
            {
                var store = new MemoryStore();
                var model = new SortedDictionary<byte[], byte[]>(ByteOrder.Instance);
                foreach (var operations in flushed)
                {
                    store.Write(Batch(operations));
                    Apply(model, operations);
                }

                store.Flush();
                foreach (var (index, operations) in unflushed.Index())
                {
                    store.Write(Batch(operations));
                    if (index < kept)
                    {
                        Apply(model, operations);
                    }
                }

                Assert.Equal(unflushed.Count, store.UnflushedBatches);
                store.Crash(kept);

                AssertSame(model, store, KeySpan.All);
                Assert.Equal(model.Count, store.Count);
                Assert.Equal(0, store.UnflushedBatches);
            },
            iter: 500);
    }

    [Fact]
    public void Thousands_of_keys_in_any_order_stay_sorted()
    {
        var random = new Random(5);
        var store = new MemoryStore();
        var model = new SortedDictionary<byte[], byte[]>(ByteOrder.Instance);
        for (var i = 0; i < 20_000; i++)
        {
            var key = BitConverter.GetBytes(random.Next(6_000));
            StoreOperation[] operations = [random.Next(3) == 0
                ? new StoreOperation(StoreOperationKind.Delete, key, [])
                : new StoreOperation(StoreOperationKind.Put, key, BitConverter.GetBytes(i))];
            store.Write(Batch(operations));
            Apply(model, operations);
            if (i % 1000 == 0)
            {
                using var _ = store.Snapshot();
                AssertSame(model, store, KeySpan.All);
            }
        }

        AssertSame(model, store, KeySpan.All);
    }

    [Fact]
    public void Rocks_keeps_flushed_batches_without_a_log_of_its_own()
    {
        using var fixture = new StoreFixture(StoreKind.Rocks);
        fixture.Store.Write(Batch([new StoreOperation(StoreOperationKind.Put, [1], [10])]));
        fixture.Store.Flush();
        fixture.Reopen();

        Assert.Equal([10], fixture.Store.Get([1])!);
    }

    [Fact]
    public void Rocks_folder_has_one_owner()
    {
        using var fixture = new StoreFixture(StoreKind.Rocks);
        Assert.Throws<StorageFailure>(() => new RocksStore(fixture.Path));
    }

    [Theory, InlineData(StoreKind.Memory), InlineData(StoreKind.Rocks)]
    public void A_store_has_one_owner_and_one_format(StoreKind kind)
    {
        using var fixture = new StoreFixture(kind);
        var owner = new LogIdentity("c", new NodeId(1), 5);

        Assert.True(StoreFormat.Claim(fixture.Store, owner));
        Assert.False(StoreFormat.Claim(fixture.Store, owner));
        foreach (var other in (LogIdentity[])[owner with { Cluster = "d" }, owner with { Node = new NodeId(2) }, owner with { Store = 6 }])
        {
            var refusal = Assert.Throws<StoreRefused>(() => StoreFormat.Claim(fixture.Store, other));
            Assert.Contains("belongs to cluster 'c', node 1", refusal.What, StringComparison.Ordinal);
        }

        var format = Keys(fixture.Store.Seek(KeySpan.All)).Single();
        fixture.Store.Write(Batch([new StoreOperation(StoreOperationKind.Put, format, [9, 0, 0, 0])]));
        var unknown = Assert.Throws<StoreRefused>(() => StoreFormat.Claim(fixture.Store, owner));
        Assert.Contains("format 9", unknown.What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_with_data_and_no_format_is_refused()
    {
        var store = new MemoryStore();
        store.Write(Batch([new StoreOperation(StoreOperationKind.Put, [1], [1])]));
        Assert.Throws<StoreRefused>(() => StoreFormat.Claim(store, new LogIdentity("c", new NodeId(1), 5)));
    }

    [Fact]
    public void A_store_in_memory_knows_an_insertion_of_what_is_there_for_a_mistake()
    {
        var store = new MemoryStore();
        store.Write(Batch([new StoreOperation(StoreOperationKind.Insert, [1], [1])]));
        Assert.Throws<InvariantViolation>(() => store.Write(Batch([new StoreOperation(StoreOperationKind.Insert, [1], [2])])));
    }

    private static StoreOperation Range(byte[] left, byte[] right) => left.AsSpan().SequenceCompareTo(right) <= 0
        ? new StoreOperation(StoreOperationKind.DeleteRange, left, right)
        : new StoreOperation(StoreOperationKind.DeleteRange, right, left);

    private static StoreBatch Batch(IEnumerable<StoreOperation> operations)
    {
        var batch = new StoreBatch();
        foreach (var (kind, key, value) in operations)
        {
            switch (kind)
            {
                case StoreOperationKind.Put:
                    batch.Put(key, value);
                    break;
                case StoreOperationKind.Insert:
                    batch.Insert(key, value);
                    break;
                case StoreOperationKind.Delete:
                    batch.Delete(key);
                    break;
                default:
                    batch.DeleteRange(key, value);
                    break;
            }
        }

        return batch;
    }

    private static void Apply(SortedDictionary<byte[], byte[]> model, IEnumerable<StoreOperation> operations)
    {
        foreach (var (kind, key, value) in operations)
        {
            if (kind == StoreOperationKind.Put)
            {
                model[key] = value;
                continue;
            }

            var end = kind == StoreOperationKind.Delete ? [.. key, 0] : value;
            foreach (var gone in model.Keys.Where(k => ByteOrder.Compares(k, key) >= 0 && ByteOrder.Compares(k, end) < 0).ToArray())
            {
                model.Remove(gone);
            }
        }
    }

    private static void AssertSame(SortedDictionary<byte[], byte[]> model, IStoreReader store, KeySpan span)
    {
        var expected = model.Where(pair => span.Contains(new Key(pair.Key))).ToArray();
        using (var cursor = store.Seek(span))
        {
            foreach (var (key, value) in expected)
            {
                Assert.True(cursor.Next());
                Assert.Equal(key, cursor.Key.ToArray());
                Assert.Equal(value, cursor.Value.ToArray());
            }

            Assert.False(cursor.Next());
            Assert.False(cursor.Next());
        }

        foreach (var (key, value) in expected)
        {
            Assert.Equal(value, store.Get(key));
            Assert.Equal(model.GetValueOrDefault([.. key, 0]), store.Get([.. key, 0]));
        }
    }

    private static List<byte[]> Keys(IStoreCursor cursor)
    {
        var keys = new List<byte[]>();
        while (cursor.Next())
        {
            keys.Add(cursor.Key.ToArray());
        }

        return keys;
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static readonly ByteOrder Instance = new();

        public static int Compares(byte[] left, byte[] right) => left.AsSpan().SequenceCompareTo(right);

        public int Compare(byte[]? x, byte[]? y) => Compares(x!, y!);
    }

    private sealed class StoreFixture : IDisposable
    {
        private readonly StoreKind _kind;

        public StoreFixture(StoreKind kind)
        {
            _kind = kind;
            Path = Directory.CreateTempSubdirectory("synod-store-").FullName;
            Store = kind == StoreKind.Rocks ? new RocksStore(Path) : new MemoryStore();
        }

        public string Path { get; }

        public IStore Store { get; private set; }

        public void Reopen()
        {
            (Store as IDisposable)?.Dispose();
            Store = _kind == StoreKind.Rocks ? new RocksStore(Path) : new MemoryStore();
        }

        public void Dispose()
        {
            (Store as IDisposable)?.Dispose();
            Directory.Delete(Path, recursive: true);
        }
    }
}
