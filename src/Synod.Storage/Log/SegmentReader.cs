using System.Buffers.Binary;

namespace Synod.Storage;

/// <summary>
/// Walks the batches of one segment.
/// <para>
/// <b>Torn or damaged?</b> A crash may keep any subset of the sectors written since the last sync, so a later sector of an unsynced
/// batch may be there while an earlier one is not: "something valid follows" proves nothing by itself. Therefore each batch's header
/// says up to where the segment was durable before the batch was written, and has a checksum of its own and fits one sector. If the
/// walk meets a batch that does not check at offset X, it looks through the rest of the segment for any valid header whose
/// durable end is above X. Such a header was written after X had been synced: what is at X was durable once, and is damage. Without one,
/// no evidence says that anything at X or above was ever synced: it is what a crash left of the last writes, no one was told of it
/// (sends wait for the sync), and the whole of it is cut, also the parts that are whole. In a segment that has a successor the
/// successor's header gives the end, and was itself written after a sync: there, anything that does not check is damage.
/// </para>
/// <para>
/// What no checksum can tell: damage in the very last batches, before anything written later vouches for them.
/// <see cref="DurableLog.Seal"/> narrows this to the moment before the next batch or seal.
/// </para>
/// </summary>
internal sealed class SegmentReader(IDiskFile file, string name, long number, ulong seed)
{
    private const int WindowBytes = 1 << 20;

    private byte[] _window = [];
    private long _windowStart;
    private int _windowLength;

    /// <summary>Yields every batch up to <paramref name="end"/>, or up to the torn tail if it is null.</summary>
    /// <exception cref="LogDamaged">A batch that had been durable does not check.</exception>
    public IEnumerable<LogBatchContent> Batches(long firstSequence, long? end)
    {
        var sequence = firstSequence;
        long offset = LogSegment.HeaderBytes;
        while (end is null ? offset < file.Length : offset < end)
        {
            if (!TryBatch(offset, out var header, out var body) || header.Sequence != sequence)
            {
                if (end is null && !WasSynced(offset))
                {
                    yield break;
                }

                throw Damaged(offset);
            }

            yield return new LogBatchContent(header, body);
            sequence++;
            offset = header.End;
        }

        if (end is not null && offset != end)
        {
            throw Damaged(offset);
        }
    }

    private LogDamaged Damaged(long offset) =>
        new(name, offset, $"The log segment '{name}' is damaged at byte {offset}: a batch of records there fails its checksum.");

    private bool TryBatch(long offset, out BatchHeader header, out byte[] body)
    {
        body = [];
        if (!BatchHeader.TryRead(Peek(offset, BatchHeader.Size), seed, number, offset, out header)
            || header.Length < 0
            || header.End > file.Length)
        {
            return false;
        }

        body = new byte[header.Length];
        var at = offset + BatchHeader.Size;
        if (header.Length <= WindowBytes - LogSegment.SectorBytes)
        {
            Peek(at, header.Length).CopyTo(body);
        }
        else
        {
            _ = file.Read(at, body);
        }

        return Checksum.Of(body, seed) == header.BodyChecksum && LogBatchContent.IsWellFormed(header, body);
    }

    /// <summary>Whether a later batch vouches that <paramref name="offset"/> had been synced.</summary>
    private bool WasSynced(long offset)
    {
        for (var at = offset + LogSegment.SectorBytes; at + BatchHeader.Size <= file.Length; at += LogSegment.SectorBytes)
        {
            if (BatchHeader.TryRead(Peek(at, BatchHeader.Size), seed, number, at, out var header) && header.SyncedEnd > offset)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Bytes of the file, fewer at its end; valid until the next call.</summary>
    private ReadOnlySpan<byte> Peek(long offset, int count)
    {
        if (offset < _windowStart || offset + count > _windowStart + _windowLength)
        {
            if (_window.Length == 0)
            {
                _window = new byte[Math.Min(WindowBytes, file.Length)];
            }

            _windowStart = offset;
            _windowLength = file.Read(offset, _window);
        }

        var start = (int)(offset - _windowStart);
        return _window.AsSpan(start, Math.Min(count, _windowLength - start));
    }
}

/// <summary>A batch as read back.</summary>
internal readonly record struct LogBatchContent(BatchHeader Header, byte[] Body)
{
    /// <summary>Whether the lengths at the end of the body account for all of it.</summary>
    public static bool IsWellFormed(BatchHeader header, byte[] body)
    {
        var table = body.Length - (long)header.Count * sizeof(uint);
        if (header.Count < 0 || table < 0)
        {
            return false;
        }

        long sum = 0;
        for (var i = 0; i < header.Count; i++)
        {
            sum += BinaryPrimitives.ReadUInt32LittleEndian(body.AsSpan((int)table + i * sizeof(uint)));
        }

        return sum == table;
    }

    public IEnumerable<ReadOnlyMemory<byte>> Records()
    {
        var table = Body.Length - Header.Count * sizeof(uint);
        var at = 0;
        for (var i = 0; i < Header.Count; i++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(Body.AsSpan(table + i * sizeof(uint)));
            yield return Body.AsMemory(at, length);
            at += length;
        }
    }
}
