namespace Synod.Storage;

public sealed class DurableLog : IDisposable
{
    /// <summary>The identity written in the log of <paramref name="disk"/>, or null if there is none yet.</summary>
    public static LogIdentity? ReadIdentity(IDisk disk) => throw new NotImplementedException();

    public static DurableLog Open(IDisk disk, LogIdentity identity, LogOptions options) => throw new NotImplementedException();

    /// <summary>Whether <see cref="Open"/> found no log and made one. A store that is not empty beside a new log means a lost log.</summary>
    public bool IsNew { get; }

    /// <summary>The segment that appends go to.</summary>
    public long Segment { get; }

    /// <summary>Bytes in all live segments: what a recovery would read.</summary>
    public long BytesSinceCheckpoint { get; }

    /// <summary>The records found by <see cref="Open"/>, oldest first. The memory belongs to the caller.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Records() => throw new NotImplementedException();

    public void Append(LogBatch batch) => throw new NotImplementedException();

    public void Sync() => throw new NotImplementedException();

    public void Seal() => throw new NotImplementedException();

    public long StartSegment() => throw new NotImplementedException();

    public void DropBefore(long segment) => throw new NotImplementedException();

    public void PrepareSpare() => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
