using System.Text;

namespace Synod.Bench.Load;

/// <summary>Which keys and values a key-value load uses; the same for all targets.</summary>
internal sealed record KeyValueLoad(bool Reads, int KeyCount, int ValueBytes)
{
    public byte[] Key(int number) => Encoding.ASCII.GetBytes($"bench/{number:D8}");

    public IEnumerable<byte[]> Keys() => Enumerable.Range(0, KeyCount).Select(Key);

    /// <summary>Random bytes, so that no compression anywhere makes them smaller.</summary>
    public byte[] Value()
    {
        var value = new byte[ValueBytes];
        new Random(ValueBytes).NextBytes(value);
        return value;
    }
}
