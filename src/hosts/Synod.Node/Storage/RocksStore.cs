using Synod.Core;
using Synod.Storage;

namespace Synod.Node.Storage;

public sealed class RocksStore : IStore, IDisposable
{
    /// <param name="path">A folder, made if missing, that no other process has open.</param>
    public RocksStore(string path) => throw new NotImplementedException(path);

    public byte[]? Get(ReadOnlySpan<byte> key) => throw new NotImplementedException();

    public IStoreCursor Seek(KeySpan span) => throw new NotImplementedException();

    public void Write(StoreBatch batch) => throw new NotImplementedException();

    public IStoreSnapshot Snapshot() => throw new NotImplementedException();

    public void Flush() => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
