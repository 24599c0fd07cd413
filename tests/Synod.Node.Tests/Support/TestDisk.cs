using Synod.Storage;

namespace Synod.Node.Tests;

/// <summary>A call of a disk, in the words of <see cref="DiskCallTests"/>.</summary>
internal readonly record struct DiskCall(string What, string File)
{
    public override string ToString() => File.Length == 0 ? What : $"{What} {File}";
}

/// <summary>A disk in memory whose syncs a test can hold or fail, or any call. What was written stays when the node stops.</summary>
internal sealed class TestDisk : IDisk
{
    private readonly SortedDictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _open = new(true);
    private readonly SemaphoreSlim _entered = new(0);
    private volatile bool _failing;

    public int Syncs { get; private set; }

    /// <summary>Hears of every call before it is done, on the caller's thread, and may throw.</summary>
    public Action<DiskCall>? Entering { get; set; }

    /// <summary>Syncs wait from now on.</summary>
    public void Hold() => _open.Reset();

    public void Release() => _open.Set();

    /// <summary>Syncs fail from now on, those that wait included.</summary>
    public void Fail()
    {
        _failing = true;
        _open.Set();
    }

    /// <summary>Ends when a sync has begun to wait.</summary>
    public Task HeldAsync(CancellationToken cancellation) => _entered.WaitAsync(cancellation);

    public IReadOnlyList<string> List()
    {
        Enter("list");
        lock (_lock)
        {
            return [.. _files.Keys];
        }
    }

    public IDiskFile Create(string name, long length)
    {
        Enter("create", name);
        lock (_lock)
        {
            if (!_files.TryAdd(name, new byte[length]))
            {
                throw new StorageFailure($"{name} is taken");
            }
        }

        return new File(this, name);
    }

    public IDiskFile Open(string name)
    {
        Enter("open", name);
        return ContentOf(name) is not null ? new File(this, name) : throw new StorageFailure($"{name} is missing");
    }

    public void Rename(string from, string to)
    {
        Enter("rename", from);
        lock (_lock)
        {
            _files.Add(to, _files[from]);
            _ = _files.Remove(from);
        }
    }

    public void Delete(string name)
    {
        Enter("delete", name);
        lock (_lock)
        {
            _ = _files.Remove(name);
        }
    }

    public void SyncDirectory()
    {
        Enter("sync the directory");
        Sync();
    }

    private byte[]? ContentOf(string name)
    {
        lock (_lock)
        {
            return _files.GetValueOrDefault(name);
        }
    }

    private void Enter(string what, string file = "") =>
        Entering?.Invoke(new DiskCall(what, file.StartsWith("spare", StringComparison.Ordinal) || file.Length == 0 ? file : "segment"));

    private void Sync()
    {
        if (!_open.IsSet)
        {
            _ = _entered.Release();
            _open.Wait();
        }

        Syncs++;
        if (_failing)
        {
            throw new StorageFailure("The test's disk fails.");
        }
    }

    private sealed class File(TestDisk disk, string name) : IDiskFile
    {
        private byte[] _content = disk.ContentOf(name)!;
        private string _part = "batch";

        public long Length => _content.Length;

        public int Read(long offset, Span<byte> into)
        {
            Enter("read", offset);
            var count = (int)Math.Clamp(_content.Length - offset, 0, into.Length);
            _content.AsSpan((int)offset, count).CopyTo(into);
            return count;
        }

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            Enter("write", offset);
            data.CopyTo(_content.AsSpan((int)offset));
        }

        public void Sync()
        {
            disk.Entering?.Invoke(new DiskCall("sync", _part));
            disk.Sync();
        }

        public void Truncate(long length)
        {
            disk.Enter("truncate", name);
            lock (disk._lock)
            {
                disk._files[name] = _content = _content[..(int)length];
            }
        }

        public void Dispose()
        {
        }

        private void Enter(string what, long offset)
        {
            _part = offset == 0 ? "header" : "batch";
            disk.Entering?.Invoke(new DiskCall(what, _part));
        }
    }
}

/// <summary>A store that only notes when it was flushed.</summary>
internal sealed class FlushNotes(Toy toy) : IStore
{
    public byte[]? Get(ReadOnlySpan<byte> key) => null;

    public IStoreCursor Seek(Core.KeySpan span) => throw new NotSupportedException();

    public void Write(StoreBatch batch) => throw new NotSupportedException();

    public IStoreSnapshot Snapshot() => throw new NotSupportedException();

    public void Flush() => toy.Events.Enqueue("flush");
}
