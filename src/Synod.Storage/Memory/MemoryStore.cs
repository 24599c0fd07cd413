using Synod.Core;

namespace Synod.Storage;

/// <summary>
/// A store in memory, for simulation and for nodes without a disk. Knows what a flush would have made durable, and can lose the
/// rest. For one thread.
/// </summary>
public sealed class MemoryStore : IStore
{
    private readonly OrderedMap<byte[]> _map = new();

    // What the writes since the last flush replaced, and where in it each batch begins.
    private readonly List<Undo> _undo = [];
    private readonly List<int> _batches = [];

    /// <summary>Keys present.</summary>
    public int Count => _map.Count;

    /// <summary>Batches written since the last flush: the most that <see cref="Crash"/> can keep.</summary>
    public int UnflushedBatches => _batches.Count;

    public byte[]? Get(ReadOnlySpan<byte> key) => _map.TryGet(key, out var value) ? value.AsSpan().ToArray() : null;

    public IStoreCursor Seek(KeySpan span)
    {
        var view = _map.View();
        return new Cursor(view.Seek(span), view);
    }

    public void Write(StoreBatch batch)
    {
        _batches.Add(_undo.Count);
        foreach (var operation in batch.Operations)
        {
            switch (operation.Kind)
            {
                case StoreOperationKind.Put:
                    _ = Put(operation);
                    break;
                case StoreOperationKind.Insert:
                    Invariant.Check(!Put(operation), "What is inserted was not there");
                    break;
                case StoreOperationKind.Delete:
                    Delete(operation.Key);
                    break;
                case StoreOperationKind.DeleteRange:
                    DeleteRange(operation.Key, operation.Value);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(batch), operation.Kind, "No such operation.");
            }
        }
    }

    public IStoreSnapshot Snapshot() => new View(_map.View());

    public void Flush()
    {
        _undo.Clear();
        _batches.Clear();
    }

    /// <summary>
    /// Goes back to the last flush and the first <paramref name="keptBatches"/> batches after it: a real store may have written more
    /// than it was asked to, but never a later batch without an earlier one.
    /// </summary>
    public void Crash(int keptBatches = 0)
    {
        Invariant.Check(keptBatches >= 0, "A store keeps no negative number of batches");
        var keep = keptBatches < _batches.Count ? _batches[keptBatches] : _undo.Count;
        for (var i = _undo.Count - 1; i >= keep; i--)
        {
            var (key, old) = _undo[i];
            _ = old is null ? _map.Remove(key, out _) : _map.Set(key, old, out _);
        }

        Flush();
    }

    private bool Put(StoreOperation operation)
    {
        var replaced = _map.Set(operation.Key, operation.Value, out var old);
        _undo.Add(new Undo(operation.Key, replaced ? old : null));
        return replaced;
    }

    private void Delete(byte[] key)
    {
        if (_map.Remove(key, out var old))
        {
            _undo.Add(new Undo(key, old));
        }
    }

    private void DeleteRange(byte[] start, byte[] end)
    {
        using var view = _map.View();
        var cursor = view.Seek(new KeySpan(new Key(start), new Key(end)));
        while (cursor.Next())
        {
            Delete(cursor.Key);
        }
    }

    private readonly record struct Undo(byte[] Key, byte[]? Old);

    private sealed class View(OrderedMapView<byte[]> view) : IStoreSnapshot
    {
        public byte[]? Get(ReadOnlySpan<byte> key) => view.TryGet(key, out var value) ? value.AsSpan().ToArray() : null;

        public IStoreCursor Seek(KeySpan span) => new Cursor(view.Seek(span), null);

        public void Dispose() => view.Dispose();
    }

    private sealed class Cursor(OrderedMapCursor<byte[]> cursor, IDisposable? owned) : IStoreCursor
    {
        private OrderedMapCursor<byte[]> _cursor = cursor;

        public ReadOnlySpan<byte> Key => _cursor.Key;

        public ReadOnlySpan<byte> Value => _cursor.Value;

        public bool Next() => _cursor.Next();

        public void Dispose() => owned?.Dispose();
    }
}
