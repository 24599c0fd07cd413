using Synod.Core;
using Synod.Simulation.Disks;

namespace Synod.Simulation;

/// <summary>What a cluster is made of.</summary>
public sealed record ClusterOptions<TMessage, TRecord, TCommand, TResult>
{
    public required IReadOnlyList<NodeId> Nodes { get; init; }

    /// <summary>Makes the protocol of a process that starts.</summary>
    public required Func<NodeStart, Protocol<TMessage, TRecord, TCommand, TResult>> Create { get; init; }

    public required IWire<TMessage> Messages { get; init; }

    public required IWire<TRecord> Records { get; init; }

    public MachineConditions Machine { get; init; } = new();

    public ClockConditions Clocks { get; init; } = new();

    /// <summary>The size of a log segment: small, so that short runs cross many.</summary>
    public long SegmentBytes { get; init; } = 64 << 10;

    /// <summary>Sees what happens on the machines, if anyone wants to.</summary>
    public NodeWatcher<TMessage, TRecord, TCommand, TResult>? Watcher { get; init; }

    /// <summary>A known mistake, for mutants: outputs leave before their records are durable.</summary>
    public bool IgnoresHolds { get; init; }
}

/// <summary>What faults and clients may do to the machines, whatever protocol runs on them.</summary>
public interface ISimulatedCluster
{
    SimulatedWorld World { get; }

    SimulatedNetwork Network { get; }

    IReadOnlyList<NodeId> Nodes { get; }

    bool IsUp(NodeId node);

    bool IsPaused(NodeId node);

    void Crash(NodeId node);

    /// <summary>Stops a node for good as that incarnation: when it starts again, it is with an empty disk and to rejoin.</summary>
    void LoseDisk(NodeId node);

    void StartAfter(NodeId node, Duration delay);

    void Pause(NodeId node, Duration length);

    void EndPause(NodeId node);

    SimulatedClock Clock(NodeId node);

    NodeLog Log(NodeId node);

    SimulatedStore Store(NodeId node);

    NodeCounts Counts(NodeId node);
}

/// <summary>Where commands are submitted.</summary>
public interface ICommandTarget<in TCommand, TResult>
{
    /// <summary>Submits a command to the process on <paramref name="node"/>; false if it is down.</summary>
    bool Submit(NodeId node, TCommand command, IAnswerReceiver<TResult> receiver, long tag);
}

/// <summary>
/// Whole nodes in one thread under one seed: the same protocol objects, the same log code, with a network, disks, clocks and
/// processes that fail on purpose.
/// </summary>
public sealed class SimulatedCluster<TMessage, TRecord, TCommand, TResult>
    : ISimulatedCluster, ICommandTarget<TCommand, TResult>
    where TMessage : class
    where TRecord : class
{
    private readonly SortedList<int, SimulatedNode<TMessage, TRecord, TCommand, TResult>> _nodes = [];
    private readonly SeededRandom _random;

    public SimulatedCluster(
        SimulatedWorld world, SimulatedNetwork network, ClusterOptions<TMessage, TRecord, TCommand, TResult> options)
    {
        World = world;
        Network = network;
        Options = options;
        _random = world.Random.Fork();
        foreach (var node in options.Nodes)
        {
            _nodes.Add(node.Value, new(this, node));
        }
    }

    public SimulatedWorld World { get; }

    public SimulatedNetwork Network { get; }

    public ClusterOptions<TMessage, TRecord, TCommand, TResult> Options { get; }

    public IReadOnlyList<NodeId> Nodes => Options.Nodes;

    /// <summary>Called with every command that a node's protocol executes.</summary>
    public Action<NodeId, Slot, TCommand>? Executed { get; set; }

    public SimulatedNode<TMessage, TRecord, TCommand, TResult> this[NodeId node] => _nodes[node.Value];

    /// <summary>Starts every process, each within the first milliseconds.</summary>
    public void Start()
    {
        foreach (var node in _nodes.Values)
        {
            node.StartAfter(_random.Between(Duration.Zero, Duration.FromMilliseconds(5)));
        }
    }

    public bool Submit(NodeId node, TCommand command, IAnswerReceiver<TResult> receiver, long tag) =>
        this[node].Submit(command, receiver, tag);

    public bool IsUp(NodeId node) => this[node].IsUp;

    public bool IsPaused(NodeId node) => this[node].IsPaused;

    public void Crash(NodeId node) => this[node].Crash();

    public void LoseDisk(NodeId node) => this[node].LoseDisk();

    public void StartAfter(NodeId node, Duration delay) => this[node].StartAfter(delay);

    public void Pause(NodeId node, Duration length) => this[node].Pause(length);

    public void EndPause(NodeId node) => this[node].EndPause();

    public SimulatedClock Clock(NodeId node) => this[node].Clock;

    public NodeLog Log(NodeId node) => this[node].Log;

    public SimulatedStore Store(NodeId node) => this[node].Store;

    public NodeCounts Counts(NodeId node) => this[node].Counts;

    internal SimulatedNode<TMessage, TRecord, TCommand, TResult>? Find(NodeId node) => _nodes.GetValueOrDefault(node.Value);

    /// <summary>The operator restarts a process that its disk stopped.</summary>
    internal void OnDiskFailure(SimulatedNode<TMessage, TRecord, TCommand, TResult> node) =>
        node.StartAfter(_random.Between(Duration.FromMilliseconds(100), Duration.FromSeconds(2)));
}
