using System.Buffers.Binary;
using System.IO.Hashing;

namespace Synod.Node;

/// <summary>What a frame carries.</summary>
internal enum FrameKind : byte
{
    /// <summary>The dialler's first frame.</summary>
    Hello = 1,

    /// <summary>The answer to an accepted hello.</summary>
    Welcome = 2,

    /// <summary>The answer to a refused one, before the connection closes.</summary>
    Refused = 3,

    /// <summary>A batch of messages; only the dialler sends them.</summary>
    Messages = 4,

    /// <summary>A part of such a batch that is long.</summary>
    Part = 5,
}

/// <summary>Why the bytes of a connection are not a frame.</summary>
public enum FrameFault : byte
{
    None,

    /// <summary>The first bytes are not ours: another protocol knocks, or the stream lost its place.</summary>
    Magic,

    /// <summary>A framing version that this build does not speak.</summary>
    Version,

    /// <summary>Longer than the limit.</summary>
    Oversize,

    /// <summary>The checksum does not match.</summary>
    Checksum,

    /// <summary>The contents do not parse.</summary>
    Malformed,
}

/// <summary>
/// The twelve bytes before every payload: magic "SY", framing version, kind, payload length and checksum, little-endian. They
/// stay as they are in every version, so that an old node can refuse a new one politely.
/// </summary>
internal static class Frame
{
    public const int HeaderLength = 12;

    public const byte Version = 2;

    private const byte Magic0 = (byte)'S';
    private const byte Magic1 = (byte)'Y';

    /// <summary>Writes the header into the first bytes of <paramref name="frame"/>, whose rest is the payload.</summary>
    public static void Seal(Span<byte> frame, FrameKind kind, byte version = Version)
    {
        frame[0] = Magic0;
        frame[1] = Magic1;
        frame[2] = version;
        frame[3] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], frame.Length - HeaderLength);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], Checksum(frame, frame[HeaderLength..]));
    }

    /// <summary>Reads what <see cref="Seal"/> wrote, the checksum aside. <paramref name="header"/> comes from anyone.</summary>
    public static FrameFault Open(ReadOnlySpan<byte> header, int maxLength, out FrameKind kind, out int length)
    {
        kind = (FrameKind)header[3];
        length = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        return header[0] != Magic0 || header[1] != Magic1 ? FrameFault.Magic
            : header[2] != Version ? FrameFault.Version
            : length < 0 || length > maxLength ? FrameFault.Oversize
            : kind is < FrameKind.Hello or > FrameKind.Part ? FrameFault.Malformed
            : FrameFault.None;
    }

    /// <summary>Whether <paramref name="payload"/> is the one that <paramref name="header"/> was sealed with.</summary>
    public static bool IsIntact(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) =>
        BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) == Checksum(header, payload);

    // The first eight header bytes seed the hash: a flipped kind or length is found too.
    private static uint Checksum(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) =>
        (uint)XxHash3.HashToUInt64(payload, BinaryPrimitives.ReadInt64LittleEndian(header));
}
