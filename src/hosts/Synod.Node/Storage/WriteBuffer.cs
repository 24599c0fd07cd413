using Synod.Storage;

namespace Synod.Node.Storage;

/// <summary>
/// The newest writes of a store, one per key, on their way into it. Applied state overwrites few keys over and over (how far a group
/// has come, what a session did last); only the last value of each needs the insertion that a store costs. In order of keys, so
/// that a read finds its place among them and they enter the store one beside the other.
/// </summary>
internal sealed class WriteBuffer
{
    private OrderedMap<byte[]?> _latest = new();

    /// <summary>Keys with a write.</summary>
    public int Count => _latest.Count;

    /// <summary>Keys and values held, in bytes, replaced ones included.</summary>
    public int Bytes { get; private set; }

    public void Put(byte[] key, byte[] value) => Set(key, value);

    public void Delete(byte[] key) => Set(key, null);

    /// <summary>Whether there is a write of the key, and which; null for a deletion.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, out byte[]? value) => _latest.TryGet(key, out value);

    /// <summary>The writes as they are now; null deletes. Dispose of it.</summary>
    public OrderedMapView<byte[]?> View() => _latest.View();

    /// <summary>Starts anew; views keep what they show.</summary>
    public void Clear()
    {
        _latest = new();
        Bytes = 0;
    }

    private void Set(byte[] key, byte[]? value)
    {
        _ = _latest.Set(key, value, out _);
        Bytes += key.Length + (value?.Length ?? 0);
    }
}
