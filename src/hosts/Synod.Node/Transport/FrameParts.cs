using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Long frames go in parts, each a frame of its own, and what is said meanwhile goes between them: no heartbeat waits behind a value of
/// 64 MiB. The parts of a frame, one after the other, are its bytes from its header on; two frames are never in parts at once.
/// </summary>
internal sealed class FrameParts
{
    /// <summary>The longest frame that goes in one piece, in bytes.</summary>
    public const int LongestWhole = 512 << 10;

    private const int PartBytes = 64 << 10;

    private readonly byte[] _header = new byte[Frame.HeaderLength];
    private byte[]? _payload;
    private int _filled;

    /// <summary>Writes the part that begins at <paramref name="sent"/> as a frame; how many bytes of the long one it has.</summary>
    public static int Write(CodecWriter into, ReadOnlySpan<byte> frame, int sent)
    {
        var count = Math.Min(PartBytes, frame.Length - sent);
        var part = into.GetSpan(Frame.HeaderLength + count)[..(Frame.HeaderLength + count)];
        frame.Slice(sent, count).CopyTo(part[Frame.HeaderLength..]);
        Frame.Seal(part, FrameKind.Part);
        into.Advance(part.Length);
        return count;
    }

    /// <summary>Takes the next part: the payload of the long frame if that is whole with it, else null.</summary>
    public byte[]? Add(ReadOnlySpan<byte> part, int maxLength, out FrameFault fault)
    {
        fault = FrameFault.None;
        if (_payload is null)
        {
            fault = Begin(part, maxLength);
            part = fault == FrameFault.None ? part[Frame.HeaderLength..] : [];
        }

        if (fault != FrameFault.None || part.Length > _payload!.Length - _filled)
        {
            fault = fault != FrameFault.None ? fault : FrameFault.Malformed;
            return null;
        }

        part.CopyTo(_payload.AsSpan(_filled));
        _filled += part.Length;
        if (_filled < _payload.Length)
        {
            return null;
        }

        var whole = _payload;
        _payload = null;
        fault = Frame.IsIntact(_header, whole) ? FrameFault.None : FrameFault.Checksum;
        return fault == FrameFault.None ? whole : null;
    }

    private FrameFault Begin(ReadOnlySpan<byte> first, int maxLength)
    {
        if (first.Length < Frame.HeaderLength)
        {
            return FrameFault.Malformed;
        }

        first[..Frame.HeaderLength].CopyTo(_header);
        var fault = Frame.Open(_header, maxLength, out var kind, out var length);
        if (fault != FrameFault.None || kind != FrameKind.Messages)
        {
            return fault != FrameFault.None ? fault : FrameFault.Malformed;
        }

        _payload = GC.AllocateUninitializedArray<byte>(length);
        _filled = 0;
        return FrameFault.None;
    }
}
