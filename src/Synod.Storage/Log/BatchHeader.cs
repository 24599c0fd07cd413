using System.Buffers.Binary;

namespace Synod.Storage;

/// <summary>
/// What stands before the records of a batch. Segment, place and the log's owner are part of its checksum, so that bytes of a
/// recycled file or of another log are never taken for ours.
/// </summary>
/// <param name="Count">Records in the batch.</param>
/// <param name="Length">Bytes after the header: the records, then a 32-bit length for each.</param>
/// <param name="Segment">The segment that it was written for.</param>
/// <param name="Offset">Where in the segment.</param>
/// <param name="Sequence">Its number among all batches of the log.</param>
/// <param name="SyncedEnd">Everything in the segment below this offset was durable before this batch was written.</param>
/// <param name="Oldest">The oldest segment that was still needed then.</param>
/// <param name="BodyChecksum">Over the bytes after the header.</param>
internal readonly record struct BatchHeader(
    int Count, int Length, long Segment, long Offset, long Sequence, long SyncedEnd, long Oldest, ulong BodyChecksum)
{
    /// <summary>In bytes; within one sector, which the disk writes whole or not at all.</summary>
    public const int Size = 72;

    private const uint Magic = 0x31424e53; // "SNB1"

    /// <summary>What the batch takes on disk: whole sectors, so that no later batch touches a sector that was synced.</summary>
    public long Extent => ExtentOf(Length);

    public long End => Offset + Extent;

    public static long ExtentOf(long length) =>
        (Size + length + LogSegment.SectorBytes - 1) / LogSegment.SectorBytes * LogSegment.SectorBytes;

    public void Write(Span<byte> into, ulong seed)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(into, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(into[4..], Count);
        BinaryPrimitives.WriteInt64LittleEndian(into[8..], Length);
        BinaryPrimitives.WriteInt64LittleEndian(into[16..], Segment);
        BinaryPrimitives.WriteInt64LittleEndian(into[24..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(into[32..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(into[40..], SyncedEnd);
        BinaryPrimitives.WriteInt64LittleEndian(into[48..], Oldest);
        BinaryPrimitives.WriteUInt64LittleEndian(into[56..], BodyChecksum);
        BinaryPrimitives.WriteUInt64LittleEndian(into[64..], Checksum.Of(into[..64], seed));
    }

    /// <summary>Reads a header that was written for this place; false for anything else.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, ulong seed, long segment, long offset, out BatchHeader header)
    {
        header = default;
        if (from.Length < Size
            || BinaryPrimitives.ReadUInt32LittleEndian(from) != Magic
            || BinaryPrimitives.ReadUInt64LittleEndian(from[64..]) != Checksum.Of(from[..64], seed))
        {
            return false;
        }

        header = new BatchHeader(
            BinaryPrimitives.ReadInt32LittleEndian(from[4..]),
            (int)BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[48..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[56..]));
        return header.Segment == segment && header.Offset == offset;
    }
}
