using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<Aggregation.Message, Aggregation.Record, Aggregation.Command, Aggregation.Result>;
using Message = Aggregation.Message;

/// <summary>
/// Push-sum while machines and links fail, readings change and a liar is about. At every look the mass of the newest epoch must be
/// conserved to the last unit, what is on its way and what died with its holder included; when the faults stop, everybody must come to the
/// true count, sum, average, extremes and quantiles.
/// </summary>
public sealed class AggregationWorld : IAnswerReceiver<Aggregation.Result>
{
    private const int Metric = 3;
    private static readonly NodeId s_stranger = new(99);

    private readonly SimulatedWorld _world;
    private readonly SeededRandom _random;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;
    private readonly AggregationOptions _options;
    private readonly NodeId[] _nodes;
    private readonly MassLedger _ledger = new();
    private readonly SortedDictionary<NodeId, long> _readings = [];
    private PeerView _view;

    public AggregationWorld(ulong seed, AggregationOptions options, int size = 10, FaultPlan? plan = null, TextWriter? trace = null)
    {
        _world = new SimulatedWorld(seed, trace) { MostEvents = 50_000_000 };
        _random = _world.Random.Fork();
        _options = options;
        _nodes = [.. Enumerable.Range(1, size).Select(number => new NodeId(number))];
        _view = PeerView.Of(_nodes);
        plan ??= FaultPlan.Swarm(seed);
        _cluster = new Cluster(_world, new SimulatedNetwork(_world) { Conditions = plan.Links }, new()
        {
            Nodes = _nodes,
            Create = start => new Aggregation(start.Self, options, _view),
            Messages = new Aggregation.MessageWire(),
            Records = new Aggregation.RecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
            Watcher = _ledger,
        });
        _ledger.ProcessOf = Of;
        _injector = new FaultInjector(_cluster, plan.Faults);
    }

    /// <summary>Short rounds and epochs.</summary>
    public static AggregationOptions Options { get; } = new()
    {
        Period = Duration.FromMilliseconds(40),
        Jitter = Duration.FromMilliseconds(15),
        EpochRounds = 40,
        ListenRounds = 4,
    };

    public long Crashes => _nodes.Sum(node => _cluster.Counts(node).Crashes);

    /// <summary>Looks at which the mass of an epoch was added up.</summary>
    public int Audits { get; private set; }

    /// <summary>The newest epoch that anybody is in.</summary>
    public long Epoch => Live().Select(node => node.Process.Epoch).DefaultIfEmpty().Max();

    public long Refusals(Refusal refusal) => _nodes.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(Duration stormy)
    {
        _cluster.Start();
        _injector.Start();
        while (_world.Elapsed < stormy)
        {
            Act();
            Pass(Duration.FromMilliseconds(10));
        }

        _injector.Stop();
        Await(() => Live().Count == _nodes.Length, "processes start");
        foreach (var node in _nodes)
        {
            _cluster.Submit(node, new Aggregation.Command.Meet(_view), this, 0);
            Observe(node, node.Value == 1 ? 1_000_000 : node.Value * 100);
        }

        DemandTruth(_nodes);

        // The one with the greatest reading leaves, and is root as well: both must be forgotten.
        _cluster.Crash(_nodes[0]);
        NodeId[] others = [.. _nodes.Skip(1)];
        _view = PeerView.Of(others);
        foreach (var node in others)
        {
            _cluster.Submit(node, new Aggregation.Command.Meet(_view), this, 0);
        }

        DemandTruth(others);

        // A restart, and a member who joins in the middle of an epoch, disturb nobody's truth.
        Pass(_options.Period * (_options.EpochRounds / 2));
        var mover = others[_random.Below(others.Length)];
        _cluster.Crash(mover);
        _cluster.StartAfter(mover, _options.Period);
        Pass(_options.Period * 4);
        Observe(mover, _readings[mover]);
        DemandTruth(others);
    }

    public void OnAnswer(NodeId node, long tag, Aggregation.Result result) =>
        Check(result is Aggregation.Result.Done, "Liveness", node, "observations are taken");

    public void OnLost(NodeId node, long tag)
    {
    }

