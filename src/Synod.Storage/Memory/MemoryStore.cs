using Synod.Core;

namespace Synod.Storage;

public sealed class MemoryStore : IStore
{
    /// <summary>Keys present.</summary>
    public int Count { get; }

    /// <summary>Batches written since the last flush: the most that <see cref="Crash"/> can keep.</summary>
    public int UnflushedBatches { get; }

    public byte[]? Get(ReadOnlySpan<byte> key) => throw new NotImplementedException();

    public IStoreCursor Seek(KeySpan span) => throw new NotImplementedException();

    public void Write(StoreBatch batch) => throw new NotImplementedException();

    public IStoreSnapshot Snapshot() => throw new NotImplementedException();

    public void Flush() => throw new NotImplementedException();

    /// <summary>Goes back to the last flush and the first <paramref name="keptBatches"/> batches after it.</summary>
    public void Crash(int keptBatches = 0) => throw new NotImplementedException();
}
