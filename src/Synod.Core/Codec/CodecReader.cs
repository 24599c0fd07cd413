using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Synod.Core;

/// <summary>Reads one element.</summary>
public delegate T CodecReading<out T>(ref CodecReader reader);

/// <summary>
/// Reads what <see cref="CodecWriter"/> wrote. Input may come from anyone: a short, long or absurd field sets <see cref="Failed"/>
/// and reads as a default from then on; nothing is thrown. The caller checks <see cref="IsComplete"/> once at the end.
/// </summary>
public struct CodecReader(ReadOnlyMemory<byte> source)
{
    private readonly ReadOnlyMemory<byte> _source = source;
    private int _position;

    /// <summary>Whether a field could not be read.</summary>
    public bool Failed { get; private set; }

    /// <summary>Whether every field could be read and nothing is left.</summary>
    public readonly bool IsComplete => !Failed && _position == _source.Length;

    /// <summary>Bytes not yet read; 0 after a failure.</summary>
    public readonly int Remaining => Failed ? 0 : _source.Length - _position;

    /// <summary>Declares the input malformed, for a field whose value is outside its domain.</summary>
    public void Fail() => Failed = true;

    public byte Byte() => Take(1, out var at) ? _source.Span[at] : (byte)0;

    public bool Bool()
    {
        var value = Byte();
        if (value > 1)
        {
            Fail();
        }

        return value == 1;
    }

    public ulong Unsigned()
    {
        // Most of what is read are these: the source becomes a span once for all bytes of one.
        var bytes = _source.Span;
        var at = _position;
        ulong value = 0;
        for (var shift = 0; !Failed && at < bytes.Length; shift += 7)
        {
            var part = bytes[at++];
            if (shift == 63 && part > 1)
            {
                break;
            }

            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                _position = at;
                return value;
            }
        }

        Fail();
        return 0;
    }

    public long Signed()
    {
        var value = Unsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public int Int()
    {
        var value = Signed();
        if (value is < int.MinValue or > int.MaxValue)
        {
            Fail();
            return 0;
        }

        return (int)value;
    }

    /// <summary>A count of elements that follow. Fails if it exceeds the bytes left, so that no count can make us allocate much.</summary>
    public int Count()
    {
        var value = Unsigned();
        if (value > (ulong)Remaining)
        {
            Fail();
            return 0;
        }

        return (int)value;
    }

    /// <summary>Reads what <see cref="CodecWriter.Many{T}"/> wrote; ends at the first element that fails.</summary>
    public ImmutableArray<T> Many<T>(CodecReading<T> read)
    {
        var count = Count();
        var items = ImmutableArray.CreateBuilder<T>();
        for (var index = 0; index < count && !Failed; index++)
        {
            items.Add(read(ref this));
        }

        return items.ToImmutable();
    }

    public uint Fixed32() => Take(4, out var at) ? BinaryPrimitives.ReadUInt32LittleEndian(_source.Span[at..]) : 0;

    public ulong Fixed64() => Take(8, out var at) ? BinaryPrimitives.ReadUInt64LittleEndian(_source.Span[at..]) : 0;

    /// <summary>A slice of the source, not a copy: it lives as long as the source does.</summary>
    public ReadOnlyMemory<byte> Bytes()
    {
        var count = Count();
        return Take(count, out var at) ? _source.Slice(at, count) : default;
    }

    /// <summary>Everything that is left, as a slice of the source.</summary>
    public ReadOnlyMemory<byte> Rest()
    {
        var count = Remaining;
        return Take(count, out var at) ? _source.Slice(at, count) : default;
    }

    public string String()
    {
        var bytes = Bytes();
        return bytes.IsEmpty ? "" : Encoding.UTF8.GetString(bytes.Span);
    }

    public NodeId Node()
    {
        var value = Unsigned();
        if (value > int.MaxValue)
        {
            Fail();
            return NodeId.None;
        }

        return new NodeId((int)value);
    }

    public NodeSet Nodes()
    {
        var low = Unsigned();
        return NodeSet.FromBits(new UInt128(Unsigned(), low));
    }

    public Ballot Ballot()
    {
        var round = Signed();
        return new Ballot(round, Node());
    }

    public Slot Slot() => new(Signed());

    public Timestamp Timestamp() => new(Signed());

    public Duration Duration() => new(Signed());

    public TimeInterval Interval()
    {
        var earliest = Timestamp();
        var width = Signed();
        var status = Byte();
        if (width < 0 || earliest.Nanoseconds > long.MaxValue - width || status > (byte)ClockStatus.FreeRunning)
        {
            Fail();
            return default;
        }

        return new TimeInterval(earliest, new Timestamp(earliest.Nanoseconds + width), (ClockStatus)status);
    }

    private bool Take(int count, out int at)
    {
        at = _position;
        if (Failed || _source.Length - _position < count)
        {
            Fail();
            return false;
        }

        _position += count;
        return true;
    }
}
