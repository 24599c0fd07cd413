using Synod.Core;

namespace Synod.Storage;

/// <summary>
/// An ordered map from byte strings: sorted chunks in a sorted array. Views are cheap: while one is open, a writer copies what it
/// touches first (each chunk, and the array of chunks, remembers the generation that owns it), so a view never changes.
/// </summary>
public sealed class OrderedMap<TValue>
{
    private const int ChunkCapacity = 64;

    private Chunk[] _chunks = [];
    private int _chunkCount;
    private int _arrayGeneration;
    private int _generation;

    // Views of the present generation: a writer need not mind those of earlier ones, which keep what they saw.
    private int _views;

    /// <summary>Keys present.</summary>
    public int Count { get; private set; }

    public bool TryGet(ReadOnlySpan<byte> key, out TValue value) => TryGet(_chunks, _chunkCount, key, out value);

    /// <summary>Adds or replaces. The map keeps the key's array.</summary>
    /// <returns>Whether the key was there, with <paramref name="old"/> as its value.</returns>
    public bool Set(byte[] key, TValue value, out TValue old)
    {
        BeforeWrite();
        var at = FindChunk(_chunks, _chunkCount, key);
        if (at < 0)
        {
            InsertChunk(0, new Chunk(_generation));
            at = 0;
        }

        var chunk = Own(at);
        var index = chunk.Find(key);
        if (index >= 0)
        {
            old = chunk.Values[index];
            chunk.Values[index] = value;
            return true;
        }

        old = default!;
        if (chunk.Count == ChunkCapacity)
        {
            // A key above all splits nothing off a full last chunk: keys in ascending order fill chunks whole.
            var upper = chunk.Split(~index == ChunkCapacity ? ChunkCapacity : ChunkCapacity / 2, _generation);
            InsertChunk(at + 1, upper);
            if (~index >= chunk.Count)
            {
                index = ~(~index - chunk.Count);
                chunk = upper;
            }
        }

        chunk.Insert(~index, key, value);
        Count++;
        return false;
    }

    /// <returns>Whether the key was there, with <paramref name="old"/> as its value.</returns>
    public bool Remove(ReadOnlySpan<byte> key, out TValue old)
    {
        old = default!;
        var at = FindChunk(_chunks, _chunkCount, key);
        var index = at < 0 ? -1 : _chunks[at].Find(key);
        if (index < 0)
        {
            return false;
        }

        BeforeWrite();
        var chunk = Own(at);
        old = chunk.Values[index];
        chunk.RemoveAt(index);
        Count--;
        if (chunk.Count == 0)
        {
            RemoveChunk(at);
        }

        return true;
    }

    /// <summary>The map as it is now, also after later writes; dispose of it, since it makes writes copy.</summary>
    public OrderedMapView<TValue> View()
    {
        _views++;
        return new OrderedMapView<TValue>(this, _chunks, _chunkCount, _generation);
    }

    internal void Release(int generation)
    {
        if (generation == _generation)
        {
            _views--;
        }
    }

    internal static bool TryGet(Chunk[] chunks, int count, ReadOnlySpan<byte> key, out TValue value)
    {
        var at = FindChunk(chunks, count, key);
        var index = at < 0 ? -1 : chunks[at].Find(key);
        value = index < 0 ? default! : chunks[at].Values[index];
        return index >= 0;
    }

