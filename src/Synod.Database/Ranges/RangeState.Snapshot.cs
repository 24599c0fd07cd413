using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Transactions;
using Synod.Protocols.Consensus;
using Synod.Storage;
using Synod.Storage.Mvcc;

namespace Synod.Database.Ranges;

/// <summary>Loading the state from the store, and moving it to a replica that lags beyond the log.</summary>
internal sealed partial class RangeState
{
    private const int ChunkBytes = 256 << 10;

    private readonly SortedDictionary<NodeId, Outgoing> _outgoing = [];
    private SnapshotChunk? _lastInstalled;

    public SnapshotChunk? ReadSnapshot(NodeId reader, int index)
    {
        if (IsAbsent)
        {
            return null;
        }

        if (index == 0)
        {
            CloseSnapshot(reader);
            _outgoing[reader] = new Outgoing(_store.Snapshot(), this);
        }

        if (!_outgoing.TryGetValue(reader, out var outgoing) || outgoing.Chunk(index) is not { } chunk)
        {
            return null;
        }

        return chunk;
    }

    /// <summary>Lets go of what is kept for a reader that is done or gone.</summary>
    public void CloseSnapshot(NodeId reader)
    {
        if (_outgoing.Remove(reader, out var old))
        {
            old.Dispose();
        }
    }

    public void CloseSnapshots()
    {
        foreach (var reader in _outgoing.Keys.ToList())
        {
            CloseSnapshot(reader);
        }
    }

    /// <summary>
    /// Not one from before a split that this node knows of: it adopted the group for what is left of the span, and may have adopted the child
    /// as well, whose keys the snapshot would overwrite. Who has applied the split has a later one.
    /// </summary>
    public bool Takes(SnapshotChunk first)
    {
        var reader = new CodecReader(first.Data);
        return RangeDescriptor.Read(ref reader).Version >= Descriptor.Version && !reader.Failed;
    }

    public void InstallSnapshot(SnapshotChunk chunk)
    {
        Invariant.Check(chunk.Index == 0 || (_lastInstalled is { } last && last.Index == chunk.Index - 1), "ChunksInOrder");
        Invariant.Check(IsAbsent || chunk.At > Applied, "SnapshotDoesNotRegress");
        _batch.Clear();
        var reader = new CodecReader(chunk.Data);
        if (chunk.Index == 0)
        {
            // Absent from here until the last chunk: a crash in between must not leave half a state that looks whole.
            Applied = new Slot(-1);
            var descriptor = RangeDescriptor.Read(ref reader);
            Term = reader.Ballot();
            LastTimestamp = reader.Timestamp();
            CollectedUntil = reader.Timestamp();
            var meta = MetaKey.Group(_group);
            _batch.DeleteRange(meta.Start.Memory.ToArray(), meta.End.Memory.ToArray());
            PutDescriptor(descriptor);
            PutProgress(Applied);
            if (HoldsVersions(descriptor))
            {
                MvccStore.DeleteSpan(_batch, descriptor.Span);
            }

            Descriptor = descriptor;
        }

        while (reader.Remaining > 0)
        {
            var key = reader.Bytes().ToArray();
            _batch.Put(key, reader.Bytes().ToArray());
        }

        Invariant.Check(!reader.Failed, "SnapshotReadable");
        _lastInstalled = chunk.IsLast ? null : chunk;
        if (chunk.IsLast)
        {
            PutProgress(chunk.At);
        }

        _store.Write(_batch);
        if (chunk.IsLast)
        {
            // This replica gave up what it had, and others may soon lean on it: it must not be left with half a state.
            _store.Flush();
            Load();
        }
    }

    /// <summary>
    /// Whether the versions in the span are those of the group. When it has retired they are its successor's, which goes on without it: on
    /// this replica it may be far ahead of where it is on another.
    /// </summary>
    private bool HoldsVersions(RangeDescriptor descriptor) =>
        !descriptor.IsRetired || _options.Mutation.HasFlag(DatabaseMutation.RetiredHoldsVersions);

    private void Load()
    {
        Prepared.Clear();
        Staged.Clear();
        Unresolved.Clear();
        Fences.Clear();
        Applied = new Slot(-1);
        if (_store.Get(RangeKeys.Descriptor(_group)) is { } descriptor)
        {
            Descriptor = RangeKeys.ReadDescriptor(descriptor);
        }

        if (_store.Get(RangeKeys.Progress(_group)) is { } progress)
        {
            (Applied, Term, LastTimestamp, CollectedUntil) = RangeKeys.ReadProgress(progress);
        }

        Load(RangeKeys.PreparedKind, Prepared, RangeKeys.ReadPrepared);
        Load(RangeKeys.StagedKind, Staged, RangeKeys.ReadStaged);
        Load(RangeKeys.UnresolvedKind, Unresolved, bytes => RangeKeys.ReadUnresolved(bytes));
        Load(RangeKeys.FenceKind, Fences, RangeKeys.ReadFence);
    }

