using System.IO.Hashing;
using Synod.Core;

namespace Synod.Node.Storage;

/// <summary>
/// The newest writes of a store, one per key, on their way into it. Applied state overwrites few keys over and over (how far a group
/// has come, what a session did last); only the last value of each needs the sorted insertion that a store costs.
/// </summary>
internal sealed class WriteBuffer
{
    private readonly Dictionary<byte[], byte[]?> _latest = new(KeyComparer.Instance);
    private readonly Dictionary<byte[], byte[]?>.AlternateLookup<ReadOnlySpan<byte>> _byContent;

    public WriteBuffer() => _byContent = _latest.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>The last write of each key, in order of keys; null deletes.</summary>
    public KeyValuePair<byte[], byte[]?>[] InOrder()
    {
        var writes = _latest.ToArray();
        Array.Sort(writes, static (left, right) => left.Key.AsSpan().SequenceCompareTo(right.Key));
        return writes;
    }

    /// <summary>Keys with a write.</summary>
    public int Count => _latest.Count;

    /// <summary>Keys and values held, in bytes, replaced ones included.</summary>
    public int Bytes { get; private set; }

    public void Put(byte[] key, byte[] value) => Set(key, value);

    public void Delete(byte[] key) => Set(key, null);

    /// <summary>Whether there is a write of the key, and which; null for a deletion.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, out byte[]? value) => _byContent.TryGetValue(key, out value);

    /// <summary>Whether a key of <paramref name="span"/> has a write. Looks at all of them.</summary>
    public bool HasAny(KeySpan span)
    {
        foreach (var key in _latest.Keys)
        {
            if (span.Contains(new Key(key)))
            {
                return true;
            }
        }

        return false;
    }

    public void Clear()
    {
        _latest.Clear();
        Bytes = 0;
    }

    private void Set(byte[] key, byte[]? value)
    {
        _latest[key] = value;
        Bytes += key.Length + (value?.Length ?? 0);
    }

    private sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly KeyComparer Instance = new();

        public bool Equals(byte[]? left, byte[]? right) => left.AsSpan().SequenceEqual(right);

        public int GetHashCode(byte[] key) => GetHashCode(key.AsSpan());

        public bool Equals(ReadOnlySpan<byte> left, byte[] right) => left.SequenceEqual(right);

        public int GetHashCode(ReadOnlySpan<byte> key) => (int)XxHash3.HashToUInt64(key);

        public byte[] Create(ReadOnlySpan<byte> key) => key.ToArray();
    }
}
