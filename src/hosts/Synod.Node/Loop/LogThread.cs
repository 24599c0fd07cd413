using System.Diagnostics;
using Synod.Core;
using Synod.Storage;

namespace Synod.Node;

/// <summary>The records of one turn, on their way to the disk.</summary>
internal sealed class PendingBatch<TMessage, TResult>
{
    public LogBatch Records { get; } = new();

    /// <summary>What waits for it. Only the loop touches this.</summary>
    public TurnOutput<TMessage, TResult> Held { get; } = new();

    /// <summary>Its place in the order of batches, from 1.</summary>
    public long Number { get; set; }

    /// <summary>How many records the protocol had persisted with this batch.</summary>
    public long End { get; set; }

    /// <summary>Whether it is a checkpoint: it begins a new segment, and makes the older ones needless once durable.</summary>
    public bool IsCheckpoint { get; set; }

    public void Clear()
    {
        Records.Clear();
        Held.Clear();
        IsCheckpoint = false;
    }
}

/// <summary>
/// Writes and syncs batches on a thread of its own while the loop goes on. It takes whatever has gathered since its last sync, so
/// that group commit clocks itself: the slower the disk, the larger the groups.
/// </summary>
internal sealed class LogThread<TMessage, TResult>
{
    private static readonly Duration IdleAfter = Duration.FromSeconds(1);

    private readonly DurableLog _log;
    private readonly NodeMetrics _metrics;
    private readonly Action _notify;
    private readonly Action<long> _checkpointed;
    private readonly Doorbell _bell = new();
    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private List<PendingBatch<TMessage, TResult>> _queue = [];
    private List<PendingBatch<TMessage, TResult>> _taken = [];
    private Task? _drafting;
    private bool _stopping;
    private long _synced;
    private long _checkpoints;
    private long _changes;
    private long _bytesSinceCheckpoint;
    private volatile Exception? _failure;

    /// <param name="notify">
    /// Called on the log thread when <see cref="Synced"/>, <see cref="Checkpoints"/> or <see cref="Failure"/> changed; it may hand over more.
    /// </param>
    /// <param name="checkpointed">Called on the log thread with the oldest segment left, after a checkpoint.</param>
    public LogThread(DurableLog log, NodeMetrics metrics, Action notify, Action<long> checkpointed)
    {
        _log = log;
        _metrics = metrics;
        _notify = notify;
        _checkpointed = checkpointed;
        _bytesSinceCheckpoint = log.BytesSinceCheckpoint;
        _thread = new Thread(Run) { IsBackground = true, Name = "synod-log" };
    }

    /// <summary>Every batch up to this number is durable, and no longer touched here.</summary>
    public long Synced => Volatile.Read(ref _synced);

    /// <summary>Checkpoints that are durable and have let the log before them go.</summary>
    public long Checkpoints => Volatile.Read(ref _checkpoints);

    public long BytesSinceCheckpoint => Volatile.Read(ref _bytesSinceCheckpoint);

    /// <summary>How often any of these changed.</summary>
    public long Changes => Volatile.Read(ref _changes);

    /// <summary>Why nothing will become durable any more.</summary>
    public Exception? Failure => _failure;

    public void Start() => _thread.Start();

    /// <summary>The batch belongs to the log thread until it is durable, except for what it holds back.</summary>
    public void Hand(PendingBatch<TMessage, TResult> batch)
    {
        lock (_lock)
        {
            _queue.Add(batch);
        }

        _bell.Ring();
    }

    /// <summary>Ends the thread once everything handed over is durable, or it failed, and waits for that.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _stopping = true;
        }

        _bell.Ring();
        _thread.Join();
    }

    private void Run()
    {
        try
        {
            while (Take())
            {
                WriteAndSync();
                _taken.Clear();
                KeepSpare();
            }

            _log.Seal();
        }
        catch (Exception cause)
        {
            // Not swallowed: the loop finds it, stops the node and reports it. After a failed sync nothing may be retried.
            _failure = cause;
            Notify();
        }
        finally
        {
            // The disk may be closed after this thread has ended.
            if (_drafting is not null)
            {
                _ = Task.WaitAny(_drafting);
            }
        }
    }

    private bool Take()
    {
        var idle = false;
        while (true)
        {
            lock (_lock)
            {
                if (_queue.Count > 0)
                {
                    (_queue, _taken) = (_taken, _queue);
                    return true;
                }

                if (_stopping)
                {
                    return false;
                }
            }

            if (idle)
            {
                _log.Seal();
                KeepSpare();
            }

            var began = Stopwatch.GetTimestamp();
            _bell.Wait(IdleAfter);
            idle = Stopwatch.GetElapsedTime(began).Ticks * 100 >= IdleAfter.Nanoseconds;
        }
    }

    /// <summary>Has the next segment's file made beside the log: writing its zeros takes as long as hundreds of syncs.</summary>
    private void KeepSpare()
    {
        if (_drafting is { IsCompleted: true })
        {
            _drafting.GetAwaiter().GetResult();
            _drafting = null;
            _log.AdoptSpare();
        }

        if (_drafting is null && _log.NeedsSpare)
        {
            _drafting = Task.Run(_log.DraftSpare);
        }
    }

    private void WriteAndSync()
    {
        var began = Stopwatch.GetTimestamp();
        long? segment = null;
        var records = 0L;
        var checkpoints = _checkpoints;
        foreach (var batch in _taken)
        {
            if (batch.IsCheckpoint)
            {
                segment = _log.StartSegment();
                checkpoints++;
            }

            _log.Append(batch.Records);
            records += batch.Records.Count;
        }

        _log.Sync();
        _metrics.CountSync(records, Stopwatch.GetElapsedTime(began).TotalSeconds);
        Volatile.Write(ref _bytesSinceCheckpoint, _log.BytesSinceCheckpoint);
        Volatile.Write(ref _synced, _taken[^1].Number);
        Notify();
        if (segment is { } first)
        {
            _log.DropBefore(first);
            _metrics.CountCheckpoint();
            _checkpointed(first);
            Volatile.Write(ref _bytesSinceCheckpoint, _log.BytesSinceCheckpoint);
            Volatile.Write(ref _checkpoints, checkpoints);
            Notify();
        }
    }

    private void Notify()
    {
        Volatile.Write(ref _changes, _changes + 1);
        _notify();
    }
}
