using System.Buffers.Binary;
using Synod.Core;
using Synod.Lab.Worlds.AntiEntropyRoom;
using Synod.Protocols.Gossip.AntiEntropy;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<RangeReconciliation.Message, RangeReconciliation.Record, RangeReconciliation.Command, RangeReconciliation.Result>;

/// <summary>
/// Stores that are written to and reconciled in pairs while machines and links fail. Whoever was told that it is reconciled with a peer
/// has what the peer had, and the peer has what it had; nothing that was acknowledged is lost; in the end all are equal.
/// </summary>
public sealed class RangeWorld : IAnswerReceiver<RangeReconciliation.Result>
{
    private static readonly NodeId[] s_nodes = [new(1), new(2), new(3)];

    private readonly SeededRandom _random;
    private readonly SimulatedWorld _world;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;
    private readonly SortedDictionary<long, Content> _puts = [];
    private readonly SortedDictionary<long, (NodeId Peer, List<Content> Mine, List<Content> Theirs)> _sessions = [];
    private readonly SortedDictionary<NodeId, SortedDictionary<Key, ReadOnlyMemory<byte>>> _kept = [];
    private long _tag;

    public RangeWorld(ulong seed, RangeOptions options, FaultPlan? plan = null, TextWriter? trace = null)
    {
        _world = new SimulatedWorld(seed, trace) { MostEvents = 5_000_000 };
        _random = _world.Random.Fork();
        plan ??= FaultPlan.Swarm(seed);
        var members = NodeSet.Of(s_nodes);
        _cluster = new Cluster(_world, new SimulatedNetwork(_world) { Conditions = plan.Links }, new()
        {
            Nodes = s_nodes,
            Create = start => new RangeReconciliation(start.Self, members, options, new LargestContent()),
            Messages = new RangeReconciliation.MessageWire(),
            Records = new RangeReconciliation.RecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
        });
        _injector = new FaultInjector(_cluster, plan.Faults);
        foreach (var node in s_nodes)
        {
            _kept.Add(node, []);
        }
    }

    /// <summary>Limits for short runs: small spans and messages.</summary>
    public static RangeOptions Options { get; } = Fit(new RangeOptions
    {
        Branching = 4, MostListed = 4, MostKeyBytes = 8, MostValueBytes = 40, Retry = Duration.FromMilliseconds(20),
    });

    public int Reconciled { get; private set; }

    public long Moved { get; private set; }

    public long Crashes => s_nodes.Sum(node => _cluster.Counts(node).Crashes);

    public long Refusals(Refusal refusal) => s_nodes.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    /// <summary>Faults for a while, then none: all stores become equal.</summary>
    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(Duration stormy, Duration deadline)
    {
        _cluster.Start();
        _injector.Start();
        while (_world.Elapsed < stormy)
        {
            Act();
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(10));
            Judge();
        }

        _injector.Stop();
        var end = _world.Elapsed + deadline;
        while (!IsEqual())
        {
            if (_world.Elapsed >= end)
            {
                throw _world.Failure(RangeReconciliation.ReconciledIsEqual, NodeId.None, "the stores do not become equal");
            }

            Reconcile(s_nodes[_random.Below(s_nodes.Length)]);
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(50));
        }

        Judge();
    }

    public void OnAnswer(NodeId node, long tag, RangeReconciliation.Result result)
    {
        switch (result)
        {
            case RangeReconciliation.Result.Stored:
                Keep(node, [_puts[tag]]);
                break;
            case RangeReconciliation.Result.Reconciled done:
                Reconciled++;
                Moved += done.Sent + done.Received;
                var (peer, mine, theirs) = _sessions[tag];
                Keep(node, theirs);
                Keep(peer, mine);
                break;
        }

        _sessions.Remove(tag);
    }

    public void OnLost(NodeId node, long tag) => _sessions.Remove(tag);

    private static RangeOptions Fit(RangeOptions options) => options with { MostMessageBytes = options.LeastMessageBytes };

    private void Act()
    {
        for (var puts = 0; puts < 3; puts++)
        {
            var value = new byte[_random.Between(8, 40)];
            BinaryPrimitives.WriteInt64BigEndian(value, _random.Below(1_000));
            var content = new Content(Key.Of($"{_random.Below(400)}"), value);
            _puts.Add(++_tag, content);
            _cluster.Submit(s_nodes[_random.Below(s_nodes.Length)], new RangeReconciliation.Command.Put(content.Key, content.Value), this, _tag);
        }

        if (_random.Below(8) == 0)
        {
            Reconcile(s_nodes[_random.Below(s_nodes.Length)]);
        }
    }

    private void Reconcile(NodeId node)
    {
        var peer = s_nodes[_random.Below(s_nodes.Length)];
        if (_cluster[node].Protocol is RangeReconciliation mine && !mine.Peers.Contains(peer) && !_cluster.IsPaused(node))
        {
            // What is on the disks now: what either has beside that, a crash may take back.
            _sessions.Add(++_tag, (peer, Kept(node), Kept(peer)));
            if (!_cluster.Submit(node, new RangeReconciliation.Command.Reconcile(peer), this, _tag))
            {
                _sessions.Remove(_tag);
            }
        }
    }

    private List<Content> Kept(NodeId node) => [.. _kept[node].Select(pair => new Content(pair.Key, pair.Value))];

    /// <summary>Someone was told that <paramref name="node"/> has these.</summary>
    private void Keep(NodeId node, IEnumerable<Content> contents)
    {
        foreach (var (key, value) in contents)
        {
            if (!_kept[node].TryGetValue(key, out var held) || held.Span.SequenceCompareTo(value.Span) < 0)
            {
                _kept[node][key] = value;
            }
        }
    }

    /// <summary>Whoever runs has what somebody was told that it has, or more.</summary>
    private void Judge()
    {
        foreach (var node in s_nodes)
        {
            if (_cluster[node].Protocol is not RangeReconciliation store)
            {
                continue;
            }

            foreach (var (key, value) in _kept[node])
            {
                if (!store.Items.TryGet(key, out var item) || item.Value.Span.SequenceCompareTo(value.Span) < 0)
                {
                    throw _world.Failure(RangeReconciliation.AcknowledgedIsKept, node, $"{key}");
                }
            }
        }
    }

    private bool IsEqual()
    {
        var contents = s_nodes.Select(node => _cluster[node].Protocol).OfType<RangeReconciliation>()
            .Select(store => string.Join(" ", store.Items.Within(KeySpan.All).Select(item => new Content(item.Key, item.Value)))).ToList();
        return contents.Count == s_nodes.Length && contents.Distinct().Count() == 1;
    }
}