    private void Act()
    {
        var node = _nodes[_random.Below(_nodes.Length)];
        if (_random.Below(10) == 0)
        {
            Observe(node, _random.Between(-1_000, 1_000_000));
        }

        if (_random.Below(20) == 0)
        {
            Lie(node, _nodes[_random.Below(_nodes.Length)]);
        }

        // Somebody is thought to be down for a while.
        if (_random.Below(20) == 0)
        {
            var view = _random.Below(2) == 0 ? _view : PeerView.Of(_view.Nodes.Remove(_nodes[_random.Below(_nodes.Length)]));
            _cluster.Submit(node, new Aggregation.Command.Meet(view), this, 0);
        }
    }

    private void Observe(NodeId node, long reading)
    {
        _readings[node] = reading;
        _cluster.Submit(node, new Aggregation.Command.Observe(Metric, [reading]), this, 0);
    }

    /// <summary>Mass below nothing, mass out of nowhere, and acknowledgements of what was never sent.</summary>
    private void Lie(NodeId victim, NodeId liar)
    {
        var epoch = Math.Max(1, Epoch);
        var some = new Mass(Mass.Unit, [], []);
        _cluster[victim].Receive(
            _random.Below(3) == 0 ? s_stranger : liar,
            _random.Below(4) switch
            {
                0 => new Message.Transfer(epoch, 1_000_000, some with { Nodes = -Mass.Unit }),
                1 => new Message.Transfer(epoch, 1_000_000, some with { Metrics = [new MetricMass(Metric, 5, [new Bucket(4, -7)], 3, 2)] }),
                2 => new Message.Ack(epoch, 1_000_000),
                _ => new Message.Transfer(epoch, 0, some),
            });
        if (epoch > 1)
        {
            // One of an epoch that is over, and one from nobody.
            _cluster[victim].Receive(liar, new Message.Transfer(epoch - 1, 1_000_000, some));
        }

        _cluster[victim].Receive(s_stranger, new Message.Transfer(epoch, 1_000_000, some));
    }

    /// <summary>Two epochs later, what everybody has come to is the truth, within what push-sum and the sketch leave.</summary>
    private void DemandTruth(NodeId[] members)
    {
        var from = Epoch;
        Await(() => members.All(node => Of(node).Latest is { } latest && latest.Epoch >= from + 2), "epochs end");
        var readings = members.Select(node => _readings[node]).Order().ToList();
        foreach (var node in members)
        {
            var latest = Of(node).Latest!;
            Near(node, "count", latest.Nodes, members.Length, 0);
            Near(node, "average", latest.Average(Metric), (long)readings.Average(), 200);
            Near(node, "sum", latest.Total(Metric), readings.Sum(), 200);
            Near(node, "least", latest.Least(Metric), readings[0], long.MaxValue);
            Near(node, "most", latest.Most(Metric), readings[^1], long.MaxValue);
            Near(node, "median", latest.Quantile(Metric, 500), readings[(readings.Count - 1) / 2], 6);
        }
    }

    /// <summary>Within one part of <paramref name="parts"/>, or 1 where that is none.</summary>
    private void Near(NodeId node, string what, long? estimate, long truth, long parts)
    {
        var slack = parts == 0 ? 0 : Math.Abs(truth) / parts;
        Check(estimate is { } value && Math.Abs(value - truth) <= slack, "EstimateIsNear", node, $"{what} is {truth} and not {estimate}");
    }

    private Aggregation Of(NodeId node) => (Aggregation)_cluster[node].Protocol!;

    private List<(NodeId Node, Aggregation Process)> Live() =>
        [.. _nodes.Where(_cluster.IsUp).Select(node => (node, Of(node)))];

    private void Pass(Duration time)
    {
        for (var end = _world.Elapsed + time; _world.Elapsed < end;)
        {
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(10));
            Audit();
        }
    }

    private void Audit()
    {
        Audits++;
        Check(_ledger.PutInTwice is null, Aggregation.PutInOnce, NodeId.None, _ledger.PutInTwice ?? "");
        var imbalance = _ledger.Imbalance(Live());
        Check(imbalance is null, Aggregation.MassConservation, NodeId.None, imbalance ?? "");
    }

    private void Await(Func<bool> done, string what)
    {
        for (var end = _world.Elapsed + Duration.FromSeconds(60); !done();)
        {
            Check(_world.Elapsed < end, "Liveness", NodeId.None, what);
            Pass(Duration.FromMilliseconds(50));
        }
    }

    private void Check(bool holds, string invariant, NodeId node, string detail)
    {
        if (!holds)
        {
            throw _world.Failure(invariant, node, detail);
        }
    }
}
