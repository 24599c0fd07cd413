using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>
/// The books of push-sum: adds up what everybody put into the newest epoch, and what there is of it, at nodes, on its way, and with the
/// dead. As a watcher of a cluster it writes down what dies.
/// </summary>
public sealed class MassLedger : NodeWatcher<Aggregation.Message, Aggregation.Record, Aggregation.Command, Aggregation.Result>
{
    private readonly SortedDictionary<(NodeId Node, long Epoch), long> _putIn = [];
    private readonly SortedDictionary<NodeId, long> _boots = [];
    private readonly SortedDictionary<NodeId, long> _durable = [];
    private readonly List<(NodeId Node, long Records, long Epoch)> _entering = [];
    private readonly List<Dead> _dead = [];
    private long _newest;

    /// <summary>Where the processes are; to be set before any dies.</summary>
    public Func<NodeId, Aggregation>? ProcessOf { get; set; }

    /// <summary>A node that put its readings into one epoch in two lives, in words; null if none has.</summary>
    public string? PutInTwice { get; private set; }

    public override void OnBoot(NodeId node, long boot) => _boots[node] = boot;

    public override void OnStepped(
        NodeId node, Outbox<Aggregation.Message, Aggregation.Record, Aggregation.Command, Aggregation.Result> outbox)
    {
        if (outbox.Records.Length > 0)
        {
            _entering.Add((node, outbox.RecordCount, ProcessOf!(node).Epoch));
        }
    }

    /// <summary>A node takes part in an epoch from when that is durable: nothing of it has left before.</summary>
    public override void OnDurable(NodeId node, long records)
    {
        foreach (var (_, _, epoch) in _entering.Where(item => item.Node == node && item.Records <= records))
        {
            _durable[node] = epoch;
            if (ProcessOf!(node) is { PutIn.Nodes: > 0 } process && process.Epoch == epoch)
            {
                _putIn.TryAdd((node, epoch), _boots[node]);
                PutInTwice ??= _putIn[(node, epoch)] == _boots[node] ? null : $"{node} put in again into {epoch}";
            }
        }

        _entering.RemoveAll(item => item.Node == node && item.Records <= records);
    }

    /// <summary>Writes a node's part down when it dies, if it had one.</summary>
    public override void OnCrash(NodeId node)
    {
        var process = ProcessOf!(node);
        _entering.RemoveAll(item => item.Node == node);
        _newest = Math.Max(_newest, process.Epoch);
        _dead.RemoveAll(dead => dead.Epoch < _newest);
        if (process.TakesPart && _durable.GetValueOrDefault(node) == process.Epoch)
        {
            _dead.Add(new Dead(node, process.Epoch, process.PutIn, process.Held, [.. process.Unacknowledged], process));
        }
    }

    /// <summary>What does not add up in the newest epoch, in words; null if everything does.</summary>
    public string? Imbalance(IReadOnlyList<(NodeId Node, Aggregation Process)> live)
    {
        if (live.Count == 0)
        {
            return null;
        }

        // Whoever was in a later epoch, and died, has dropped what it held of this one.
        var epoch = live.Max(item => item.Process.Epoch);
        _newest = Math.Max(_newest, epoch);
        if (epoch < _newest)
        {
            return null;
        }

        var parts = live.Where(item => item.Process.TakesPart && item.Process.Epoch == epoch).ToList();
        var dead = _dead.Where(item => item.Epoch == epoch).ToList();
        if (dead.Count + parts.Count == 0)
        {
            return null;
        }

        var byNode = parts.ToDictionary(item => item.Node, item => item.Process);
        var (put, there) = (new Account(), new Account());
        foreach (var (_, process) in parts)
        {
            put.Add(process.PutIn);
            there.Add(process.Held);
        }

        foreach (var item in dead)
        {
            put.Add(item.PutIn);
            there.Add(item.Held);
        }

        var onTheWay = parts.Select(item => (item.Node, item.Process.Unacknowledged)).Concat(dead.Select(item => (item.Node, Unacknowledged: item.Unacknowledged.AsEnumerable())));
        foreach (var (sender, transfers) in onTheWay)
        {
            foreach (var (to, number, mass) in transfers)
            {
                if (!WasAdded(to, sender, number))
                {
                    there.Add(mass);
                }
            }
        }

        return put == there ? null : $"epoch {epoch}: {put} were put in, {there} are there";

        bool WasAdded(NodeId to, NodeId sender, long number) =>
            (byNode.TryGetValue(to, out var process) && process.HasAdded(sender, number))
            || dead.Any(item => item.Node == to && item.Process.HasAdded(sender, number));
    }

    /// <summary>The parts of mass that are never more or less.</summary>
    private sealed record Account
    {
        private Int128 _nodes;
        private Int128 _root;
        private Int128 _sums;
        private Int128 _readings;

        public void Add(Mass mass)
        {
            _nodes += mass.Nodes;
            foreach (var root in mass.Roots)
            {
                _root += root.Weight;
            }

            foreach (var metric in mass.Metrics)
            {
                _sums += metric.Sum;
                _readings += metric.Count;
            }
        }

        public override string ToString() => FormattableString.Invariant($"({_nodes}, {_root}, {_sums}, {_readings})");
    }

    /// <summary>A process that died, as it was.</summary>
    private sealed record Dead(
        NodeId Node, long Epoch, Mass PutIn, Mass Held, IReadOnlyList<(NodeId To, long Number, Mass Mass)> Unacknowledged, Aggregation Process);
}
