using Synod.Core;
using Synod.Protocols.Gossip;

namespace Synod.Lab.Worlds;

/// <summary>
/// The books of push-sum: adds up what everybody put into the newest epoch, and what there is of it, at nodes, on its way, and with the
/// dead.
/// </summary>
public sealed class MassLedger
{
    private readonly SortedDictionary<(NodeId Node, long Epoch), long> _putIn = [];
    private readonly List<Dead> _dead = [];

    /// <summary>Writes a node's part down when it dies.</summary>
    public void Bury(NodeId node, Aggregation process)
    {
        _dead.RemoveAll(dead => dead.Epoch < process.Epoch - 2);
        if (!process.TakesPart)
        {
            return;
        }

        _dead.Add(new Dead(node, process.Epoch, process.PutIn, process.Held, [.. process.Unacknowledged], process));
    }

    /// <summary>Notes that a life of a node puts its readings into an epoch; false if another has.</summary>
    public bool PutsIn(NodeId node, long epoch, long boot)
    {
        _putIn.TryAdd((node, epoch), boot);
        return _putIn[(node, epoch)] == boot;
    }

    /// <summary>What does not add up in the newest epoch, in words; null if everything does.</summary>
    public string? Imbalance(IReadOnlyList<(NodeId Node, Aggregation Process)> live)
    {
        if (live.Count == 0)
        {
            return null;
        }

        var epoch = live.Max(item => item.Process.Epoch);
        var parts = live.Where(item => item.Process.TakesPart && item.Process.Epoch == epoch).ToList();
        var dead = _dead.Where(item => item.Epoch == epoch).ToList();
        if (dead.Count + parts.Count == 0)
        {
            return null;
        }

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
            parts.Any(item => item.Node == to && item.Process.HasAdded(sender, number))
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
