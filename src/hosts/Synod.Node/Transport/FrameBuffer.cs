using System.Buffers.Binary;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// A growing frame of messages for one peer, reused: room for the header, the sender's clock interval, then messages, each with
/// its length before it.
/// </summary>
internal sealed class FrameBuffer
{
    /// <summary>Header, earliest, latest, clock status.</summary>
    public const int Start = Frame.HeaderLength + IntervalLength;

    public const int IntervalLength = 17;

    // A burst should not pin its memory for the life of the node.
    private const int KeptCapacity = 4 << 20;

    private byte[] _buffer = new byte[4096];

    public int Length { get; private set; } = Start;

    public int Count { get; private set; }

    public bool IsEmpty => Count == 0;

    public void Add(ReadOnlySpan<byte> message)
    {
        Grow(message.Length + 4);
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(Length), message.Length);
        message.CopyTo(_buffer.AsSpan(Length + 4));
        Length += message.Length + 4;
        Count++;
    }

    /// <summary>Appends the messages of <paramref name="other"/>.</summary>
    public void Add(FrameBuffer other)
    {
        var messages = other._buffer.AsSpan(Start, other.Length - Start);
        Grow(messages.Length);
        messages.CopyTo(_buffer.AsSpan(Length));
        Length += messages.Length;
        Count += other.Count;
    }

    /// <summary>Completes the frame. The memory is valid until the next change.</summary>
    public ReadOnlyMemory<byte> Seal(TimeInterval interval)
    {
        var frame = _buffer.AsSpan(0, Length);
        var at = frame[Frame.HeaderLength..];
        BinaryPrimitives.WriteInt64LittleEndian(at, interval.Earliest.Nanoseconds);
        BinaryPrimitives.WriteInt64LittleEndian(at[8..], interval.Latest.Nanoseconds);
        at[16] = (byte)interval.Status;
        Frame.Seal(frame, FrameKind.Messages);
        return _buffer.AsMemory(0, Length);
    }

    /// <summary>Reads the interval at the head of a payload; false if it is malformed.</summary>
    public static bool TryReadInterval(ReadOnlySpan<byte> payload, out TimeInterval interval)
    {
        interval = default;
        if (payload.Length < IntervalLength || payload[16] > (byte)ClockStatus.FreeRunning)
        {
            return false;
        }

        interval = new TimeInterval(
            new Timestamp(BinaryPrimitives.ReadInt64LittleEndian(payload)),
            new Timestamp(BinaryPrimitives.ReadInt64LittleEndian(payload[8..])),
            (ClockStatus)payload[16]);
        return interval.Earliest <= interval.Latest;
    }

    /// <summary>Cuts the next message off <paramref name="messages"/>; false at the end and when malformed, which leaves a rest.</summary>
    public static bool TryNext(ref ReadOnlyMemory<byte> messages, out ReadOnlyMemory<byte> message)
    {
        message = default;
        if (messages.Length < 4)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(messages.Span);
        if (length < 0 || length > messages.Length - 4)
        {
            return false;
        }

        message = messages.Slice(4, length);
        messages = messages[(4 + length)..];
        return true;
    }

    public void Clear()
    {
        Length = Start;
        Count = 0;
        if (_buffer.Length > KeptCapacity)
        {
            _buffer = new byte[4096];
        }
    }

    private void Grow(int count)
    {
        if (_buffer.Length - Length < count)
        {
            Array.Resize(ref _buffer, Math.Max(checked(Length + count), _buffer.Length * 2));
        }
    }
}
