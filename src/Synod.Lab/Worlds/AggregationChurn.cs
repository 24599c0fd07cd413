using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<Aggregation.Message, Aggregation.Record, Aggregation.Command, Aggregation.Result>;

/// <summary>What there is at a time, and what nodes take it for.</summary>
/// <param name="Nodes">Nodes that are up.</param>
/// <param name="Average">The true average of their readings.</param>
/// <param name="Counted">The median of what they estimate their number to be; 0 while none does.</param>
/// <param name="Averaged">The median of their estimates of the average.</param>
public sealed record ChurnSample(Duration At, int Nodes, long Average, long Counted, long Averaged);

/// <summary>
/// Many nodes on links that lose one message in ten, of which some die and others join at given times; each reads a load of its own. The
/// books are audited throughout.
/// </summary>
public sealed class AggregationChurn : IAnswerReceiver<Aggregation.Result>
{
    private const int Load = 0;

    private readonly SimulatedWorld _world;
    private readonly SimulatedNetwork _network;
    private readonly Cluster _cluster;
    private readonly NodeId[] _nodes;
    private readonly bool _readsCurrent;
    private readonly MassLedger _ledger = new();
    private readonly SortedSet<NodeId> _live = [];
    private PeerView _view;

    /// <param name="readsCurrent">Whether the running epoch is read, instead of the last one that ended.</param>
    public AggregationChurn(ulong seed, int size, AggregationOptions options, bool readsCurrent = false)
    {
        _world = new SimulatedWorld(seed);
        _readsCurrent = readsCurrent;
        _nodes = [.. Enumerable.Range(1, size).Select(number => new NodeId(number))];
        _view = PeerView.Empty;
        _network = new SimulatedNetwork(_world) { Conditions = new LinkConditions { LossPerMillion = 100_000 } };
        _cluster = new Cluster(_world, _network, new()
        {
            Nodes = _nodes,
            Create = start => new Aggregation(start.Self, options, _view),
            Messages = new Aggregation.MessageWire(),
            Records = new Aggregation.RecordWire(),
            SegmentBytes = 8 << 10,
            Machine = new MachineConditions { SlowSyncPerMillion = 0 },
            Watcher = _ledger,
        });
        _ledger.ProcessOf = Of;
    }

    /// <summary>Bytes that all nodes have sent.</summary>
    public long Bytes => _network.Bytes;

    public int Live => _live.Count;

    /// <summary>What the books object to, or null. It is looked for with each sample.</summary>
    public string? Imbalance { get; private set; }

    /// <summary>Starts nodes that are not up; membership tells everybody at once.</summary>
    public void Join(IEnumerable<int> numbers)
    {
        List<NodeId> joining = [.. numbers.Select(number => new NodeId(number))];
        _live.UnionWith(joining);
        Meet();
        joining.ForEach(node => _cluster.StartAfter(node, _world.Random.Between(Duration.Zero, Duration.FromMilliseconds(200))));
        _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(201));
        joining.ForEach(node => _cluster.Submit(node, new Aggregation.Command.Observe(Load, [Reading(node)]), this, 0));
    }

    /// <summary>Kills nodes; membership tells everybody a second later.</summary>
    public void Kill(IEnumerable<int> numbers)
    {
        foreach (var node in numbers.Select(number => new NodeId(number)))
        {
            _live.Remove(node);
            _cluster.Crash(node);
        }

        RunFor(Duration.FromSeconds(1));
        Meet();
    }

    public void RunFor(Duration time) => _world.RunUntil(_world.Elapsed + time);

    public ChurnSample Sample()
    {
        List<(NodeId Node, Aggregation Process)> processes =
            [.. _live.Where(_cluster.IsUp).Select(node => (node, Of(node)))];
        Imbalance ??= _ledger.Imbalance(processes);
        var seen = processes.Select(item => _readsCurrent ? item.Process.Current : item.Process.Latest).OfType<Aggregates>().ToList();
        return new ChurnSample(
            _world.Elapsed,
            _live.Count,
            (long)_live.Average(Reading),
            Median(seen.Select(item => item.Nodes)),
            Median(seen.Select(item => item.Average(Load))));
    }

    /// <summary>The aggregates of the last epoch at every node that has them.</summary>
    public IReadOnlyList<Aggregates> Latest() => [.. _live.Select(node => Of(node).Latest).OfType<Aggregates>()];

    /// <summary>The load that a node reads; of the first hundred, later ones are loaded more.</summary>
    public static long Reading(NodeId node) => 1_000 + node.Value * 37 % 1_000 + node.Value / 30 % 4 * 400;

    public void OnAnswer(NodeId node, long tag, Aggregation.Result result)
    {
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    private Aggregation Of(NodeId node) => (Aggregation)_cluster[node].Protocol!;

    private static long Median(IEnumerable<long?> values)
    {
        var sorted = values.OfType<long>().Order().ToList();
        return sorted.Count == 0 ? 0 : sorted[sorted.Count / 2];
    }

    private void Meet()
    {
        _view = PeerView.Of(_live);
        foreach (var node in _live)
        {
            _cluster.Submit(node, new Aggregation.Command.Meet(_view), this, 0);
        }
    }
}
