using Synod.Core;

namespace Synod.Storage;

/// <summary>
/// The one durable log of a node: batches of records in numbered, preallocated segment files. What was appended is durable after
/// <see cref="Sync"/>, all of it, and is found again by the next <see cref="Open"/>; of what was not synced, a recovery finds a prefix
/// of whole batches. After a failed write or sync nothing is known any more, and the log refuses every later call.
/// <para>One thread uses it; <see cref="BytesSinceCheckpoint"/> may be read by others.</para>
/// </summary>
public sealed class DurableLog : IDisposable
{
    private readonly IDisk _disk;
    private readonly LogIdentity _identity;
    private readonly LogOptions _options;
    private readonly ulong _seed;
    private readonly List<LiveSegment> _recovered;
    private readonly List<LiveSegment> _closed;
    private readonly LogBatch _mark = new();

    private IDiskFile? _file;
    private long _fileLength;
    private long _number;
    private long _firstSequence;
    private long _nextSequence;
    private long _offset;
    private long _syncedEnd;
    private long _vouchedEnd;
    private long _oldest;
    private long _closedBytes;
    private bool _hasSpare;
    private Exception? _failure;

    private DurableLog(IDisk disk, LogIdentity identity, LogOptions options, LogRecovery found)
    {
        _disk = disk;
        _identity = identity;
        _options = options;
        _seed = LogSegment.SeedOf(identity);
        _recovered = [.. found.Live];
        _closed = [.. found.Live];
        _closedBytes = found.Live.Sum(segment => segment.BatchBytes);
        _nextSequence = found.NextSequence;
        _hasSpare = found.HasSpare;
        _oldest = found.Live.Count == 0 ? 1 : found.Live[0].Number;
        _number = found.Live.Count == 0 ? 0 : found.Live[^1].Number;
    }

    /// <summary>The number of the segment that appends go to.</summary>
    public long Segment => _number;

    /// <summary>Bytes of all batches that a recovery would read; what a checkpoint brings down.</summary>
    public long BytesSinceCheckpoint => _closedBytes + _offset - LogSegment.HeaderBytes;

    /// <summary>Whose log is on <paramref name="disk"/>, or null if there is none yet.</summary>
    /// <exception cref="StorageRefusal">There is one that cannot be read.</exception>
    public static LogIdentity? ReadIdentity(IDisk disk)
    {
        var last = disk.List().Select(LogSegment.NumberOf).DefaultIfEmpty(0).Max();
        if (last == 0)
        {
            return null;
        }

        var name = LogSegment.NameOf(last);
        using var file = disk.Open(name);
        return LogRecovery.ReadHeader(file, name).Identity;
    }

    /// <summary>
    /// Checks every batch of the log on <paramref name="disk"/>, cuts a torn tail, and begins a new segment, so that nothing is ever
    /// written over what an earlier life left behind. Makes a log if there is none.
    /// </summary>
    /// <exception cref="LogRefused">It is another's log, or has an unknown format.</exception>
    /// <exception cref="LogDamaged">Records that were durable cannot be read.</exception>
    /// <exception cref="StorageFailure">The disk failed or is full.</exception>
    public static DurableLog Open(IDisk disk, LogIdentity identity, LogOptions options)
    {
        Invariant.Check(
            options.SegmentBytes >= 2 * LogSegment.HeaderBytes && options.SegmentBytes % LogSegment.SectorBytes == 0,
            "A log segment holds whole sectors and more than its header");
        var found = LogRecovery.Run(disk, identity);
        var log = new DurableLog(disk, identity, options, found);
        foreach (var number in found.Dropped)
        {
            disk.Delete(LogSegment.NameOf(number));
        }

        log.Roll(0);
        log.TrimLastRecovered();
        return log;
    }

    /// <summary>
    /// The records that <see cref="Open"/> found, oldest first; the memory belongs to the caller. To be read before
    /// <see cref="DropBefore"/>.
    /// </summary>
    public IEnumerable<ReadOnlyMemory<byte>> Records()
    {
        foreach (var segment in _recovered)
        {
            var name = LogSegment.NameOf(segment.Number);
            using var file = _disk.Open(name);
            var reader = new SegmentReader(file, name, segment.Number, _seed);
            foreach (var batch in reader.Batches(segment.FirstSequence, segment.End))
            {
                foreach (var record in batch.Records())
                {
                    yield return record;
                }
            }
        }
    }

