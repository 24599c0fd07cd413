namespace Synod.Node;

/// <summary>
/// Cuts frames out of a byte stream, on one thread that blocks. Each payload is an array of its own: messages keep slices of it
/// for as long as they like.
/// </summary>
internal sealed class FrameReader(Stream stream)
{
    private readonly byte[] _buffer = new byte[64 << 10];
    private readonly FrameParts _parts = new();
    private int _start;
    private int _end;

    /// <summary>Reads one frame, a long one with its last part; null at the end of the stream and on a fault.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public byte[]? Read(int maxLength, out FrameKind kind, out FrameFault fault)
    {
        while (true)
        {
            var payload = ReadOne(maxLength, out kind, out fault);
            if (payload is null || kind != FrameKind.Part)
            {
                return payload;
            }

            payload = _parts.Add(payload, maxLength, out fault);
            if (payload is not null || fault != FrameFault.None)
            {
                kind = FrameKind.Messages;
                return payload;
            }
        }
    }

    /// <summary>One frame, parts as they are, of a stream that does not block, for the dialler's side of a handshake; reads not a byte too many.</summary>
    public static async Task<(FrameKind Kind, byte[]? Payload)> ReadAsync(
        Stream stream, int maxLength, CancellationToken cancellation)
    {
        var header = new byte[Frame.HeaderLength];
        await stream.ReadExactlyAsync(header, cancellation);
        if (Frame.Open(header, maxLength, out var kind, out var length) != FrameFault.None)
        {
            return (kind, null);
        }

        var payload = new byte[length];
        await stream.ReadExactlyAsync(payload, cancellation);
        return (kind, Frame.IsIntact(header, payload) ? payload : null);
    }

    private byte[]? ReadOne(int maxLength, out FrameKind kind, out FrameFault fault)
    {
        kind = default;
        fault = FrameFault.None;
        if (!Fill(Frame.HeaderLength))
        {
            return null;
        }

        Span<byte> header = stackalloc byte[Frame.HeaderLength];
        _buffer.AsSpan(_start, Frame.HeaderLength).CopyTo(header);
        fault = Frame.Open(header, maxLength, out kind, out var length);
        if (fault != FrameFault.None)
        {
            return null;
        }

        _start += Frame.HeaderLength;
        var payload = GC.AllocateUninitializedArray<byte>(length);
        if (!Take(payload))
        {
            return null;
        }

        fault = Frame.IsIntact(header, payload) ? FrameFault.None : FrameFault.Checksum;
        return fault == FrameFault.None ? payload : null;
    }

    private bool Fill(int count)
    {
        if (_end - _start >= count)
        {
            return true;
        }

        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        while (_end < count)
        {
            var read = stream.Read(_buffer.AsSpan(_end));
            if (read == 0)
            {
                return false;
            }

            _end += read;
        }

        return true;
    }

    private bool Take(Span<byte> into)
    {
        var buffered = Math.Min(into.Length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(into);
        _start += buffered;
        into = into[buffered..];
        while (!into.IsEmpty)
        {
            var read = stream.Read(into);
            if (read == 0)
            {
                return false;
            }

            into = into[read..];
        }

        return true;
    }
}
