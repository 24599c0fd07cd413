using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Synod.Core;

/// <summary>
/// Writes values in Synod's binary form into one growing buffer that is reused: little-endian, variable-length integers, equal
/// values in equal bytes. Messages, records, states and fingerprints all go through it.
/// </summary>
public sealed class CodecWriter(int capacity = 256) : IBufferWriter<byte>
{
    private const int MostUnsignedBytes = 10;

    private byte[] _buffer = new byte[capacity];

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>Set by the explorer to write states under a renaming of nodes (symmetry); null elsewhere.</summary>
    public Func<NodeId, NodeId>? Renaming { get; set; }

    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, Length);

    public void Clear() => Length = 0;

    /// <summary>A copy of what was written.</summary>
    public byte[] ToArray() => Span.ToArray();

    public void Byte(byte value) => Reserve(1)[0] = value;

    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    /// <summary>A variable-length unsigned integer, seven bits a byte, least significant first.</summary>
    public void Unsigned(ulong value)
    {
        Grow(MostUnsignedBytes);
        var at = Length;
        while (value >= 0x80)
        {
            _buffer[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _buffer[at++] = (byte)value;
        Length = at;
    }

    /// <summary>A variable-length signed integer (zigzag).</summary>
    public void Signed(long value) => Unsigned((ulong)(value << 1 ^ value >> 63));

    public void Int(int value) => Signed(value);

    /// <summary>How many elements there are, and each of them as <paramref name="write"/> writes it.</summary>
    public void Many<T>(ImmutableArray<T> items, Action<CodecWriter, T> write)
    {
        Unsigned((ulong)items.Length);
        foreach (var item in items)
        {
            write(this, item);
        }
    }

    public void Fixed32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);

    public void Fixed64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);

    /// <summary>A length and that many bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        Unsigned((ulong)value.Length);
        Raw(value);
    }

    /// <summary>Bytes without a length.</summary>
    public void Raw(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    public void String(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        Unsigned((ulong)count);
        Encoding.UTF8.GetBytes(value, Reserve(count));
    }

    public void Node(NodeId value) => Unsigned((ulong)(Renaming is null ? value : Renaming(value)).Value);

    public void Nodes(NodeSet value)
    {
        var set = value;
        if (Renaming is not null)
        {
            set = NodeSet.Empty;
            foreach (var node in value)
            {
                set = set.With(Renaming(node));
            }
        }

        Unsigned((ulong)set.Bits);
        Unsigned((ulong)(set.Bits >> 64));
    }

    public void Ballot(Ballot value)
    {
        Signed(value.Round);
        Node(value.Node);
    }

    public void Slot(Slot value) => Signed(value.Value);

    public void Timestamp(Timestamp value) => Signed(value.Nanoseconds);

    public void Duration(Duration value) => Signed(value.Nanoseconds);

    public void Interval(TimeInterval value)
    {
        Timestamp(value.Earliest);
        Signed((value.Latest - value.Earliest).Nanoseconds);
        Byte((byte)value.Status);
    }

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private Span<byte> Reserve(int count)
    {
        Grow(count);
        var span = _buffer.AsSpan(Length, count);
        Length += count;
        return span;
    }

    private void Grow(int count)
    {
        if (_buffer.Length - Length < count)
        {
            Array.Resize(ref _buffer, Math.Max(checked(Length + count), _buffer.Length * 2));
        }
    }
}
