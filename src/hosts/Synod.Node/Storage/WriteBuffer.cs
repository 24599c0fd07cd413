using Synod.Storage;

namespace Synod.Node.Storage;

/// <summary>
/// The newest writes of a store, one per key, on their way into it. Applied state overwrites few keys over and over (how far a group
/// has come, what a session did last); only the last value of each needs the insertion that a store costs. What comes and goes again
/// before it left (a transaction that was prepared and is decided) leaves nothing. In order of keys, so
/// that a read finds its place among them and they enter the store one beside the other.
/// </summary>
internal sealed class WriteBuffer
{
    private OrderedMap<BufferedWrite> _latest = new();

    /// <summary>Keys with a write.</summary>
    public int Count => _latest.Count;

    /// <summary>Keys and values held, in bytes, replaced ones included.</summary>
    public int Bytes { get; private set; }

    public void Put(byte[] key, byte[] value) => Set(key, new(value, false));

    /// <summary>Puts a key that neither the store nor this has, unless this deletes it.</summary>
    public void Insert(byte[] key, byte[] value) => Set(key, new(value, !_latest.TryGet(key, out _)));

    public void Delete(byte[] key)
    {
        if (_latest.TryGet(key, out var write) && write.IsNew)
        {
            _ = _latest.Remove(key, out _);
            return;
        }

        Set(key, new(null, false));
    }

    /// <summary>Whether there is a write of the key, and which; null for a deletion.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, out byte[]? value)
    {
        var isHere = _latest.TryGet(key, out var write);
        value = write.Value;
        return isHere;
    }

    /// <summary>The writes as they are now. Dispose of it.</summary>
    public OrderedMapView<BufferedWrite> View() => _latest.View();

    /// <summary>Starts anew; views keep what they show.</summary>
    public void Clear()
    {
        _latest = new();
        Bytes = 0;
    }

    private void Set(byte[] key, BufferedWrite write)
    {
        _ = _latest.Set(key, write, out _);
        Bytes += key.Length + (write.Value?.Length ?? 0);
    }
}

/// <summary>What a key is to become: <paramref name="Value"/>, or nothing if that is null.</summary>
/// <param name="IsNew">The store does not have the key.</param>
internal readonly record struct BufferedWrite(byte[]? Value, bool IsNew);