    /// <summary>Writes the batch, which the caller then clears. Not durable before <see cref="Sync"/>.</summary>
    /// <exception cref="StorageFailure">Nothing is known about what is durable: the node must stop.</exception>
    public void Append(LogBatch batch) => Run(batch, static (log, batch) =>
    {
        if (!batch.IsEmpty)
        {
            log.Write(batch);
        }
    });

    /// <summary>Makes everything appended durable.</summary>
    /// <exception cref="StorageFailure">Nothing is known about what is durable: the node must stop.</exception>
    public void Sync() => Run(0, static (log, _) => log.SyncFile());

    /// <summary>
    /// Writes, and does not sync, a mark that the last synced batch was synced, so that damage in it is told from a torn tail also when
    /// no batch follows. For a host that has become idle, and before a stop. Does nothing if the mark is there.
    /// </summary>
    /// <exception cref="StorageFailure">As for <see cref="Append"/>.</exception>
    public void Seal() => Run(0, static (log, _) =>
    {
        if (log._vouchedEnd < log._syncedEnd && log._offset == log._syncedEnd && log._offset + log._mark.Extent <= log._fileLength)
        {
            log.WriteMark();
        }
    });

    /// <summary>Begins a new segment: where a checkpoint's records go. Everything appended before is durable on return.</summary>
    /// <returns>Its number, for <see cref="DropBefore"/> once the checkpoint is durable.</returns>
    /// <exception cref="StorageFailure">As for <see cref="Append"/>.</exception>
    public long StartSegment()
    {
        Run(0, static (log, _) => log.Roll(0));
        return _number;
    }

    /// <summary>
    /// Forgets the records of all segments before <paramref name="segment"/>. The mark that they are not needed becomes durable before
    /// the first of them goes: a crash in between leaves files, never a gap.
    /// </summary>
    /// <exception cref="StorageFailure">As for <see cref="Append"/>.</exception>
    public void DropBefore(long segment) => Run(segment, static (log, segment) =>
    {
        Invariant.Check(segment <= log._number, "A checkpoint keeps the log's last segment");
        if (segment <= log._oldest)
        {
            return;
        }

        log._oldest = segment;
        log.WriteMark();
        log.SyncFile();
        log.Remove(segment);
    });

    /// <summary>Makes the file of the next segment ahead of need, if it is not there. Takes as long as writing that many zeros.</summary>
    /// <exception cref="StorageFailure">As for <see cref="Append"/>.</exception>
    public void PrepareSpare() => Run(0, static (log, _) =>
    {
        if (!log._hasSpare)
        {
            log._disk.Create(LogSegment.SpareName, log._options.SegmentBytes).Dispose();
            log._hasSpare = true;
        }
    });

    /// <summary>Whether the next segment would have to be made while appends wait.</summary>
    public bool NeedsSpare => !_hasSpare;

    /// <summary>
    /// The slow part of <see cref="PrepareSpare"/>, for another thread to do beside this log's own; one such call at a time. Only
    /// on a disk that takes calls from several threads.
    /// </summary>
    /// <exception cref="StorageFailure">The disk is full or broken. The log itself is as it was.</exception>
    public void DraftSpare()
    {
        if (_disk.List().Contains(LogSegment.DraftName, StringComparer.Ordinal))
        {
            _disk.Delete(LogSegment.DraftName);
        }

        _disk.Create(LogSegment.DraftName, _options.SegmentBytes).Dispose();
    }

