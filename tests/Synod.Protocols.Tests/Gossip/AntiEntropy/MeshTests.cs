using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Cluster = SimulatedCluster<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result>;

/// <summary>
/// Five replicas in a ring, each of which talks to its neighbours alone, with half of the messages lost and a third doubled
/// (crdt.md §9): every change arrives everywhere, and what is sent stays small because nothing goes where it is known to be.
/// </summary>
public sealed class MeshTests(ITestOutputHelper output)
{
    private static readonly NodeId[] s_ring = [new(1), new(2), new(3), new(4), new(5)];

    [Fact]
    public void A_ring_converges_and_sends_less_than_without_either_of_the_two_savings()
    {
        var bytes = Run(DeltaMutation.None);
        var back = Run(DeltaMutation.BackPropagation);
        var redundant = Run(DeltaMutation.RedundantKept);
        output.WriteLine($"{bytes} bytes of deltas, {back} with what goes back to its sender, {redundant} with what is known");
        Assert.True(back > bytes * 5 / 4, "what comes from a peer goes back to it");
        Assert.True(redundant > bytes * 5 / 4, "what was known is passed on");
    }

    private static long Run(DeltaMutation mutation)
    {
        var world = new SimulatedWorld(7) { MostEvents = 5_000_000 };
        var counter = new Counter();
        var links = new LinkConditions { LossPerMillion = 500_000, DuplicatePerMillion = 300_000, Reorders = true };
        var cluster = new Cluster(world, new SimulatedNetwork(world) { Conditions = links }, new()
        {
            Nodes = s_ring,
            Create = start => new DeltaSync(start.Self, Neighbours(start.Self), new DeltaOptions { Period = Duration.FromMilliseconds(20), Mutation = mutation }, new LetterSet(hasDigest: false)),
            Messages = new DeltaSync.MessageWire(),
            Records = new DeltaSync.RecordWire(),
            Watcher = counter,
        });
        cluster.Start();
        world.RunUntil(Duration.FromSeconds(2));
        counter.Bytes = 0;
        for (var change = 0; change < 150; change++)
        {
            cluster.Submit(s_ring[change % s_ring.Length], Letters.Do($"+{(char)('0' + (change % 70))}"), Deaf.Instance, change);
            world.RunUntil(world.Elapsed + Duration.FromMilliseconds(20));
        }

        Assert.True(
            world.RunUntil(() => s_ring.Select(node => Convert.ToHexString(Replica(node).Save().Span)).Distinct().Count() == 1, world.Elapsed + Duration.FromSeconds(60)),
            "the replicas do not become equal");
        Assert.Equal(150, ((LetterSet)Replica(s_ring[0])).Dots);
        return counter.Bytes;

        IConvergentState Replica(NodeId node) => ((DeltaSync)cluster[node].Protocol!).Replica;
    }

    private static Roster Neighbours(NodeId node) => Roster.Of([node, new(node.Value % 5 + 1), new((node.Value + 3) % 5 + 1)]);

    /// <summary>Bytes of deltas and states sent.</summary>
    private sealed class Counter : NodeWatcher<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result>
    {
        public long Bytes { get; set; }

        public override void OnStepped(NodeId node, Outbox<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result> outbox)
        {
            foreach (ref readonly var sent in outbox.Messages)
            {
                Bytes += sent.Message is DeltaSync.Message.Interval interval ? interval.Delta.Length : sent.Message is DeltaSync.Message.Full full ? full.State.Length : 0;
            }
        }
    }

    private sealed class Deaf : IAnswerReceiver<DeltaSync.Result>
    {
        public static Deaf Instance { get; } = new();

        public void OnAnswer(NodeId node, long tag, DeltaSync.Result result)
        {
        }

        public void OnLost(NodeId node, long tag)
        {
        }
    }
}