    private void Load<T>(byte kind, IDictionary<TransactionId, T> into, Func<byte[], T> read)
    {
        using var cursor = _store.Seek(MetaKey.Kind(_group, kind));
        while (cursor.Next())
        {
            into.Add(RangeKeys.ReadId(MetaKey.SuffixOf(cursor.Key)), read(cursor.Value.ToArray()));
        }
    }

    /// <summary>Brings a group's state into being in the store: empty at <paramref name="applied"/>, or absent if that is negative.</summary>
    public static void Create(IStore store, RangeDescriptor descriptor, Slot applied)
    {
        var batch = new StoreBatch();
        var writer = new CodecWriter();
        batch.Put(RangeKeys.Descriptor(descriptor.Group), RangeKeys.WriteDescriptor(writer, descriptor));
        batch.Put(RangeKeys.Progress(descriptor.Group), RangeKeys.WriteProgress(writer, applied, Ballot.None, default, default));
        store.Write(batch);
    }

    /// <summary>Nothing is left of a group's state but its name. The versions in its span are its successor's.</summary>
    public static void Bury(IStore store, RangeDescriptor tombstone)
    {
        var batch = new StoreBatch();
        var meta = MetaKey.Group(tombstone.Group);
        batch.DeleteRange(meta.Start.Memory.ToArray(), meta.End.Memory.ToArray());
        batch.Put(RangeKeys.Descriptor(tombstone.Group), RangeKeys.WriteDescriptor(new CodecWriter(), tombstone));
        store.Write(batch);
    }

    private void PutDescriptor(RangeDescriptor descriptor) =>
        _batch.Put(RangeKeys.Descriptor(descriptor.Group), RangeKeys.WriteDescriptor(_writer, descriptor));

    private void PutProgress(Slot applied) =>
        _batch.Put(_progressKey, RangeKeys.WriteProgress(_writer, applied, Term, LastTimestamp, CollectedUntil));

    /// <summary>A snapshot on its way to one reader.</summary>
    private sealed class Outgoing : IDisposable
    {
        private readonly IStoreSnapshot _view;
        private readonly IEnumerator<RawPair> _pairs;
        private readonly Slot _at;
        private readonly RangeDescriptor _descriptor;
        private readonly Ballot _term;
        private readonly Timestamp _lastTimestamp;
        private readonly Timestamp _collectedUntil;
        private SnapshotChunk? _last;

        public Outgoing(IStoreSnapshot view, RangeState state)
        {
            _view = view;
            _at = state.Applied;
            _descriptor = state.Descriptor;
            _term = state.Term;
            _lastTimestamp = state.LastTimestamp;
            _collectedUntil = state.CollectedUntil;
            _pairs = Pairs(view, state).GetEnumerator();
        }

        /// <summary>The next chunk, or the last one again; null for any other.</summary>
        public SnapshotChunk? Chunk(int index)
        {
            if (_last is { } last && last.Index == index)
            {
                return last;
            }

            if (index != (_last is null ? 0 : _last.Index + 1) || _last is { IsLast: true })
            {
                return null;
            }

            var writer = new CodecWriter();
            if (index == 0)
            {
                _descriptor.Write(writer);
                writer.Ballot(_term);
                writer.Timestamp(_lastTimestamp);
                writer.Timestamp(_collectedUntil);
            }

            var isLast = true;
            while (_pairs.MoveNext())
            {
                writer.Bytes(_pairs.Current.Key.Span);
                writer.Bytes(_pairs.Current.Value.Span);
                if (writer.Length >= ChunkBytes)
                {
                    isLast = false;
                    break;
                }
            }

            return _last = new SnapshotChunk(_at, index, isLast, writer.ToArray());
        }

        public void Dispose()
        {
            _pairs.Dispose();
            _view.Dispose();
        }

        private static IEnumerable<RawPair> Pairs(IStoreSnapshot view, RangeState state)
        {
            var meta = new List<RawPair>();
            using (var cursor = view.Seek(MetaKey.Group(state._group)))
            {
                while (cursor.Next())
                {
                    var kind = MetaKey.KindOf(cursor.Key);
                    if (kind is RangeKeys.DescriptorKind or RangeKeys.ProgressKind
                        || (kind == RangeKeys.SessionKind
                            && state._options.Mutation.HasFlag(DatabaseMutation.SnapshotWithoutSessions)))
                    {
                        continue;
                    }

                    meta.Add(new RawPair(cursor.Key.ToArray(), cursor.Value.ToArray()));
                }
            }

            return state.HoldsVersions(state.Descriptor) ? meta.Concat(MvccStore.Export(view, state.Descriptor.Span)) : meta;
        }
    }
}
