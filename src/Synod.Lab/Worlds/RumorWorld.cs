using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<Rumors.Message, RumorRecord, RumorCommand, RumorResult>;
using Message = Rumors.Message;

/// <summary>
/// Rumor mongering while machines and links fail, a liar is about, and an operator's tools repeat old packets. When the faults stop, all
/// that was ever promised must reach everybody with the help of an ideal anti-entropy, and interest must end; then, in calm, mongering
/// alone must reach nearly everybody, also with what anti-entropy finds at one node.
/// </summary>
public sealed class RumorWorld : IAnswerReceiver<RumorResult>
{
    private const int Size = 12;
    private const int Known = 1;
    private static readonly NodeId s_stranger = new(99);
    private static readonly Duration s_calm = Duration.FromSeconds(8);

    private readonly SimulatedWorld _world;
    private readonly SeededRandom _random;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;
    private readonly NodeId[] _nodes = [.. Enumerable.Range(1, Size).Select(number => new NodeId(number))];
    private readonly RumorJudge _judge;
    private PeerView _view;
    private int _asked;

    public RumorWorld(ulong seed, RumorOptions options, FaultPlan? plan = null, TextWriter? trace = null)
    {
        _world = new SimulatedWorld(seed, trace) { MostEvents = 5_000_000 };
        _random = _world.Random.Fork();
        _view = PeerView.Of(_nodes);
        plan ??= FaultPlan.Swarm(seed);
        _cluster = new Cluster(_world, new SimulatedNetwork(_world) { Conditions = plan.Links }, new()
        {
            Nodes = _nodes,
            Create = start => new Rumors(start.Self, options, _view),
            Messages = new Rumors.MessageWire(),
            Records = new RumorRecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
            Watcher = new Eavesdropper(this),
        });
        _judge = new RumorJudge(_world, node => _cluster.Counts(node).Boots);
        _cluster.Executed = _judge.Deliver;
        _injector = new FaultInjector(_cluster, plan.Faults);
    }

    /// <summary>Short rounds, small packets, and a rule that leaves a small residue.</summary>
    public static RumorOptions Options { get; } = new()
    {
        Style = RumorStyle.PushPull,
        K = 4,
        Period = Duration.FromMilliseconds(50),
        Jitter = Duration.FromMilliseconds(20),
        MostBytes = 320,
        Limits = new RumorLimits { MostBodyBytes = 48 },
    };

    /// <summary>Processes die often, and what they wrote last is up to so long on its way to their disks.</summary>
    public static FaultPlan Deadly(Duration mostSync) => new()
    {
        Faults = [new Crashes(Duration.FromMilliseconds(100), Duration.FromMilliseconds(50))],
        Machine = new MachineConditions { MostSync = mostSync },
    };

    public int Delivered => _judge.Delivered.Count;

    public long Crashes => _nodes.Sum(node => _cluster.Counts(node).Crashes);

    /// <summary>Rumors that anti-entropy had to bring.</summary>
    public int Found { get; private set; }

    public long Refusals(Refusal refusal) => _nodes.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(Duration stormy)
    {
        _cluster.Start();
        _injector.Start();
        while (_world.Elapsed < stormy)
        {
            Act();
            Pass(Duration.FromMilliseconds(20));
        }

        _injector.Stop();
        Await(() => Live().Count == Size, "processes start", () => { });
        Await(() => _judge.Promised.All(id => Live().All(node => node.Process.Knows(id))), "all that was promised is known", Reconcile);
        Await(() => Live().All(node => node.Process.Hot == 0), "rumors grow cold", () => { });
        SpreadInCalm();
        SpreadWhatIsFound();
    }

