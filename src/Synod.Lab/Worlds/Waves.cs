using Synod.Core;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>
/// A group that moves in waves: in each, some nodes hear what is under way to them, and to the others it is lost. Disks are exact and
/// time stands still. So few choices make a run that several leaders, each after a quorum of its own, cross each other in it: single
/// steps at random hardly ever get there.
/// </summary>
internal sealed class Waves<TMessage, TRecord, TCommand, TResult>
    where TMessage : class
{
    private readonly SortedDictionary<NodeId, Protocol<TMessage, TRecord, TCommand, TResult>> _nodes = [];
    private readonly SortedDictionary<NodeId, SortedSet<int>> _timers = [];
    private readonly List<(NodeId From, NodeId To, TMessage Message)> _underWay = [];
    private readonly Outbox<TMessage, TRecord, TCommand, TResult> _outbox = new();
    private readonly Still _context = new();

    public Waves(ulong seed, IEnumerable<NodeId> nodes, Func<NodeId, Protocol<TMessage, TRecord, TCommand, TResult>> make)
    {
        Random = new SeededRandom(seed);
        foreach (var node in nodes)
        {
            _nodes.Add(node, make(node));
            _timers.Add(node, []);
            Step(node, (protocol, context, outbox) => protocol.Recover([], context, outbox));
        }
    }

    public SeededRandom Random { get; }

    /// <summary>Looks at what a node puts out.</summary>
    public Action<NodeId, Outbox<TMessage, TRecord, TCommand, TResult>> Watch { get; init; } = (_, _) => { };

    public NodeId AnyNode() => _nodes.Keys.ElementAt(Random.Below(_nodes.Count));

    public void Submit(NodeId node, TCommand command) =>
        Step(node, (protocol, context, outbox) => protocol.Submit(new RequestId(1), command, context, outbox));

    /// <summary>Fires a timer where it is armed and the throw says so.</summary>
    public void FireSome(int kind)
    {
        foreach (var (node, armed) in _timers)
        {
            if (Random.Below(2) == 0 && armed.Remove(kind))
            {
                Step(node, (protocol, context, outbox) => protocol.Fire(new TimerId(kind), context, outbox));
            }
        }
    }

    public void LoseAll() => _underWay.Clear();

    /// <summary>All nodes, all but one, or one alone.</summary>
    public NodeSet Draw()
    {
        var all = NodeSet.Of([.. _nodes.Keys]);
        return Random.Below(4) switch
        {
            0 => all,
            1 => NodeSet.Of(AnyNode()),
            _ => all.Without(AnyNode()),
        };
    }

    /// <summary>A wave that only these hear, one sender's words after the other's.</summary>
    public void Roll(NodeSet hearing)
    {
        var order = _nodes.Keys.ToDictionary(node => node, _ => Random.Below(int.MaxValue));
        var wave = _underWay.Where(item => hearing.Contains(item.To)).OrderBy(item => order[item.From]).ToList();
        _underWay.Clear();
        foreach (var (from, to, message) in wave)
        {
            Step(to, (protocol, context, outbox) => protocol.Receive(from, message, context, outbox));
        }
    }

    private void Step(
        NodeId node,
        Action<Protocol<TMessage, TRecord, TCommand, TResult>, StepContext, Outbox<TMessage, TRecord, TCommand, TResult>> step)
    {
        _outbox.Clear();
        step(_nodes[node], _context, _outbox);
        Watch(node, _outbox);
        foreach (var sent in _outbox.Messages)
        {
            if (_nodes.ContainsKey(sent.To))
            {
                _underWay.Add((node, sent.To, sent.Message));
            }
        }

        foreach (var timer in _outbox.Timers)
        {
            _ = timer.Set ? _timers[node].Add(timer.Timer.Kind) : _timers[node].Remove(timer.Timer.Kind);
        }
    }
}
