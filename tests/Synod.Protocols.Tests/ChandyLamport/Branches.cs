using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;

namespace Synod.Protocols.Tests.ChandyLamport;

using Model = Model<Snapshots.ChandyLamport.Message, Snapshots.ChandyLamport.Record, Snapshots.ChandyLamport.Command, Snapshots.ChandyLamport.Result>;
using Play = Stage<Snapshots.ChandyLamport.Message, Snapshots.ChandyLamport.Record, Snapshots.ChandyLamport.Command, Snapshots.ChandyLamport.Result>;
using Process = Snapshots.ChandyLamport;
using World = World<Snapshots.ChandyLamport.Message, Snapshots.ChandyLamport.Record, Snapshots.ChandyLamport.Command, Snapshots.ChandyLamport.Result>;

/// <summary>Three branches of a bank with 100 in each account.</summary>
internal static class Branches
{
    public static readonly NodeId A = new(1);
    public static readonly NodeId B = new(2);
    public static readonly NodeId C = new(3);
    public const int Limit = (int)Process.Timer.Limit;
    public const int Resend = (int)Process.Timer.Resend;

    public static Topology Mesh { get; } = Topology.Mesh(1, NodeSet.Of(A, B, C));

    public static Topology Ring { get; } = Topology.Ring(1, A, B, C);

    public static Process.Command Begin { get; } = new Process.Command.Begin();

    public static Process.Command Transfer(long amount, NodeId to) => new Process.Command.Act(BankBranch.Transfer(amount, to));

    public static Play Stage(Topology topology, ChannelOrder order = ChannelOrder.Fifo, Func<IApplication>? application = null) => new Play(
        node => new Process(node, topology, new ChandyLamportOptions { Order = order, MostRecordedBytes = 16 }, application?.Invoke() ?? new BankBranch(100)),
        timer => ((Process.Timer)timer.Kind).ToString(),
        [.. topology.Members]).Begin();

    public static Process At(this Play play, NodeId node) => (Process)play[node];

    /// <summary>The only snapshot that <paramref name="node"/> was told of.</summary>
    public static Cut Taken(this Play play, NodeId node) => play.Answers(node).Select(answer => answer.Result).OfType<Process.Result.Taken>().Single().Cut;

    public static IEnumerable<SnapshotEnd> Failures(this Play play, NodeId node) =>
        play.Answers(node).Select(answer => answer.Result).OfType<Process.Result.Failed>().Select(failed => failed.Reason);

    /// <summary>What is in a channel of a cut, as text.</summary>
    public static string In(this Cut cut, NodeId from, NodeId to) =>
        string.Join(" ", cut[to]!.Incoming.Single(channel => channel.From == from).Contents.Select(message => new Key(message.Body)));

    public static string State(this Cut cut, NodeId node) => new Key(cut[node]!.State).ToString();

    public static Model Model(
        Topology topology,
        Budgets budgets,
        ChannelOrder order = ChannelOrder.Fifo,
        ChandyLamportMutation mutation = ChandyLamportMutation.None,
        params IReadOnlyList<(NodeId Node, Process.Command Command)> submissions) => new Model
        {
            Nodes = [.. topology.Members],
            Make = node => new Process(node, topology, new ChandyLamportOptions { Order = order, Mutation = mutation }, new BankBranch(topology.Members.Contains(node) ? 9 : 0)),
            Messages = new Process.MessageWire(),
            Records = new Process.RecordWire(),
            NameTimer = timer => ((Process.Timer)timer.Kind).ToString(),
            Submissions = [.. submissions.Select(item => new Submission<Process.Command>(item.Node, item.Command))],
            AlwaysLost = message => message is Process.Message.Ack,
            Budgets = budgets,
        }
        .Always(Process.CutConsistency, world => Cuts(world).All(cut => cut.Inconsistency() is null))
        .Always(Process.Conservation, world => Cuts(world).All(cut => BankBranch.Money(cut) == 9 * topology.Members.Count))
        .Always(Process.CutIsPast, IsPast);

    public static IEnumerable<Cut> Cuts(World world) => world.Nodes.Select(node => ((Process)node.Protocol).Latest).OfType<Cut>();

    public static bool HasMoneyIn(World world, NodeId from, NodeId to) => Cuts(world).Any(cut => cut.In(from, to).Length > 0);

    /// <summary>Processes and channels of this world, or of the cut, as one text.</summary>
    public static string Describe(Topology topology, World world) => string.Join(
        " ",
        topology.Members.Select(node => new Key(Application(world, node).Save()).ToString()).Concat(topology.Channels.Select(edge =>
            $"[{string.Join(",", ((Process)world[edge.From].Protocol).Unacknowledged(edge.To).Where(message => message.Number > ((Process)world[edge.To].Protocol).ReceivedFrom(edge.From)))}]")));

    public static string Describe(Topology topology, Cut cut) => string.Join(
        " ",
        topology.Members.Select(cut.State).Concat(topology.Channels.Select(edge =>
            $"[{string.Join(",", cut[edge.To]!.Incoming.Single(channel => channel.From == edge.From).Contents)}]")));

    private static bool IsPast(World world) => Cuts(world).All(cut => cut.Pieces.All(piece =>
    {
        var process = (Process)world[piece.Process].Protocol;
        return piece.Sent.All(sent => process.SentTo(sent.To) >= sent.Count)
            && piece.Incoming.All(channel => process.ReceivedFrom(channel.From) >= channel.Received);
    }));

    private static BankBranch Application(World world, NodeId node)
    {
        var writer = new CodecWriter();
        world[node].Protocol.State(new StateWriter(writer));
        var branch = new BankBranch(0);
        Invariant.Check(branch.TryLoad(new CodecReader(writer.ToArray()).Bytes()), Process.StatesLoad);
        return branch;
    }
}