    public void OnAnswer(NodeId node, long tag, RumorResult result)
    {
        if (result is RumorResult.Started started && tag != Known)
        {
            _judge.Promise(node, started.Id, tag);
        }
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    private void Act()
    {
        Spread(_nodes[_random.Below(Size)]);
        if (_random.Below(4) == 0)
        {
            Lie();
        }
    }

    private void Spread(NodeId node)
    {
        // Tags from 2 on are the numbers of bodies.
        _asked++;
        _cluster.Submit(node, new RumorCommand.Spread(RumorJudge.Body(node, _asked + Known)), this, _asked + Known);
    }

    /// <summary>What nobody should believe.</summary>
    private void Lie()
    {
        var (victim, liar) = (_nodes[_random.Below(Size)], _nodes[_random.Below(Size)]);
        Rumor Made(NodeId origin, long counter, int length) => new(new RumorId(origin, counter), new byte[length]);
        switch (_random.Below(5))
        {
            case 0:
                _cluster[victim].Receive(liar, new Message.Push(1, [Made(victim, 1_000_000, 8)]));
                break;
            case 1:
                _cluster[victim].Receive(liar, new Message.Push(1, [Made(s_stranger, 1, 8)]));
                break;
            case 2:
                _cluster[victim].Receive(liar, new Message.Push(1, [Made(liar, 1_000_000, 200)]));
                break;
            case 3:
                _cluster[victim].Receive(s_stranger, new Message.Push(1, [Made(liar, 1_000_000, 8)]));
                break;
            default:
                _cluster[victim].Receive(liar, new Message.Offer(7, [3, 2], 1, [Made(liar, 1_000_000, 8)]));
                break;
        }
    }

    /// <summary>Anti-entropy between two nodes: whatever one knows, of what was promised, the other is given.</summary>
    private void Reconcile()
    {
        var live = Live();
        if (live.Count < 2)
        {
            return;
        }

        var (from, to) = (live[_random.Below(live.Count)], live[_random.Below(live.Count)]);
        foreach (var id in _judge.Promised.Where(id => from.Process.Knows(id) && !to.Process.Knows(id)))
        {
            Found++;
            _cluster.Submit(to.Node, new RumorCommand.Learn(_judge.Rumor(id)), this, Known);
        }
    }

    /// <summary>No faults and no anti-entropy: what the rule of loss leaves must be what such a rule leaves.</summary>
    private void SpreadInCalm()
    {
        var before = new SortedSet<RumorId>(_judge.Promised);
        for (var count = 0; count < 60; count++)
        {
            Spread(_nodes[_random.Below(Size)]);
            Pass(Duration.FromMilliseconds(40));
        }

        Pass(s_calm);
        RumorId[] calm = [.. _judge.Promised.Except(before)];
        _judge.Check(calm.Length == 60, "Liveness", NodeId.None, "what is started is answered");
        Demand("Residue", calm, _nodes);
    }

    /// <summary>A node leaves for good, and what only it knew is found at one other node each.</summary>
    private void SpreadWhatIsFound()
    {
        var leaver = _nodes[_random.Below(Size)];
        NodeId[] others = [.. _nodes.Where(node => node != leaver)];
        _cluster.Network.Conditions = _cluster.Network.Conditions with { LossPerMillion = 1_000_000 };
        var before = new SortedSet<RumorId>(_judge.Promised);
        for (var count = 0; count < 30; count++)
        {
            Spread(leaver);
        }

        Pass(Duration.FromMilliseconds(400));
        _cluster.Crash(leaver);
        _cluster.Network.Heal();
        _view = PeerView.Of(others);
        foreach (var node in others)
        {
            _cluster.Submit(node, new RumorCommand.Meet(_view), this, Known);
        }

        RumorId[] lost = [.. _judge.Promised.Except(before)];
        foreach (var id in lost)
        {
            _cluster.Submit(others[_random.Below(others.Length)], new RumorCommand.Learn(_judge.Rumor(id)), this, Known);
            Pass(Duration.FromMilliseconds(40));
        }

        Pass(s_calm);
        _judge.Check(lost.Length > 0, "Liveness", leaver, "a leaver has something to leave");
        Demand("FoundIsSpread", lost, others);
    }

    /// <summary>At most a twelfth of all pairs of a rumor and a node may be left out.</summary>
    private void Demand(string name, RumorId[] ids, NodeId[] nodes)
    {
        var missing = ids.Sum(id => nodes.Count(node => !((Rumors)_cluster[node].Protocol!).Knows(id)));
        _judge.Check(missing * 12 <= ids.Length * nodes.Length, name, NodeId.None, $"{missing} of {ids.Length * nodes.Length} are missing");
    }

    private List<(NodeId Node, Rumors Process)> Live() =>
        [.. _nodes.Where(_cluster.IsUp).Select(node => (node, (Rumors)_cluster[node].Protocol!))];

    private void Pass(Duration time) => _world.RunUntil(_world.Elapsed + time);

    private void Await(Func<bool> done, string what, Action help)
    {
        for (var end = _world.Elapsed + Duration.FromSeconds(60); !done();)
        {
            _judge.Check(_world.Elapsed < end, "Liveness", NodeId.None, what);
            help();
            Pass(Duration.FromMilliseconds(50));
        }
    }

    /// <summary>Repeats each answer that it sees.</summary>
    private sealed class Eavesdropper(RumorWorld world) : NodeWatcher<Message, RumorRecord, RumorCommand, RumorResult>
    {
        private readonly HashSet<(NodeId To, NodeId From, long Contact)> _seen = [];

        public override void OnReceiving(NodeId node, NodeId from, byte[] frame, Message message)
        {
            long? contact = message is Message.Feedback feedback ? feedback.Contact : message is Message.Offer offer ? offer.Pulled : null;
            if (contact is { } number && _seen.Add((node, from, number)))
            {
                for (var copy = 0; copy < 6; copy++)
                {
                    world._cluster[node].Receive(from, message);
                }
            }
        }
    }
}
