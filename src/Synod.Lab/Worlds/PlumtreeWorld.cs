using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<Plumtree.Message, RumorRecord, RumorCommand, RumorResult>;
using Message = Plumtree.Message;

/// <summary>
/// A broadcast tree over a random graph of links that lose nothing, in which a part of the nodes dies in the middle of a stream. An ideal
/// membership tells the neighbours of the dead a little later, and gives survivors new links. Every survivor must be handed everything
/// that any survivor started or was handed, once; then the tree must cost one payload for each node again, and no repairs.
/// </summary>
public sealed class PlumtreeWorld : IAnswerReceiver<RumorResult>, IRoute
{
    private static readonly Duration s_detection = Duration.FromMilliseconds(300);

    private readonly SimulatedWorld _world;
    private readonly SeededRandom _random;
    private readonly Cluster _cluster;
    private readonly NodeId[] _nodes;
    private readonly SortedDictionary<NodeId, SortedSet<NodeId>> _links = [];
    private readonly RumorJudge _judge;
    private readonly PayloadCount _sent = new();
    private readonly bool _hasLiars;
    private List<NodeId> _live;
    private int _asked;

    /// <param name="hasLiars">Whether neighbours announce and send what does not exist.</param>
    public PlumtreeWorld(ulong seed, PlumtreeOptions options, int size = 24, bool hasLiars = false, TextWriter? trace = null)
    {
        _world = new SimulatedWorld(seed, trace) { MostEvents = 50_000_000 };
        _random = _world.Random.Fork();
        _hasLiars = hasLiars;
        _nodes = [.. Enumerable.Range(1, size).Select(number => new NodeId(number))];
        _live = [.. _nodes];
        Weave();
        _cluster = new Cluster(_world, new SimulatedNetwork(_world) { Route = this }, new()
        {
            Nodes = _nodes,
            Create = start => new Plumtree(start.Self, options, ViewOf(start.Self)),
            Messages = new Plumtree.MessageWire(),
            Records = new RumorRecordWire(),
            Watcher = _sent,
        });
        _judge = new RumorJudge(_world, node => _cluster.Counts(node).Boots);
        _cluster.Executed = _judge.Deliver;
    }

    /// <summary>Short times and small limits.</summary>
    public static PlumtreeOptions Options { get; } = new()
    {
        FirstWait = Duration.FromMilliseconds(120),
        NextWait = Duration.FromMilliseconds(60),
        Batch = Duration.FromMilliseconds(20),
        Keep = Duration.FromSeconds(4),
        MostMissing = 64,
        Limits = new RumorLimits { MostBodyBytes = 64 },
    };

    public int Size => _nodes.Length;

    public int Delivered => _judge.Delivered.Count;

    public int Killed => _nodes.Length - _live.Count;

    /// <summary>Requests for payloads that did not come by themselves, over the whole run.</summary>
    public long Grafts => _sent.Grafts;

    /// <summary>Payloads for one node and rumor at the end.</summary>
    public double PayloadsPerNode { get; private set; }

    public long Refusals(Refusal refusal) => _nodes.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    /// <summary>A stream in whose middle a part of the nodes, drawn between the two shares of a hundred, dies.</summary>
    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(int leastKilled = 30, int mostKilled = 80)
    {
        _cluster.Start();
        Pass(Duration.FromMilliseconds(50));
        Stream(40);
        var doomed = _nodes.Length * (int)_random.Between(leastKilled, mostKilled) / 100;
        for (; doomed > 0; doomed--)
        {
            var victim = _live[_random.Below(_live.Count)];
            _live.Remove(victim);
            _cluster.Crash(victim);
            Stream(1);
        }

        Pass(s_detection);
        Weave();
        MeetAll();
        Stream(20);
        Restart();
        Pass(Duration.FromSeconds(3));
        DemandAll();
        DemandTree();
    }

    Duration? IRoute.Delay(int from, int to, byte[] frame)
    {
        // Some links are slow for good, so that the first way is not always the shortest.
        var isSlow = (from * 7 + to * 13) % 3 == 0;
        return Duration.FromMicroseconds((isSlow ? 18_000 : 1_000) + _random.Below(200));
    }

