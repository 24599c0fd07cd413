using Synod.Core;

namespace Synod.Database.Nodes;

/// <summary>The nodes that this node knows of, and where they are: those that it was told of at its start, and those that it met.</summary>
internal sealed class NodeBook
{
    private readonly SortedDictionary<NodeId, NodeDescriptor> _nodes = [];
    private readonly SortedSet<NodeId> _met = [];

    public NodeBook(IEnumerable<NodeDescriptor> nodes)
    {
        foreach (var node in nodes)
        {
            _nodes.Add(node.Id, node);
        }
    }

    /// <summary>Every node, in order of ids.</summary>
    public IEnumerable<NodeDescriptor> Nodes => _nodes.Values;

    /// <summary>Where clients reach a node; empty if that is not known.</summary>
    public string ClientAddressOf(NodeId node) => _nodes.TryGetValue(node, out var known) ? known.ClientAddress : "";

    /// <summary>Those that gossip told of.</summary>
    public IEnumerable<NodeDescriptor> Met => _met.Select(node => _nodes[node]);

    /// <summary>Notes what gossip tells. True if it was news.</summary>
    public bool Note(NodeDescriptor node)
    {
        if (_nodes.TryGetValue(node.Id, out var known) && known == node)
        {
            return false;
        }

        _nodes[node.Id] = node;
        _met.Add(node.Id);
        return true;
    }
}