    /// <summary>The last chunk whose first key is not above <paramref name="key"/>, or the first chunk; -1 if there is none.</summary>
    internal static int FindChunk(Chunk[] chunks, int count, ReadOnlySpan<byte> key)
    {
        var low = 0;
        var high = count - 1;
        while (low < high)
        {
            var middle = low + (high - low + 1) / 2;
            if (chunks[middle].Keys[0].AsSpan().SequenceCompareTo(key) <= 0)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return count == 0 ? -1 : low;
    }

    private void BeforeWrite()
    {
        if (_views > 0)
        {
            _generation++;
            _views = 0;
        }
    }

    private Chunk Own(int at)
    {
        if (_chunks[at].Generation != _generation)
        {
            OwnArray(_chunkCount);
            _chunks[at] = _chunks[at].Copy(_generation);
        }

        return _chunks[at];
    }

    private void OwnArray(int needed)
    {
        if (_arrayGeneration != _generation || needed > _chunks.Length)
        {
            var copy = new Chunk[Math.Max(needed > _chunks.Length ? _chunks.Length * 2 : _chunks.Length, Math.Max(needed, 4))];
            Array.Copy(_chunks, copy, _chunkCount);
            _chunks = copy;
            _arrayGeneration = _generation;
        }
    }

    private void InsertChunk(int at, Chunk chunk)
    {
        OwnArray(_chunkCount + 1);
        Array.Copy(_chunks, at, _chunks, at + 1, _chunkCount - at);
        _chunks[at] = chunk;
        _chunkCount++;
    }

    private void RemoveChunk(int at)
    {
        OwnArray(_chunkCount);
        _chunkCount--;
        Array.Copy(_chunks, at + 1, _chunks, at, _chunkCount - at);
        _chunks[_chunkCount] = null!;
    }

    internal sealed class Chunk(int generation)
    {
        public int Generation { get; } = generation;

        public byte[][] Keys { get; } = new byte[ChunkCapacity][];

        public TValue[] Values { get; } = new TValue[ChunkCapacity];

        public int Count { get; private set; }

        /// <summary>The key's index, or the complement of where it belongs.</summary>
        public int Find(ReadOnlySpan<byte> key)
        {
            var low = 0;
            var high = Count - 1;
            while (low <= high)
            {
                var middle = (low + high) / 2;
                var order = Keys[middle].AsSpan().SequenceCompareTo(key);
                if (order == 0)
                {
                    return middle;
                }

                if (order < 0)
                {
                    low = middle + 1;
                }
                else
                {
                    high = middle - 1;
                }
            }

            return ~low;
        }

        public void Insert(int index, byte[] key, TValue value)
        {
            Array.Copy(Keys, index, Keys, index + 1, Count - index);
            Array.Copy(Values, index, Values, index + 1, Count - index);
            Keys[index] = key;
            Values[index] = value;
            Count++;
        }

        public void RemoveAt(int index)
        {
            Count--;
            Array.Copy(Keys, index + 1, Keys, index, Count - index);
            Array.Copy(Values, index + 1, Values, index, Count - index);
            Keys[Count] = null!;
            Values[Count] = default!;
        }

        public Chunk Split(int at, int generation)
        {
            var upper = new Chunk(generation) { Count = Count - at };
            Array.Copy(Keys, at, upper.Keys, 0, upper.Count);
            Array.Copy(Values, at, upper.Values, 0, upper.Count);
            Array.Clear(Keys, at, upper.Count);
            Array.Clear(Values, at, upper.Count);
            Count = at;
            return upper;
        }

        public Chunk Copy(int generation)
        {
            var copy = new Chunk(generation) { Count = Count };
            Array.Copy(Keys, copy.Keys, Count);
            Array.Copy(Values, copy.Values, Count);
            return copy;
        }
    }
}

/// <summary>A map as it was when the view was taken.</summary>
public sealed class OrderedMapView<TValue> : IDisposable
{
    private readonly OrderedMap<TValue>.Chunk[] _chunks;
    private readonly int _chunkCount;
    private readonly int _generation;
    private OrderedMap<TValue>? _map;

    internal OrderedMapView(OrderedMap<TValue> map, OrderedMap<TValue>.Chunk[] chunks, int chunkCount, int generation)
    {
        _map = map;
        _generation = generation;
        _chunks = chunks;
        _chunkCount = chunkCount;
    }

    public bool TryGet(ReadOnlySpan<byte> key, out TValue value) =>
        OrderedMap<TValue>.TryGet(_chunks, _chunkCount, key, out value);

    /// <summary>Before the first key of <paramref name="span"/>; usable until the view is disposed of.</summary>
    public OrderedMapCursor<TValue> Seek(KeySpan span) => new(_chunks, _chunkCount, span);

    public void Dispose()
    {
        _map?.Release(_generation);
        _map = null;
    }
}

/// <summary>Walks a view in ascending order of keys. The arrays that it shows are the map's own.</summary>
public struct OrderedMapCursor<TValue>
{
    private readonly OrderedMap<TValue>.Chunk[] _chunks;
    private readonly int _chunkCount;
    private readonly Key _end;
    private int _chunk;
    private int _index;

    internal OrderedMapCursor(OrderedMap<TValue>.Chunk[] chunks, int chunkCount, KeySpan span)
    {
        _chunks = chunks;
        _chunkCount = chunkCount;
        _end = span.End;
        _chunk = Math.Max(0, OrderedMap<TValue>.FindChunk(chunks, chunkCount, span.Start.Span));
        var start = chunkCount == 0 ? 0 : chunks[_chunk].Find(span.Start.Span);
        _index = (start < 0 ? ~start : start) - 1;
    }

    public readonly byte[] Key => _chunks[_chunk].Keys[_index];

    public readonly TValue Value => _chunks[_chunk].Values[_index];

    public bool Next()
    {
        if (_chunk >= _chunkCount)
        {
            return false;
        }

        if (++_index >= _chunks[_chunk].Count)
        {
            _chunk++;
            _index = 0;
        }

        if (_chunk < _chunkCount && (_end.IsEmpty || Key.AsSpan().SequenceCompareTo(_end.Span) < 0))
        {
            return true;
        }

        _chunk = _chunkCount;
        return false;
    }
}
