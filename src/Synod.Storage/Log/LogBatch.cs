using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Storage;

/// <summary>
/// Records that become durable together, in one reusable buffer laid out as on disk: header, records, their lengths, zeros up to
/// the next sector. One thread fills it and then hands it to the thread that appends it.
/// </summary>
public sealed class LogBatch
{
    /// <summary>The longest record, in bytes: a transaction of 64 MiB, and slack for what surrounds it.</summary>
    public const int MaxRecordBytes = (64 << 20) + (1 << 20);

    private readonly List<int> _lengths = [];
    private int _start = BatchHeader.Size;

    public LogBatch()
    {
        Writer = new CodecWriter(4096);
        Clear();
    }

    /// <summary>Write a record's bytes here, then call <see cref="EndRecord"/>.</summary>
    public CodecWriter Writer { get; }

    /// <summary>Records so far.</summary>
    public int Count => _lengths.Count;

    public bool IsEmpty => _lengths.Count == 0;

    /// <summary>Bytes of the records so far, for hosts that bound a batch.</summary>
    public int Bytes => _start - BatchHeader.Size;

    /// <summary>Everything written since the last call is one record.</summary>
    /// <exception cref="InvariantViolation">The record is longer than <see cref="MaxRecordBytes"/>.</exception>
    public void EndRecord()
    {
        var length = Writer.Length - _start;
        Invariant.Check(length <= MaxRecordBytes, "A log record is within its limit", $"{length} bytes");
        _lengths.Add(length);
        _start = Writer.Length;
    }

    public void Add(ReadOnlySpan<byte> payload)
    {
        Writer.Raw(payload);
        EndRecord();
    }

    public void Add<T>(IWire<T> wire, T value)
    {
        wire.Write(Writer, value);
        EndRecord();
    }

    public void Clear()
    {
        _lengths.Clear();
        Writer.Clear();
        Writer.GetSpan(BatchHeader.Size)[..BatchHeader.Size].Clear();
        Writer.Advance(BatchHeader.Size);
        _start = BatchHeader.Size;
    }

    /// <summary>The sectors that the batch takes on disk.</summary>
    internal long Extent => BatchHeader.ExtentOf(Bytes + (long)_lengths.Count * sizeof(uint));

    /// <summary>Lays the batch out for its place in the log.</summary>
    /// <returns>Whole sectors, header first.</returns>
    internal ReadOnlySpan<byte> Finish(ulong seed, long segment, long offset, long sequence, long syncedEnd, long oldest)
    {
        Invariant.Check(_start == Writer.Length, "A log batch holds whole records");
        foreach (var length in _lengths)
        {
            Writer.Fixed32((uint)length);
        }

        var count = Writer.Length - BatchHeader.Size;
        var padding = (int)(Extent - Writer.Length);
        Writer.GetSpan(padding)[..padding].Clear();
        Writer.Advance(padding);

        // The header's place was reserved by Clear; only here is known what belongs in it.
        var bytes = MemoryMarshal.AsMemory(Writer.Memory).Span;
        var body = Checksum.Of(bytes.Slice(BatchHeader.Size, count), seed);
        new BatchHeader(_lengths.Count, count, segment, offset, sequence, syncedEnd, oldest, body).Write(bytes, seed);
        return bytes;
    }
}
