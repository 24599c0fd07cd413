using Synod.Core;
using Synod.Simulation.Disks;

namespace Synod.Simulation;

/// <summary>
/// One machine: a disk, a store, clocks, and the process on it, which hosts a protocol as the real node does. Crashes take what was
/// not synced; pauses let time go on while inputs queue.
/// </summary>
public sealed partial class SimulatedNode<TMessage, TRecord, TCommand, TResult> : IEventTarget
    where TMessage : class
    where TRecord : class
{
    private const int Deliver = 1;
    private const int Timer = 2;
    private const int LogDone = 3;
    private const int FlushDone = 4;
    private const int Boot = 5;
    private const int Resume = 6;
    private const int Submitted = 7;

    private readonly SimulatedCluster<TMessage, TRecord, TCommand, TResult> _cluster;
    private readonly SimulatedWorld _world;
    private readonly SeededRandom _random;
    private readonly NodeContext _context;
    private readonly Queue<SimulatedEvent> _inbox = new();
    private readonly SortedList<long, PendingAnswer> _pending = [];
    private Outbox<TMessage, TRecord, TCommand, TResult> _outbox = new();
    private Protocol<TMessage, TRecord, TCommand, TResult>? _protocol;
    private NodeTimers? _timers;
    private HeldOutputs<TResult> _heldMessages = new();
    private HeldOutputs<TResult> _heldAnswers = new();
    private long _boot;
    private long _nextRequest;
    private long _pausedUntil = -1;

    internal SimulatedNode(SimulatedCluster<TMessage, TRecord, TCommand, TResult> cluster, NodeId self)
    {
        _cluster = cluster;
        _world = cluster.World;
        _random = _world.Random.Fork();
        Self = self;
        Clock = new SimulatedClock(_world, cluster.Options.Clocks);
        _context = new NodeContext(Clock, _random.Fork());
        Log = new NodeLog(_random.Fork(), cluster.Options.SegmentBytes);
    }

    public NodeId Self { get; }

    public SimulatedClock Clock { get; }

    public SimulatedStore Store { get; } = new();

    public NodeLog Log { get; private set; }

    public NodeCounts Counts { get; } = new();

    /// <summary>The running instance; null while the process is down.</summary>
    public Protocol<TMessage, TRecord, TCommand, TResult>? Protocol => _protocol;

    public bool IsUp => _protocol is not null;

    public bool IsPaused => _world.Now < _pausedUntil;

    public void Handle(in SimulatedEvent happened)
    {
        if (happened.Kind == Boot)
        {
            if (happened.Argument == _boot && !IsUp)
            {
                Dispatch(happened);
            }
        }
        else if (!IsUp)
        {
            // The machine is there, the process is not: what arrives is lost.
        }
        else if (IsPaused)
        {
            _inbox.Enqueue(happened);
        }
        else if (happened.Kind == Resume)
        {
            DrainInbox();
        }
        else
        {
            Dispatch(happened);
        }
    }

    /// <summary>Starts the process, if it is down, after <paramref name="delay"/>.</summary>
    public void StartAfter(Duration delay) => _world.After(delay, this, Boot, _boot);

    /// <summary>Stops the process as a power failure does: unsynced writes are torn or lost.</summary>
    public void Crash()
    {
        if (!IsUp)
        {
            return;
        }

        Counts.Crashes++;
        Note("crash", 0);
        _cluster.Options.Watcher?.OnCrash(Self);
        _protocol = null;
        _timers = null;
        _inbox.Clear();
        _pausedUntil = -1;
        Store.Crash(_random);
        Log.Crash();
        StopLog();
        var lost = _pending.ToArray();
        _pending.Clear();
        foreach (var (_, pending) in lost)
        {
            pending.Receiver.OnLost(Self, pending.Tag);
        }
    }

    /// <summary>Stops the process and gives it an empty disk in place of its own.</summary>
    public void Wipe()
    {
        Crash();
        Note("wipe", 0);
        Store.Wipe();
        Log = new NodeLog(_random.Fork(), _cluster.Options.SegmentBytes);
    }

    /// <summary>Stops the process, and gives it an empty disk in place of its own on which it rejoins as another incarnation.</summary>
    public void LoseDisk()
    {
        Crash();
        Note("lose disk", 0);
        Store.Wipe();
        Log = new NodeLog(_random.Fork(), _cluster.Options.SegmentBytes, Log);
    }

    /// <summary>Stops the process for a while without its knowing: its inputs queue, its clocks go on.</summary>
    public void Pause(Duration length)
    {
        if (IsUp && !IsPaused)
        {
            Counts.Pauses++;
            Note("pause", length.Nanoseconds);
            _pausedUntil = _world.Now + length.Nanoseconds;
            _world.Schedule(_pausedUntil, this, Resume);
        }
    }

    /// <summary>Submits a command to the process, which acts on it when its pause ends; false if it is down.</summary>
    public bool Submit(TCommand command, IAnswerReceiver<TResult> receiver, long tag)
    {
        if (!IsUp)
        {
            return false;
        }

        var request = new RequestId(++_nextRequest);
        _pending.Add(request.Value, new PendingAnswer(receiver, tag));
        Handle(new SimulatedEvent(_world.Now, 0, this, Submitted, request.Value, command));
        return true;
    }

    /// <summary>A message arrives now as if <paramref name="from"/> had sent it: for one that is late, repeated or forged.</summary>
    public void Receive(NodeId from, TMessage message)
    {
        var encoder = new CodecWriter();
        _cluster.Options.Messages.Write(encoder, message);
        _world.After(Duration.Zero, this, Deliver, from.Value, SimulatedNetwork.Frame(encoder.Span));
    }

    /// <summary>Ends a pause now.</summary>
    public void EndPause()
    {
        if (IsPaused)
        {
            _pausedUntil = _world.Now;
            DrainInbox();
        }
    }

    private void DrainInbox()
    {
        while (IsUp && !IsPaused && _inbox.TryDequeue(out var next))
        {
            Dispatch(next);
        }
    }

    private readonly record struct PendingAnswer(IAnswerReceiver<TResult> Receiver, long Tag);
}