    public void OnAnswer(NodeId node, long tag, RumorResult result)
    {
        if (result is RumorResult.Started started)
        {
            _judge.Promise(node, started.Id, tag);
        }
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    private void Stream(int count)
    {
        for (; count > 0; count--)
        {
            _asked++;
            var node = _live[_random.Below(_live.Count)];
            _cluster.Submit(node, new RumorCommand.Spread(RumorJudge.Body(node, _asked)), this, _asked);
            if (_hasLiars)
            {
                Lie();
            }

            Pass(Duration.FromMilliseconds(10));
        }
    }

    /// <summary>A process restarts in the middle of the stream: its neighbours tell it what it has missed.</summary>
    private void Restart()
    {
        var node = _live[_random.Below(_live.Count)];
        _cluster.Crash(node);
        Stream(3);
        _cluster.StartAfter(node, Duration.FromMilliseconds(100));
        Pass(Duration.FromMilliseconds(110));
    }

    /// <summary>A neighbour makes up ids, and rumors in the names of others.</summary>
    private void Lie()
    {
        var victim = _live[_random.Below(_live.Count)];
        var liar = _links[victim].First();
        Rumor Made(NodeId origin, long counter, int length) => new(new RumorId(origin, counter), new byte[length]);
        switch (_random.Below(4))
        {
            case 0:
                var first = 1_000_000L + _random.Below(1_000_000);
                _cluster[victim].Receive(liar, new Message.IHave(
                    [.. Enumerable.Range(0, 100).Select(number => new Plumtree.Announced(new RumorId(liar, first + number), 1))], false));
                break;
            case 1:
                _cluster[victim].Receive(liar, new Message.Gossip(Made(victim, 1_000_000, 8), 1));
                break;
            case 2:
                _cluster[victim].Receive(liar, new Message.Gossip(Made(liar, 1_000_000, 200), 1));
                break;
            default:
                _cluster[victim].Receive(new NodeId(9_999), new Message.Gossip(Made(liar, 1_000_000, 8), 1));
                break;
        }
    }

    /// <summary>A ring through all who live, and three links more for each two: whoever dies, most others stay connected.</summary>
    private void Weave()
    {
        foreach (var node in _live)
        {
            _links.TryAdd(node, []);
            _links[node].RemoveWhere(other => !_live.Contains(other));
        }

        for (var index = 0; index < _live.Count; index++)
        {
            Link(_live[index], _live[(index + 1) % _live.Count]);
            while (_live.Count > 8 && _links[_live[index]].Count < 5)
            {
                Link(_live[index], _live[_random.Below(_live.Count)]);
            }
        }

        void Link(NodeId one, NodeId other)
        {
            if (one != other)
            {
                _links[one].Add(other);
                _links[other].Add(one);
            }
        }
    }

    private PeerView ViewOf(NodeId node) => PeerView.Of(_links[node], isWhole: false);

    private void MeetAll()
    {
        foreach (var node in _live)
        {
            _cluster.Submit(node, new RumorCommand.Meet(ViewOf(node)), this, 0);
        }
    }

    /// <summary>Of what a restart took from a node's memory, neighbours keep only the last seconds.</summary>
    private void DemandAll()
    {
        SortedSet<RumorId> wanted = [.. _judge.Promised.Where(id => _live.Contains(id.Origin)), .. _judge.Delivered.Where(item => _live.Contains(item.Node)).Select(item => item.Id)];
        foreach (var node in _live)
        {
            var process = (Plumtree)_cluster[node].Protocol!;
            foreach (var id in wanted.Where(id => !process.Knows(id)))
            {
                var isOld = _cluster.Counts(node).Boots > 1 && _judge.Delivered.Contains((node, _cluster.Counts(node).Boots - 1, id));
                _judge.Check(isOld, "EverybodyIsTold", node, $"{id} never came, of {wanted.Count} to {_live.Count}");
            }
        }
    }

    /// <summary>In quiet each node is sent each payload once, and nobody has to ask.</summary>
    private void DemandTree()
    {
        const int Few = 10;
        Quietly(3 * Few);
        var (payloads, grafts, swaps) = (_sent.Payloads, _sent.Grafts, _sent.Swaps);
        Quietly(Few);
        PayloadsPerNode = (_sent.Payloads - payloads) / (double)(Few * Math.Max(1, _live.Count - 1));
        _judge.Check(PayloadsPerNode <= 1.1, "OnePayload", NodeId.None, $"{PayloadsPerNode:0.00} payloads for each node");
        _judge.Check(_sent.Grafts == grafts, "TreeIsMended", NodeId.None, $"{_sent.Grafts - grafts} repairs in quiet");
        if (_sent.Swaps == swaps)
        {
            DemandShortPaths(new RumorId(_live[0], ((Plumtree)_cluster[_live[0]].Protocol!).Counter));
        }
    }

    private void DemandShortPaths(RumorId id)
    {
        foreach (var node in _live)
        {
            var process = (Plumtree)_cluster[node].Protocol!;
            foreach (var other in process.Lazy.Where(other => _live.Contains(other)))
            {
                var way = ((Plumtree)_cluster[other].Protocol!).RoundOf(id);
                _judge.Check(process.RoundOf(id) - (way + 1) is not >= 3, "PathsAreShort", node, $"{process.RoundOf(id)} hops, and {way} to {other}");
            }
        }
    }

    private void Quietly(int count)
    {
        for (; count > 0; count--)
        {
            _asked++;
            _cluster.Submit(_live[0], new RumorCommand.Spread(RumorJudge.Body(_live[0], _asked)), this, _asked);
            Pass(Duration.FromMilliseconds(400));
        }
    }

    private void Pass(Duration time) => _world.RunUntil(_world.Elapsed + time);

    /// <summary>Counts what leaves.</summary>
    private sealed class PayloadCount : NodeWatcher<Message, RumorRecord, RumorCommand, RumorResult>
    {
        public long Payloads { get; private set; }

        public long Grafts { get; private set; }

        public long Swaps { get; private set; }

        public override void OnStepped(NodeId node, Outbox<Message, RumorRecord, RumorCommand, RumorResult> outbox)
        {
            foreach (ref readonly var sent in outbox.Messages)
            {
                Payloads += sent.Message is Message.Gossip ? 1 : 0;
                Grafts += sent.Message is Message.Graft { Id: not null } ? 1 : 0;
                Swaps += sent.Message is Message.Graft { Id: null } ? 1 : 0;
            }
        }
    }
}
