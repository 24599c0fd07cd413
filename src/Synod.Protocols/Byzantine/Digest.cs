using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>A SHA-256 digest: two contents with the same digest are taken for the same content.</summary>
public readonly record struct Digest(UInt128 High, UInt128 Low) : IComparable<Digest>
{
    /// <summary>Bytes of one.</summary>
    public const int Size = 32;

    /// <summary>The digest of nothing in particular: no content has it.</summary>
    public static Digest None => default;

    public static Digest Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(content, hash);
        return new(BinaryPrimitives.ReadUInt128BigEndian(hash), BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));
    }

    public void Write(CodecWriter writer)
    {
        Span<byte> bytes = stackalloc byte[Size];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[16..], Low);
        writer.Raw(bytes);
    }

    public static Digest Read(ref CodecReader reader)
    {
        Span<ulong> parts = stackalloc ulong[4];
        foreach (ref var part in parts)
        {
            part = BinaryPrimitives.ReverseEndianness(reader.Fixed64());
        }

        return new(new UInt128(parts[0], parts[1]), new UInt128(parts[2], parts[3]));
    }

    public int CompareTo(Digest other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    /// <summary>Eight hexadecimal digits, enough for a trace.</summary>
    public override string ToString() =>
        this == None ? "-" : ((uint)(High >> 96)).ToString("x8", CultureInfo.InvariantCulture);
}

/// <summary>A digest inside a state or message.</summary>
public sealed class DigestWire : IWire<Digest>
{
    public static DigestWire Instance { get; } = new();

    public void Write(CodecWriter writer, Digest value) => value.Write(writer);

    public Digest Read(ref CodecReader reader) => Digest.Read(ref reader);
}
