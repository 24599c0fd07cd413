using Synod.Core;

namespace Synod.Exploration;

/// <summary>What properties see of one moment of a configuration.</summary>
public sealed class World<TMessage, TRecord, TCommand, TResult>
{
    private readonly IReadOnlyList<NodeId> _nodes;
    private readonly Func<int, NodeView<TMessage, TRecord, TCommand, TResult>> _view;
    private readonly Locals<TMessage, TRecord, TCommand, TResult>? _locals;
    private readonly Layout? _layout;
    private int[] _world = [];

    internal World(
        IReadOnlyList<NodeId> nodes, Locals<TMessage, TRecord, TCommand, TResult> locals, Layout layout)
        : this(nodes, locals.View)
    {
        _locals = locals;
        _layout = layout;
    }

    /// <summary>Worlds that are nodes and nothing else.</summary>
    internal World(IReadOnlyList<NodeId> nodes, Func<int, NodeView<TMessage, TRecord, TCommand, TResult>> view)
    {
        _nodes = nodes;
        _view = view;
    }

    public int NodeCount => _nodes.Count;

    /// <summary>Crashes so far.</summary>
    public int Crashes
    {
        get
        {
            LooksBeyondNodes = true;
            return _layout is null ? 0 : _world[_layout.Crashes];
        }
    }

    /// <summary>Whether anyone asked for more than nodes since this was reset.</summary>
    internal bool LooksBeyondNodes { get; set; }

    /// <summary>The node at a position of the model's list.</summary>
    public NodeView<TMessage, TRecord, TCommand, TResult> At(int index) => _view(_world[index]);

    public NodeView<TMessage, TRecord, TCommand, TResult> this[NodeId node] => At(IndexOf(node));

    public IEnumerable<NodeView<TMessage, TRecord, TCommand, TResult>> Nodes
    {
        get
        {
            for (var index = 0; index < NodeCount; index++)
            {
                yield return At(index);
            }
        }
    }

    /// <summary>The messages under way, each as often as it is.</summary>
    public IEnumerable<InFlight<TMessage>> Network
    {
        get
        {
            LooksBeyondNodes = true;
            for (var index = _layout?.Network ?? _world.Length; index < _world.Length; index++)
            {
                yield return _locals!.Message(_world[index]);
            }
        }
    }

    private int IndexOf(NodeId node)
    {
        for (var index = 0; index < _nodes.Count; index++)
        {
            if (_nodes[index] == node)
            {
                return index;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(node), node, "There is no such node.");
    }

    internal World<TMessage, TRecord, TCommand, TResult> Show(int[] world)
    {
        _world = world;
        return this;
    }
}

/// <summary>A message under way.</summary>
public readonly record struct InFlight<TMessage>(NodeId From, NodeId To, TMessage Message);

/// <summary>What properties see of one node. It is shared by every world in which the node is in this state: look, do not step.</summary>
public sealed class NodeView<TMessage, TRecord, TCommand, TResult>
{
    public required NodeId Id { get; init; }

    public required Protocol<TMessage, TRecord, TCommand, TResult> Protocol { get; init; }

    /// <summary>The records that a restart would find.</summary>
    public required IReadOnlyList<TRecord> Durable { get; init; }

    /// <summary>The records that a crash would lose.</summary>
    public required IReadOnlyList<TRecord> Pending { get; init; }

    /// <summary>Every execution that the node ever made, each once, also those before crashes.</summary>
    public required IReadOnlyList<Executed<TCommand>> Executions { get; init; }

    /// <summary>Every answer that ever left the node, each once, by request.</summary>
    public required IReadOnlyList<KeyValuePair<RequestId, TResult>> Answers { get; init; }

    public required IReadOnlyList<TimerId> Timers { get; init; }
}
