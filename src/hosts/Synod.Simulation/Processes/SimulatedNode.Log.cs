using Synod.Core;
using Synod.Storage;

namespace Synod.Simulation;

/// <summary>
/// The log as the real node drives it: one batch is being written and synced while the next fills. Writes reach the disk when a
/// batch starts and are synced when it ends, so that a crash in between tears them.
/// </summary>
public sealed partial class SimulatedNode<TMessage, TRecord, TCommand, TResult>
{
    private readonly Queue<FilledBatch> _filled = new();
    private readonly Stack<LogBatch> _spare = new();
    private FilledBatch? _writing;
    private LogBatch _filling = new();
    private bool _fillingIsCheckpoint;
    private bool _checkpointing;
    private long _recordsMade;
    private long _recordsDurable;

    private TRecord Decode(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        var record = _cluster.Options.Records.Read(ref reader);
        Invariant.Check(record is not null && reader.IsComplete, "RecordsRoundTrip");
        return record;
    }

    private void AddRecord(TRecord record)
    {
        Counts.Records++;
        _recordsMade++;
        if (_world.Trace.IsWriting)
        {
            _world.Trace.Write(_world.Now, Self, $"persist {_recordsMade} {record}");
        }

        _filling.Add(_cluster.Options.Records, record);
    }

    /// <summary>Hands the filled records to the disk unless it is busy with earlier ones.</summary>
    private void StartBatch()
    {
        if (_writing is not null || !IsUp)
        {
            return;
        }

        if (_filled.Count == 0)
        {
            SealFilling();
        }

        if (_filled.TryDequeue(out var batch))
        {
            _world.Trace.Note(batch.Batch.Bytes, batch.Batch.Count);
            _writing = batch.IsCheckpoint ? batch with { Segment = Log.StartSegment() } : batch;

            if (!batch.Batch.IsEmpty)
            {
                Log.Append(batch.Batch);
            }

            _world.After(SyncTime(), this, LogDone, _boot);
        }
    }

    private void SealFilling()
    {
        if (!_filling.IsEmpty || _fillingIsCheckpoint)
        {
            _filled.Enqueue(new FilledBatch(_filling, _recordsMade, _fillingIsCheckpoint, 0));
            _filling = _spare.TryPop(out var spare) ? spare : new LogBatch();
            _fillingIsCheckpoint = false;
        }
    }

    private void FinishBatch()
    {
        var done = _writing!.Value;
        Log.Sync();
        Counts.Syncs++;
        _recordsDurable = done.UpTo;
        _cluster.Options.Watcher?.OnDurable(Self, _recordsDurable);
        if (done.IsCheckpoint)
        {
            Log.DropBefore(done.Segment);
            _checkpointing = false;
            Counts.Checkpoints++;
        }

        done.Batch.Clear();
        _spare.Push(done.Batch);
        _writing = null;
        while (_heldMessages.TryRelease(_recordsDurable, out var output))
        {
            Leave(output);
        }

        while (IsUp && _heldAnswers.TryRelease(_recordsDurable, out var output))
        {
            Leave(output);
        }

        if (!_checkpointing && Log.BytesSinceCheckpoint > _cluster.Options.Machine.CheckpointBytes)
        {
            BeginCheckpoint();
        }

        StartBatch();
    }

    private void BeginCheckpoint()
    {
        _checkpointing = true;
        _protocol!.BeginCheckpoint();
        _world.After(_random.Between(Duration.Zero, _cluster.Options.Machine.MostFlush), this, FlushDone, _boot);
    }

    private void FinishFlush()
    {
        Store.Flush();
        SealFilling();
        _fillingIsCheckpoint = true;
        Step().Checkpoint(_context, _outbox);
        Note("checkpoint", _outbox.Records.Length);
    }

    private void StopLog()
    {
        _filled.Clear();
        _writing = null;
        _filling.Clear();
        _fillingIsCheckpoint = false;
        _checkpointing = false;
        _recordsMade = 0;
        _recordsDurable = 0;
    }

    private Duration SyncTime()
    {
        var machine = _cluster.Options.Machine;
        var time = _random.Between(machine.LeastSync, machine.MostSync);
        return _random.Chance(machine.SlowSyncPerMillion) ? time + _random.Between(Duration.Zero, machine.SlowSync) : time;
    }

    private readonly record struct FilledBatch(LogBatch Batch, long UpTo, bool IsCheckpoint, long Segment);
}
