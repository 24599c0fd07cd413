using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// Writes one byte string after the other as what it shares with the one before, and the rest: neighbours that were made one after
/// the other are mostly alike. Half a byte holds each length up to 14.
/// </summary>
internal ref struct FrontCoding
{
    /// <summary>More is not shared: a few bytes of input must not stand for very many.</summary>
    private const int MaxShared = 127;

    private const int Escape = 15;

    private ReadOnlySpan<byte> _last;

    public void Write(CodecWriter writer, ReadOnlySpan<byte> next)
    {
        var shared = Shared(next);
        var rest = next.Length - shared;
        writer.Byte((byte)(Math.Min(shared, Escape) << 4 | Math.Min(rest, Escape)));
        WriteRest(writer, shared);
        WriteRest(writer, rest);
        writer.Raw(next[shared..]);
        _last = next;
    }

    /// <summary>Reads the next one, as an array of its own; the reader fails if it would be written otherwise.</summary>
    public byte[] Read(ref CodecReader reader)
    {
        var head = reader.Byte();
        var shared = ReadRest(ref reader, head >> 4);
        var rest = ReadRest(ref reader, head & 15);
        if (shared > (ulong)_last.Length || shared > MaxShared || rest > (ulong)reader.Remaining)
        {
            reader.Fail();
            return [];
        }

        var next = new byte[(int)shared + (int)rest];
        _last[..(int)shared].CopyTo(next);
        for (var at = (int)shared; at < next.Length; at++)
        {
            next[at] = reader.Byte();
        }

        if (Shared(next) != (int)shared)
        {
            reader.Fail();
        }

        _last = next;
        return next;
    }

    private readonly int Shared(ReadOnlySpan<byte> next) => Math.Min(_last.CommonPrefixLength(next), MaxShared);

    private static void WriteRest(CodecWriter writer, int length)
    {
        if (length >= Escape)
        {
            writer.Unsigned((ulong)(length - Escape));
        }
    }

    private static ulong ReadRest(ref CodecReader reader, int half)
    {
        if (half < Escape)
        {
            return (ulong)half;
        }

        var more = reader.Minimal();
        return more > int.MaxValue ? ulong.MaxValue : more + Escape;
    }
}
