namespace Synod.Node;

/// <summary>
/// Checkpoints keep the log short: note how far the store has come, flush it beside the loop, persist what older records are
/// still needed for into a new segment, and drop the older ones when that is durable.
/// </summary>
public sealed partial class NodeHost<TMessage, TRecord, TCommand, TResult>
{
    private CheckpointPhase _phase;
    private long _checkpointsHanded;
    private long _checkpointAbove;
    private volatile bool _flushed;

    private enum CheckpointPhase : byte
    {
        Idle,
        Flushing,
        Writing,
    }

    private void AdvanceCheckpoint()
    {
        switch (_phase)
        {
            case CheckpointPhase.Idle when IsCheckpointDue():
                BeginCheckpoint();
                break;
            case CheckpointPhase.Flushing when _flushed:
                WriteCheckpoint();
                break;
            case CheckpointPhase.Writing when _logThread.Checkpoints == _checkpointsHanded:
                // What a checkpoint itself takes must not be reason enough for the next one.
                _checkpointAbove = 2 * _logThread.BytesSinceCheckpoint;
                _phase = CheckpointPhase.Idle;
                break;
            default:
                break;
        }
    }

    private bool IsCheckpointDue()
    {
        var bytes = _logThread.BytesSinceCheckpoint;
        return !_stopRequested && bytes > _options.CheckpointBytes && bytes > _checkpointAbove;
    }

    private void BeginCheckpoint()
    {
        _logger.CheckpointBegun(_logThread.BytesSinceCheckpoint);
        _phase = CheckpointPhase.Flushing;
        _flushed = false;
        _protocol.BeginCheckpoint();
        if (_store is null)
        {
            _flushed = true;
            _bell.Ring();
            return;
        }

        _ = ThreadPool.UnsafeQueueUserWorkItem(static self => self.FlushStore(), this, preferLocal: false);
    }

    private void FlushStore()
    {
        try
        {
            _store!.Flush();
            _flushed = true;
            _bell.Ring();
        }
        catch (Exception cause)
        {
            Fail(cause);
        }
    }

    private void WriteCheckpoint()
    {
        if (_stopRequested)
        {
            _phase = CheckpointPhase.Idle;
            return;
        }

        // The segment must begin with the checkpoint: what this turn has persisted so far belongs to the older one.
        HandOver();
        _phase = CheckpointPhase.Writing;
        _checkpointsHanded++;
        _protocol.Checkpoint(_context, _outbox);
        Collect();
        _filling.IsCheckpoint = true;
        HandBatch();
    }
}
