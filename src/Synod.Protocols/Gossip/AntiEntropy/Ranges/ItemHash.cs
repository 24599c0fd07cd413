using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// A cryptographic hash of an item, or a sum of such modulo 2^256. A sum does not depend on the order of its terms and a term can be
/// taken out again, so a tree keeps sums with logarithmic work.
/// </summary>
public readonly record struct ItemHash(UInt128 High, UInt128 Low)
{
    private const int Size = 32;

    public static ItemHash Zero => default;

    /// <summary>The hash of an item: of its key and its content, told apart by the key's length.</summary>
    public static ItemHash Of(Key key, ReadOnlySpan<byte> value)
    {
        var writer = new CodecWriter(key.Span.Length + value.Length + 5);
        writer.Bytes(key.Span);
        writer.Raw(value);
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(writer.Span, hash);
        return Read(hash);
    }

    /// <summary>
    /// What is told of a set of items with this sum: a hash of the sum and the number. Hashing once more keeps a peer from choosing
    /// items for a wanted sum by arithmetic (gossip.md §6).
    /// </summary>
    public Fingerprint Fingerprint(long count)
    {
        Span<byte> content = stackalloc byte[Size + sizeof(long)];
        Write(content);
        BinaryPrimitives.WriteInt64BigEndian(content[Size..], count);
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(content, hash);
        return new(BinaryPrimitives.ReadUInt128BigEndian(hash));
    }

    /// <summary>What is told of one item.</summary>
    public Fingerprint Short => new(High);

    public static ItemHash operator +(ItemHash left, ItemHash right)
    {
        var low = unchecked(left.Low + right.Low);
        return new(unchecked(left.High + right.High + (low < left.Low ? 1u : 0u)), low);
    }

    public static ItemHash operator -(ItemHash left, ItemHash right) =>
        new(unchecked(left.High - right.High - (left.Low < right.Low ? 1u : 0u)), unchecked(left.Low - right.Low));

    private static ItemHash Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]));

    private void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt128BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[16..], Low);
    }
}

/// <summary>128 bits that stand for a set of items, or for one.</summary>
public readonly record struct Fingerprint(UInt128 Value)
{
    /// <summary>Bytes of one in a message.</summary>
    public const int Size = 16;

    public void Write(CodecWriter writer)
    {
        writer.Fixed64((ulong)(Value >> 64));
        writer.Fixed64((ulong)Value);
    }

    public static Fingerprint Read(ref CodecReader reader)
    {
        var high = reader.Fixed64();
        return new(new UInt128(high, reader.Fixed64()));
    }

    public override string ToString() => ((ushort)(Value >> 112)).ToString("x4", CultureInfo.InvariantCulture);
}
