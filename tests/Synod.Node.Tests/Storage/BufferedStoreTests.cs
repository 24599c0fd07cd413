using CsCheck;
using Synod.Core;
using Synod.Node.Storage;
using Synod.Storage;

namespace Synod.Node.Tests.Storage;

/// <summary>Writes gather in front of RocksDB: whoever looks, by whatever way, finds them as if they did not.</summary>
public sealed class BufferedStoreTests : IDisposable
{
    private static readonly Gen<StoreOperation> GenOperation = Gen.Frequency(
        (8, Gen.Select(Gen.Byte[1, 20], Gen.Byte.Array[0, 4], (key, value) => new StoreOperation(StoreOperationKind.Put, [key], value))),
        (3, Gen.Byte[1, 20].Select(key => new StoreOperation(StoreOperationKind.Delete, [key], []))),
        (1, Gen.Select(Gen.Byte[1, 10], Gen.Byte[11, 20], (from, to) => new StoreOperation(StoreOperationKind.DeleteRange, [from], [to]))));

    private readonly string _folder = Directory.CreateTempSubdirectory("synod-store").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Gets_see_what_was_written_before_anything_made_it_move_on()
    {
        var number = 0;
        Gen.Select(GenOperation.List[1, 4].List[1, 20], Gen.Bool.Array[20]).Sample(
            (batches, looks) =>
            {
                using var store = new RocksStore(Path.Combine(_folder, $"{number++}"));
                var model = new SortedDictionary<byte, byte[]>();
                foreach (var (index, operations) in batches.Index())
                {
                    store.Write(Batch(Inserting(model, operations)));
                    Apply(model, operations);
                    for (byte key = 0; key < 22; key++)
                    {
                        Assert.Equal(model.GetValueOrDefault(key), store.Get([key]));
                    }

                    if (looks[index])
                    {
                        Assert.Equal(model.Keys, Keys(store));
                    }
                }

                using var snapshot = store.Snapshot();
                Assert.Equal(model.Keys, Keys(snapshot));
            },
            iter: 20, threads: 1);
    }

    [Fact]
    public void What_was_flushed_is_there_after_a_restart()
    {
        var path = Path.Combine(_folder, "restarted");
        using (var store = new RocksStore(path))
        {
            store.Write(Batch([new(StoreOperationKind.Put, [1], [10]), new(StoreOperationKind.Put, [2], [20])]));
            store.Write(Batch([new(StoreOperationKind.Put, [1], [11]), new(StoreOperationKind.Delete, [2], [])]));
            store.Flush();
        }

        using var again = new RocksStore(path);
        Assert.Equal([11], again.Get([1]));
        Assert.Null(again.Get([2]));
    }

    [Fact]
    public void What_was_inserted_and_deleted_in_between_never_reaches_the_store()
    {
        var buffer = new WriteBuffer();
        buffer.Insert([1], [10]);
        buffer.Delete([1]);
        Assert.Equal(0, buffer.Count);

        // The deletion of something older has to stay, whatever came and went after it.
        buffer.Delete([2]);
        buffer.Insert([2], [20]);
        buffer.Delete([2]);
        Assert.True(buffer.TryGet([2], out var value));
        Assert.Null(value);
    }

    [Fact]
    public void A_returned_array_belongs_to_the_caller()
    {
        using var store = new RocksStore(Path.Combine(_folder, "owned"));
        store.Write(Batch([new(StoreOperationKind.Put, [1], [10])]));

        store.Get([1])![0] = 99;

        Assert.Equal([10], store.Get([1]));
    }

    [Fact]
    public void More_than_the_buffer_holds_moves_on_by_itself()
    {
        using var store = new RocksStore(Path.Combine(_folder, "large"));
        var value = new byte[10_000];
        for (byte key = 0; key < 100; key++)
        {
            store.Write(Batch([new(StoreOperationKind.Put, [key], value), new(StoreOperationKind.Put, [200], [key])]));
        }

        Assert.Equal(value, store.Get([0]));
        Assert.Equal([99], store.Get([200]));
        Assert.Equal(101, Keys(store).Count);
    }

    [Fact]
    public void A_cursor_sees_the_buffered_keys_of_its_span_and_none_written_later()
    {
        Gen.Select(GenOperation.List[1, 20], GenOperation.List[1, 20], Gen.Byte[0, 12], Gen.Byte[8, 21]).Sample(
            (first, second, from, to) =>
            {
                using var store = new RocksStore(Path.Combine(_folder, Guid.NewGuid().ToString("N")));
                var model = new SortedDictionary<byte, byte[]>();
                foreach (var operation in first)
                {
                    store.Write(Batch([operation]));
                    Apply(model, [operation]);
                    using var early = store.Seek(new KeySpan(new Key(new[] { from }), new Key(new[] { to })));
                    store.Write(Batch(second));
                    var seen = new List<byte>();
                    while (early.Next())
                    {
                        seen.Add(early.Key[0]);
                    }

                    Assert.Equal(model.Keys.Where(key => key >= from && key < to), seen);
                    Apply(model, second);
                }
            },
            iter: 15, threads: 1);
    }

    private static StoreBatch Batch(IEnumerable<StoreOperation> operations)
    {
        var batch = new StoreBatch();
        foreach (var operation in operations)
        {
            switch (operation.Kind)
            {
                case StoreOperationKind.Put:
                    batch.Put(operation.Key, operation.Value);
                    break;
                case StoreOperationKind.Insert:
                    batch.Insert(operation.Key, operation.Value);
                    break;
                case StoreOperationKind.Delete:
                    batch.Delete(operation.Key);
                    break;
                default:
                    batch.DeleteRange(operation.Key, operation.Value);
                    break;
            }
        }

        return batch;
    }

    /// <summary>The same, where half of the keys that are not there are inserted.</summary>
    private static List<StoreOperation> Inserting(SortedDictionary<byte, byte[]> model, List<StoreOperation> operations)
    {
        var present = new SortedDictionary<byte, byte[]>(model);
        var same = new List<StoreOperation>();
        foreach (var operation in operations)
        {
            var isNew = operation.Kind == StoreOperationKind.Put && operation.Key[0] % 2 == 0 && !present.ContainsKey(operation.Key[0]);
            same.Add(isNew ? operation with { Kind = StoreOperationKind.Insert } : operation);
            Apply(present, [operation]);
        }

        return same;
    }

    private static void Apply(SortedDictionary<byte, byte[]> model, IEnumerable<StoreOperation> operations)
    {
        foreach (var operation in operations)
        {
            var last = operation.Kind == StoreOperationKind.DeleteRange ? operation.Value[0] - 1 : operation.Key[0];
            for (var key = operation.Key[0]; key <= last; key++)
            {
                model.Remove(key);
            }

            if (operation.Kind == StoreOperationKind.Put)
            {
                model[operation.Key[0]] = operation.Value;
            }
        }
    }

    private static List<byte> Keys(IStoreReader reader)
    {
        var keys = new List<byte>();
        using var cursor = reader.Seek(KeySpan.All);
        while (cursor.Next())
        {
            keys.Add(cursor.Key[0]);
        }

        return keys;
    }
}
