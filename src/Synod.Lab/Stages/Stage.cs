using Synod.Core;
using Synod.Lab.Histories;
using Synod.Simulation;

namespace Synod.Lab.Stages;

/// <summary>
/// A cluster in the simulator that follows a script instead of chance: every link has its delay, disks and clocks are exact, and
/// what goes wrong goes wrong when the script says so. All of it is written down.
/// </summary>
public sealed class Stage<TMessage, TRecord, TCommand, TResult> : IRoute, IEventTarget, IAnswerReceiver<TResult>
    where TMessage : class
    where TRecord : class
{
    private const int Act = 0;
    private const int AtDeadMachine = 1;

    private readonly StageOptions<TMessage, TRecord, TCommand, TResult> _options;
    private readonly Recorder<TMessage, TRecord, TCommand, TResult> _recorder;
    private readonly SeededRandom _random;
    private readonly Dictionary<(int From, int To), long> _lastArrival = [];
    private readonly List<Func<NodeId, NodeId, TMessage, bool>> _lost = [];
    private readonly List<(Func<NodeId, NodeId, TMessage, bool> Which, Duration For)> _late = [];
    private readonly List<(Func<NodeId, NodeId, TMessage, bool> When, Action Then)> _onArrival = [];
    private readonly List<(Func<NodeId, TRecord, bool> When, Action Then)> _onRecord = [];
    private readonly List<NodeSet> _sides = [];
    private readonly List<Answer<TResult>> _answers = [];
    private (byte[]? Frame, TMessage? Message) _lastFrame;

    public Stage(StageOptions<TMessage, TRecord, TCommand, TResult> options, ulong seed)
    {
        _options = options;
        World = new SimulatedWorld(seed) { MostEvents = 5_000_000 };
        _random = World.Random.Fork();
        History = new History([.. options.Processes.Select((process, index) => new Lane(index, process.Node, process.Name))]);
        _recorder = new(World, History, options.Words) { Arrived = OnArrived, Recorded = OnRecorded };
        Cluster = new(World, new SimulatedNetwork(World) { Route = this }, new()
        {
            Nodes = [.. options.Processes.Select(process => process.Node)],
            Create = options.Create,
            Messages = options.Messages,
            Records = options.Records,
            Machine = new MachineConditions
            {
                LeastSync = options.Sync, MostSync = options.Sync, SlowSyncPerMillion = 0, CheckpointBytes = long.MaxValue,
            },
            Clocks = new ClockConditions { Bound = Duration.Zero, RatePerMillion = 0 },
            Watcher = _recorder,
        });
        foreach (var node in Cluster.Nodes)
        {
            Cluster.StartAfter(node, Duration.Zero);
        }

        World.RunUntil(Duration.Zero);
    }

    public SimulatedWorld World { get; }

    public SimulatedCluster<TMessage, TRecord, TCommand, TResult> Cluster { get; }

    public History History { get; }

    public Duration Now => World.Elapsed;

    /// <summary>What clients were told, in order.</summary>
    public IReadOnlyList<Answer<TResult>> Answers => _answers;

    /// <summary>Called for each message between two processes as it leaves, hidden ones included.</summary>
    public Action<NodeId, NodeId, TMessage>? Sent { get; set; }

    /// <summary>Called for each record that becomes durable.</summary>
    public Action<NodeId, TRecord>? Recorded { get; set; }

    /// <summary>Called after each step, with its outputs.</summary>
    public Action<NodeId, Outbox<TMessage, TRecord, TCommand, TResult>>? Stepped
    {
        get => _recorder.Stepped;
        set => _recorder.Stepped = value;
    }

    /// <summary>The protocol that runs on a node; null while its process is down.</summary>
    public Protocol<TMessage, TRecord, TCommand, TResult>? this[NodeId node] => Cluster[node].Protocol;

    public string NameOf(NodeId node) => History.LaneOf(node).Name;

    /// <summary>Does something at a time since the start.</summary>
    public void At(Duration time, Action act) => World.Schedule(time.Nanoseconds, this, Act, 0, act);

    /// <summary>Does something right after the step that receives such a message for the first time.</summary>
    public void OnArrival(Func<NodeId, NodeId, TMessage, bool> when, Action then) => _onArrival.Add((when, then));

    /// <summary>Does something right after such a record is durable for the first time.</summary>
    public void OnRecord(Func<NodeId, TRecord, bool> when, Action then) => _onRecord.Add((when, then));

    /// <summary>Such messages are lost from now on.</summary>
    public void Lose(Func<NodeId, NodeId, TMessage, bool> which) => _lost.Add(which);

    /// <summary>Such messages take longer from now on, and others overtake them.</summary>
    public void Hold(Func<NodeId, NodeId, TMessage, bool> which, Duration longer) => _late.Add((which, longer));

    /// <summary>Splits the network: what one side sends to another is lost. Messages under way still arrive.</summary>
    public void Cut(params ReadOnlySpan<NodeSet> sides)
    {
        _sides.Clear();
        _sides.AddRange(sides);
        Note($"cut: {string.Join(" | ", _sides.Select(side => $"{{{string.Join(", ", side.Select(NameOf))}}}"))}");
    }

    /// <summary>All links work again; scripted losses end as well.</summary>
    public void Heal()
    {
        _sides.Clear();
        _lost.Clear();
        Note("the network heals");
    }

    /// <summary>Puts a line across the history.</summary>
    public void Note(string text) => History.Add(Now, EventKind.Cut, -1, text);

    /// <summary>Puts a remark beside a lane.</summary>
    public void Note(NodeId node, string text) => _recorder.Add(node, EventKind.Noted, text);

    public void Crash(NodeId node) => Cluster.Crash(node);

    public void Restart(NodeId node) => Cluster.StartAfter(node, Duration.Zero);

    /// <summary>Submits a command; its answer is among <see cref="Answers"/> under <paramref name="tag"/>.</summary>
    public void Submit(NodeId node, TCommand command, long tag = 0) => Cluster.Submit(node, command, this, tag);

    public void RunUntil(Duration time) => World.RunUntil(time);

    public bool RunUntil(Func<bool> done, Duration deadline) => World.RunUntil(done, deadline);

    public Duration? Delay(int from, int to, byte[] frame)
    {
        var message = Decode(frame);
        var (sender, receiver) = (new NodeId(from), new NodeId(to));
        var delay = DelayOf(sender, receiver, message);
        Sent?.Invoke(sender, receiver, message);
        _recorder.Send(sender, receiver, frame, message, delay);
        if (delay is { } length)
        {
            World.After(length, this, AtDeadMachine, to, frame);
        }

        return delay;
    }

    public void Handle(in SimulatedEvent happened)
    {
        if (happened.Kind == Act)
        {
            ((Action)happened.Payload!)();
        }
        else if (!Cluster.IsUp(new NodeId((int)happened.Argument)))
        {
            _recorder.Miss(new NodeId((int)happened.Argument), (byte[])happened.Payload!);
        }
    }

    public void OnAnswer(NodeId node, long tag, TResult result) => _answers.Add(new(node, tag, result, Now));

    public void OnLost(NodeId node, long tag) => Note(node, "client hears nothing");

    /// <summary>One that goes to many is one frame, and read once.</summary>
    private TMessage Decode(byte[] frame)
    {
        if (!ReferenceEquals(frame, _lastFrame.Frame))
        {
            SimulatedNetwork.TryOpen(frame, out var body);
            var reader = new CodecReader(body);
            var message = _options.Messages.Read(ref reader);
            Invariant.Check(message is not null, "MessagesRoundTrip");
            _lastFrame = (frame, message);
        }

        return _lastFrame.Message!;
    }

    private Duration? DelayOf(NodeId from, NodeId to, TMessage message)
    {
        var isCut = _sides.Count > 0 && !_sides.Any(side => side.Contains(from) && side.Contains(to));
        if (isCut || _lost.Any(which => which(from, to, message)))
        {
            return null;
        }

        var delay = _options.Delay(from, to) + Duration.FromMilliseconds(_random.Below(_options.Spread.Milliseconds + 1));
        foreach (var (which, longer) in _late)
        {
            if (which(from, to, message))
            {
                return delay + longer;
            }
        }

        var link = (from.Value, to.Value);
        var arrival = Math.Max(World.Now + delay.Nanoseconds, _lastArrival.GetValueOrDefault(link));
        _lastArrival[link] = arrival;
        return new Duration(arrival - World.Now);
    }

    private void OnArrived(NodeId from, NodeId to, TMessage message) => Follow(_onArrival, item => item.When(from, to, message), item => item.Then);

    private void OnRecorded(NodeId node, TRecord record)
    {
        Recorded?.Invoke(node, record);
        Follow(_onRecord, item => item.When(node, record), item => item.Then);
    }

    /// <summary>What the script wants done now happens after the running step, as the next event.</summary>
    private void Follow<T>(List<T> script, Predicate<T> isNow, Func<T, Action> act)
    {
        foreach (var item in script.FindAll(isNow))
        {
            script.Remove(item);
            At(Now, act(item));
        }
    }
}

/// <summary>What a client was told.</summary>
/// <param name="Tag">The command's.</param>
public readonly record struct Answer<TResult>(NodeId Node, long Tag, TResult Result, Duration At);
