using Synod.Core;
using Synod.Storage;

namespace Synod.Simulation.Disks;

/// <summary>A node's store, which forgets what was not flushed when the node crashes, and whose calls can be made to fail.</summary>
public sealed class SimulatedStore : IStore
{
    private readonly long[] _faults = new long[StoreCallSite.All.Length];
    private MemoryStore _memory = new();
    private StoreCallSite? _failing;
    private bool _failsAfterwards;

    /// <summary>Keys present.</summary>
    public int Count => _memory.Count;

    /// <summary>Whether the process is being started: its calls come from other places then.</summary>
    internal bool IsStarting { get; set; }

    /// <summary>How many calls from <see cref="StoreCallSite.All"/>'s site of that index failed.</summary>
    public long Faults(int site) => _faults[site];

    /// <summary>The next call from a site fails, the one given or one drawn now; a write or flush may have been done all the same.</summary>
    public void FailSoon(SeededRandom random, StoreCallSite? site = null)
    {
        _failing = site ?? StoreCallSite.All[random.Below(StoreCallSite.All.Length)];
        _failsAfterwards = random.Below(2) == 0;
    }

    /// <summary>The store is well again.</summary>
    public void Heal() => _failing = null;

    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        Enter(StoreCall.Get);
        return _memory.Get(key);
    }

    public IStoreCursor Seek(KeySpan span)
    {
        Enter(StoreCall.Seek);
        return new Cursor(this, _memory.Seek(span));
    }

    public void Write(StoreBatch batch)
    {
        if (IsDue(StoreCall.Write))
        {
            if (_failsAfterwards)
            {
                _memory.Write(batch);
            }

            throw Failed(StoreCall.Write);
        }

        _memory.Write(batch);
    }

    public IStoreSnapshot Snapshot()
    {
        Enter(StoreCall.Snapshot);
        return new View(this, _memory.Snapshot());
    }

    public void Flush()
    {
        if (IsDue(StoreCall.Flush))
        {
            if (_failsAfterwards)
            {
                _memory.Flush();
            }

            throw Failed(StoreCall.Flush);
        }

        _memory.Flush();
    }

    /// <summary>The store flushes of itself, as a real one may.</summary>
    internal void FlushUnasked() => _memory.Flush();

    /// <summary>Keeps what was flushed, and maybe some batches after it.</summary>
    internal void Crash(SeededRandom random) => _memory.Crash(random.Below(_memory.UnflushedBatches + 1));

    /// <summary>Loses everything.</summary>
    internal void Wipe() => _memory = new MemoryStore();

    private static StorageFailure Failed(StoreCall call) => new($"Simulated I/O error: {call} of the store.");

    private void Enter(StoreCall call)
    {
        if (IsDue(call))
        {
            throw Failed(call);
        }
    }

    private bool IsDue(StoreCall call)
    {
        if (_failing is not { } failing || failing.Call != call || failing.Starting != IsStarting)
        {
            return false;
        }

        _failing = null;
        _faults[StoreCallSite.All.IndexOf(failing)]++;
        return true;
    }

    private sealed class Cursor(SimulatedStore store, IStoreCursor cursor) : IStoreCursor
    {
        public ReadOnlySpan<byte> Key => cursor.Key;

        public ReadOnlySpan<byte> Value => cursor.Value;

        public bool Next()
        {
            store.Enter(StoreCall.Next);
            return cursor.Next();
        }

        public void Dispose() => cursor.Dispose();
    }

    private sealed class View(SimulatedStore store, IStoreSnapshot view) : IStoreSnapshot
    {
        public byte[]? Get(ReadOnlySpan<byte> key)
        {
            store.Enter(StoreCall.Get);
            return view.Get(key);
        }

        public IStoreCursor Seek(KeySpan span)
        {
            store.Enter(StoreCall.Seek);
            return new Cursor(store, view.Seek(span));
        }

        public void Dispose() => view.Dispose();
    }
}
