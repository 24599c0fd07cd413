using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<Rumors.Message, RumorRecord, RumorCommand, RumorResult>;

/// <summary>What spreading costs a node while rumors start somewhere at a steady rate, with rounds as they are in production.</summary>
public sealed class RumorTraffic : IAnswerReceiver<RumorResult>
{
    private static readonly Duration s_second = Duration.FromSeconds(1);

    /// <summary>Bytes that a node sends in a second, checksums included, averaged over ten after the first.</summary>
    public static long BytesOfNode(int nodes, RumorOptions options, int rumorsInSecond, ulong seed) =>
        new RumorTraffic().Measure(nodes, options, rumorsInSecond, seed);

    void IAnswerReceiver<RumorResult>.OnAnswer(NodeId node, long tag, RumorResult result)
    {
    }

    void IAnswerReceiver<RumorResult>.OnLost(NodeId node, long tag)
    {
    }

    private long Measure(int nodes, RumorOptions options, int rumorsInSecond, ulong seed)
    {
        const int Seconds = 10;
        var world = new SimulatedWorld(seed);
        var network = new SimulatedNetwork(world);
        NodeId[] all = [.. Enumerable.Range(1, nodes).Select(number => new NodeId(number))];
        var view = PeerView.Of(all);
        var cluster = new Cluster(world, network, new()
        {
            Nodes = all,
            Create = start => new Rumors(start.Self, options, view),
            Messages = new Rumors.MessageWire(),
            Records = new RumorRecordWire(),
            SegmentBytes = 8 << 10,
        });
        cluster.Start();
        world.RunUntil(s_second);
        var before = network.Bytes;
        for (var rumor = 0; rumor < Seconds * rumorsInSecond; rumor++)
        {
            cluster.Submit(all[world.Random.Below(nodes)], new RumorCommand.Spread(new byte[100]), this, 0);
            world.RunUntil(world.Elapsed + s_second / rumorsInSecond);
        }

        return (network.Bytes - before) / nodes / Seconds;
    }
}
