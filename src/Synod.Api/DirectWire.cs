using System.Buffers;
using Google.Protobuf;

namespace Synod.Api;

/// <summary>
/// The direct wire, in bytes: the API's messages on a connection of their own, each behind its length as a varint (as protobuf's
/// delimited streams have it). It is for those who count microseconds: a message takes no frames, headers or windows of HTTP/2 and the
/// threads that those pass through. A client says <see cref="Preface"/>, a <see cref="Hello"/> and then requests; the node says
/// responses in any order, and before it closes because of something that the client did, one without an id.
/// </summary>
public static class DirectWire
{
    /// <summary>The largest message: a full transaction of 64 MiB and room for the rest of it.</summary>
    public const int MaxMessageBytes = 80 * 1024 * 1024;

    private const int MaxLengthBytes = 4;

    /// <summary>What the connection begins with. Its first byte is none that HTTP/2 or TLS begins with.</summary>
    public static ReadOnlySpan<byte> Preface => "SYNOD/1\n"u8;

    /// <summary>Writes a message behind its length.</summary>
    public static void Write(IBufferWriter<byte> into, IMessage message)
    {
        ArgumentNullException.ThrowIfNull(into);
        var size = message.CalculateSize();
        var length = into.GetSpan(MaxLengthBytes);
        var count = 0;
        for (var rest = (uint)size; ; rest >>= 7)
        {
            if (rest < 0x80)
            {
                length[count++] = (byte)rest;
                break;
            }

            length[count++] = (byte)(rest | 0x80);
        }

        into.Advance(count);
        message.WriteTo(into);
    }

    /// <summary>Cuts the next message off; false if it is not all there yet.</summary>
    /// <exception cref="InvalidDataException">No message has such a length.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> bytes, out ReadOnlySequence<byte> message)
    {
        message = default;
        var reader = new SequenceReader<byte>(bytes);
        var length = 0u;
        for (var shift = 0; ; shift += 7)
        {
            if (!reader.TryRead(out var part))
            {
                return false;
            }

            length |= (uint)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                break;
            }

            if (shift == 7 * (MaxLengthBytes - 1))
            {
                throw new InvalidDataException("The length of a message has too many bytes.");
            }
        }

        if (length > MaxMessageBytes)
        {
            throw new InvalidDataException($"A message has {length:N0} bytes, and the limit is {MaxMessageBytes:N0}.");
        }

        if (reader.Remaining < length)
        {
            return false;
        }

        message = bytes.Slice(reader.Position, length);
        bytes = bytes.Slice(message.End);
        return true;
    }
}
