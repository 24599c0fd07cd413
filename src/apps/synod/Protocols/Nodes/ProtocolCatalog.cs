using Microsoft.Extensions.Logging;
using Synod.App.Protocols.Load;
using Synod.Core;

namespace Synod.App.Protocols.Nodes;

/// <summary>A protocol that can be run as processes and measured.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="LeastNodes">Fewer make no sense.</param>
/// <param name="HasKeys">Whether nodes and clients sign.</param>
/// <param name="HasQuorums">Whether its quorums may be chosen.</param>
/// <param name="RunsOnce">Whether a client may ask again until its operation is done: repetitions have no effect.</param>
/// <param name="Node">Makes a node from the run's settings, its id, its data folder, the run's folder and a log.</param>
/// <param name="Client">Makes a client from the run's settings, its number, the run's folder and its connections.</param>
internal sealed record ProtocolEntry(
    string Name,
    int LeastNodes,
    bool HasKeys,
    bool HasQuorums,
    bool RunsOnce,
    Func<ProtocolSettings, NodeId, string, string, ILogger, IProtocolNode> Node,
    Func<ProtocolSettings, int, string, IReadOnlyList<NodeConnection>, IProtocolClient> Client)
{
    /// <summary>More cannot be run.</summary>
    public int MostNodes { get; init; } = NodeSet.Capacity - 1;

    /// <summary>Whether it may be chosen how much is under way at once.</summary>
    public bool HasPipeline { get; init; }

    /// <summary>Whether it may be chosen how many commands share an agreement.</summary>
    public bool HasBlocks { get; init; }
}

/// <summary>Every protocol that can be run as processes.</summary>
internal static class ProtocolCatalog
{
    public static IReadOnlyList<ProtocolEntry> All { get; } =
    [
        new("multipaxos", 1, HasKeys: false, HasQuorums: true, RunsOnce: true,
            static (settings, self, data, folder, log) => new MultiPaxosNode(settings, self, data, folder, log),
            static (_, client, _, nodes) => new RedirectedClient(client, nodes, home: 0)),
        new("epaxos", 3, HasKeys: false, HasQuorums: false, RunsOnce: true,
            static (settings, self, data, folder, log) => new EPaxosNode(settings, self, data, folder, log),
            static (_, client, _, nodes) => new RedirectedClient(client, nodes, home: client % nodes.Count)) { MostNodes = 7, HasPipeline = true, HasBlocks = true },
        new("pbft", 4, HasKeys: true, HasQuorums: false, RunsOnce: true,
            static (settings, self, data, folder, log) => new PbftNode(settings, self, data, folder, log),
            static (settings, client, folder, nodes) => new PbftLoadClient(settings, client, folder, nodes)) { HasPipeline = true, HasBlocks = true },
        new("hotstuff", 4, HasKeys: true, HasQuorums: false, RunsOnce: true,
            static (settings, self, data, folder, log) => new HotStuffNode(settings, self, data, folder, log),
            static (settings, client, folder, nodes) => new VotingClient(settings, client, folder, nodes)) { HasBlocks = true },
        new("2pc", 2, HasKeys: false, HasQuorums: false, RunsOnce: false,
            static (settings, self, data, folder, log) => new TwoPhaseCommitNode(settings, self, data, folder, log),
            static (_, client, _, nodes) => new HomeClient(client, nodes)),
        new("3pc", 2, HasKeys: false, HasQuorums: false, RunsOnce: false,
            static (settings, self, data, folder, log) => new ThreePhaseCommitNode(settings, self, data, folder, log),
            static (_, client, _, nodes) => new HomeClient(client, nodes)),
        new("paxos-commit", 2, HasKeys: false, HasQuorums: false, RunsOnce: false,
            static (settings, self, data, folder, log) => new PaxosCommitNode(settings, self, data, folder, log),
            static (_, client, _, nodes) => new HomeClient(client, nodes)),
    ];

    /// <summary>Snapshots of a running system. What its clients ask for is done where they ask, and not agreed on.</summary>
    public static ProtocolEntry Snapshots { get; } = new("chandy-lamport", 2, HasKeys: false, HasQuorums: false, RunsOnce: false,
        static (settings, self, data, folder, log) => new SnapshotNode(settings, self, data, folder, log),
        static (_, client, _, nodes) => new HomeClient(client, nodes));

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static ProtocolEntry Find(string name) => All.Append(Snapshots).FirstOrDefault(entry => entry.Name == name)
        ?? throw new ArgumentException($"There is no protocol '{name}'. Use one of: {string.Join(", ", All.Select(entry => entry.Name))}.");
}