    /// <summary>Takes over what <see cref="DraftSpare"/> made.</summary>
    /// <exception cref="StorageFailure">As for <see cref="Append"/>.</exception>
    public void AdoptSpare() => Run(0, static (log, _) =>
    {
        if (log._hasSpare)
        {
            log._disk.Delete(LogSegment.DraftName);
            return;
        }

        log._disk.Rename(LogSegment.DraftName, LogSegment.SpareName);
        log._hasSpare = true;
    });

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
        _failure ??= new ObjectDisposedException(nameof(DurableLog));
    }

    private void Run<T>(T argument, Action<DurableLog, T> action)
    {
        if (_failure is not null)
        {
            throw new StorageFailure($"The log refuses every call since its first failure: {_failure.Message}", _failure);
        }

        try
        {
            action(this, argument);
        }
        catch (Exception failure)
        {
            _failure = failure;
            throw;
        }
    }

    private void Write(LogBatch batch)
    {
        var extent = batch.Extent;
        if (_offset + extent > _fileLength)
        {
            Roll(extent);
        }

        _file!.Write(_offset, batch.Finish(_seed, _number, _offset, _nextSequence, _syncedEnd, _oldest));
        _offset += extent;
        _nextSequence++;
        _vouchedEnd = _syncedEnd;
    }

    private void WriteMark()
    {
        _mark.Clear();
        Write(_mark);
    }

    private void SyncFile()
    {
        if (_offset > _syncedEnd)
        {
            _file!.Sync();
            _syncedEnd = _offset;
        }
    }

    /// <summary>
    /// Begins the next segment. Its header claims where this one ends, so this one is synced first; and it takes its name only when the
    /// header is durable.
    /// </summary>
    private void Roll(long room)
    {
        var previousEnd = _closed.Count == 0 ? 0 : _closed[^1].End;
        if (_file is not null)
        {
            SyncFile();
            previousEnd = _offset;
        }

        var length = Math.Max(_options.SegmentBytes, LogSegment.HeaderBytes + room);
        var next = TakeSpare(length);
        var number = _number + 1;
        next.Write(0, new LogSegment(number, previousEnd, _nextSequence, _oldest, _identity).Encode());
        next.Sync();
        _disk.Rename(LogSegment.SpareName, LogSegment.NameOf(number));
        _disk.SyncDirectory();
        _hasSpare = false;

        if (_file is not null)
        {
            _closed.Add(new LiveSegment(_number, _firstSequence, _offset, _fileLength));
            _closedBytes += _closed[^1].BatchBytes;
            _file.Dispose();
        }

        _file = next;
        _fileLength = next.Length;
        _number = number;
        _firstSequence = _nextSequence;
        _offset = _syncedEnd = _vouchedEnd = LogSegment.HeaderBytes;
    }

    private IDiskFile TakeSpare(long length)
    {
        if (_hasSpare)
        {
            var spare = _disk.Open(LogSegment.SpareName);
            if (spare.Length == length)
            {
                return spare;
            }

            spare.Dispose();
            _disk.Delete(LogSegment.SpareName);
            _hasSpare = false;
        }

        return _disk.Create(LogSegment.SpareName, length);
    }

    /// <summary>Gives back what the last life had preallocated. Safe now: the new segment's header says where that segment ends.</summary>
    private void TrimLastRecovered()
    {
        if (_recovered.Count == 0 || _recovered[^1].FileBytes == _recovered[^1].End)
        {
            return;
        }

        using var file = _disk.Open(LogSegment.NameOf(_recovered[^1].Number));
        file.Truncate(_recovered[^1].End);
        _closed[^1] = _recovered[^1] with { FileBytes = _recovered[^1].End };
    }

    // Needs no sync of the directory: a name that comes back after a crash is below the oldest needed, so no one reads what is in it.
    private void Remove(long before)
    {
        foreach (var segment in _closed)
        {
            if (segment.Number >= before)
            {
                continue;
            }

            // One file keeps its blocks, already written, for the next segment: its old batches name another segment.
            if (!_hasSpare && segment.FileBytes == _options.SegmentBytes)
            {
                _disk.Rename(LogSegment.NameOf(segment.Number), LogSegment.SpareName);
                _hasSpare = true;
            }
            else
            {
                _disk.Delete(LogSegment.NameOf(segment.Number));
            }

            _closedBytes -= segment.BatchBytes;
        }

        _closed.RemoveAll(segment => segment.Number < before);
    }
}
