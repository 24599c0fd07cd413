using System.Text;
using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>Judges what nodes are handed: each rumor once in a life, what its origin said, and one body under one id.</summary>
/// <param name="boots">How often a node has started.</param>
internal sealed class RumorJudge(SimulatedWorld world, Func<NodeId, long> boots)
{
    private readonly SortedDictionary<RumorId, string> _bodies = [];
    private readonly SortedSet<RumorId> _promised = [];
    private readonly HashSet<(NodeId Node, long Boot, RumorId Id)> _delivered = [];

    /// <summary>Ids that clients were told.</summary>
    public IReadOnlyCollection<RumorId> Promised => _promised;

    /// <summary>What was handed up, and in which life.</summary>
    public IReadOnlyCollection<(NodeId Node, long Boot, RumorId Id)> Delivered => _delivered;

    /// <summary>What a node is asked to spread under a number; no two are the same, and the origin is in it.</summary>
    public static byte[] Body(NodeId node, long tag) => Encoding.ASCII.GetBytes(Text(node, tag));

    /// <summary>The rumor of an id that was promised or handed up.</summary>
    public Rumor Rumor(RumorId id) => new(id, Encoding.ASCII.GetBytes(_bodies[id]));

    /// <summary>A client was told the id of what it asked for.</summary>
    public void Promise(NodeId node, RumorId id, long tag)
    {
        Check(_promised.Add(id), Rumors.OneBody, node, $"{id} was given out twice");
        SetBody(node, id, Text(node, tag));
    }

    /// <summary>A node's protocol handed a rumor up.</summary>
    public void Deliver(NodeId node, Slot position, RumorCommand command)
    {
        var rumor = ((RumorCommand.Learn)command).Rumor;
        Check(_delivered.Add((node, boots(node), rumor.Id)), Rumors.DeliveredOnce, node, $"{rumor.Id} again");
        Check(rumor.Id.Origin != node, Rumors.DeliveredOnce, node, $"{rumor.Id} came back");
        SetBody(node, rumor.Id, Encoding.ASCII.GetString(rumor.Body.Span));
    }

    /// <exception cref="SimulationFailure">It does not hold.</exception>
    public void Check(bool holds, string invariant, NodeId node, string detail)
    {
        if (!holds)
        {
            throw world.Failure(invariant, node, detail);
        }
    }

    private static string Text(NodeId node, long tag) => FormattableString.Invariant($"{node}/{tag}");

    private void SetBody(NodeId node, RumorId id, string body)
    {
        Check(body.StartsWith($"{id.Origin}/", StringComparison.Ordinal), Rumors.OneBody, node, $"{id} is nothing that its origin said");
        _bodies.TryAdd(id, body);
        Check(_bodies[id] == body, Rumors.OneBody, node, $"{id} is {_bodies[id]} and {body}");
    }
}
