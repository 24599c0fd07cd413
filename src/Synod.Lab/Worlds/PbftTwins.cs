using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

using Configuration = Model<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;
using Machine = Protocol<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;
using Rounds = RoundModel<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;
using Told = World<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;

/// <summary>
/// Four replicas, one of which runs twice under one key; primaries follow each other in the group's order, so whose twin it is takes
/// the place of a choice of leaders. Two clients ask different copies for different things.
/// </summary>
internal static class PbftTwins
{
    private const int Slots = 3;

    private static readonly NodeId Second = new(5);

    /// <summary>Where the replicas and the second copy run.</summary>
    public static NodeId[] Addresses { get; } = [.. Quartet.Replicas, Second];

    /// <summary>The configuration, without faults of the network.</summary>
    public static Configuration Replicas(Quartet group, NodeId twin)
    {
        var twins = new Twins().With(Second, twin);
        var (x, y) = (Ask(group, Quartet.X, "x+"), Ask(group, Quartet.Y, "y+"));
        return new Configuration
        {
            Nodes = Addresses,
            Make = address => new Twinned<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>(
                address, twins, group.Replica(twins.IdentityOf(address))),
            Messages = new Pbft.MessageWire(),
            Records = new Pbft.RecordWire(),
            Submissions = [new(twin, x), new(Second, y), .. Correct(twin).Select((node, index) => new Submission<Pbft.Command>(node, index == 0 ? y : x))],
        }
        .Always(Pbft.Agreement, world => Enumerable.Range(1, Slots).All(slot =>
            Correct(world, twin).Select(replica => replica.DecisionOf(new Slot(slot))).OfType<Digest>().Distinct().Count() < 2))
        .Always("nobody correct is accused", world => Correct(world, twin).SelectMany(replica => replica.Accusations).All(item => item.Accused == twin))
        .Sometimes("a request is executed", world => Correct(world, twin).Any(replica => replica.Executed.Value > 0));
    }

    /// <param name="twin">Who runs twice.</param>
    /// <param name="rounds">How long the schedules are.</param>
    /// <param name="sides">Into how many sides the network is split at most.</param>
    /// <param name="mutation">A known mistake of all of them.</param>
    /// <param name="lies">In how many rounds the twins also alter a message.</param>
    public static Rounds Model(NodeId twin, int rounds, int sides = 2, PbftMutation mutation = PbftMutation.None, int lies = 0)
    {
        var group = new Quartet(Quartet.Small with { Mutation = mutation });
        return new Rounds
        {
            Model = Replicas(group, twin)
                .Sometimes("a later view begins", world => Correct(world, twin).Any(replica => replica.View > 0 && replica.IsActive)),
            Rounds = rounds,
            Partitions = Partition.All(Addresses, sides),
            RoundOf = _ => null,
            Expires = (_, _, _) => true,
            Essence = new Essential(),
            Liars = NodeSet.Of(twin, Second),
            MaxLies = lies,
            Lies =
            [
                new("a view more", (message, _) => Shifted(group, twin, message, 1)),
                new("a view less", (message, _) => Shifted(group, twin, message, -1)),
                new("what it said before", (message, earlier) => earlier.LastOrDefault(said => said.GetType() == message.GetType())),
            ],
        };
    }

    private static IEnumerable<NodeId> Correct(NodeId twin) => Quartet.Replicas.Where(node => node != twin);

    private static IEnumerable<Pbft> Correct(Told world, NodeId twin) => Correct(twin).Select(node => Replica(world[node].Protocol));

    private static Pbft Replica(Machine machine) =>
        (Pbft)((Disguise<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>)machine).Inner;

    private static Pbft.Command Ask(Quartet group, NodeId client, string operation) =>
        new Pbft.Command.Order(group.Request(client, 1, operation));

    /// <summary>The same said of a neighbouring view, signed anew.</summary>
    private static Pbft.Message? Shifted(Quartet group, NodeId self, Pbft.Message message, long by) => message switch
    {
        Pbft.Message.PrePrepare m when m.View + by >= 0 => group.PrePrepare(self, m.View + by, m.Slot.Value, m.Batch),
        Pbft.Message.Prepare m when m.View + by >= 0 => group.Prepare(self, m.View + by, m.Slot.Value, m.Digest),
        Pbft.Message.Commit m when m.View + by >= 0 => group.Commit(self, m.View + by, m.Slot.Value, m.Digest),
        Pbft.Message.ViewChange m when m.View + by > 0 => group.Signed(m with { View = m.View + by }),
        _ => null,
    };

    /// <summary>Rounds are told by nothing but views, and these are written as they are.</summary>
    private sealed class Essential : PartwiseEssence<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>
    {
        public override bool ForgetsRounds => true;

        public override void Simplify(Machine node) => Replica(node).Simplify();

        public override void Witness(CodecWriter writer, Machine node) => Replica(node).WriteWitness(writer);

        public override void Write(CodecWriter writer, Machine node) => Replica(node).WriteEssence(writer);

        public override void Write(CodecWriter writer, Pbft.Message message) => Pbft.WriteEssence(writer, message);
    }
}
