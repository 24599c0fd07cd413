using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Model = Model<Snapshots.ChandyLamport.Message, Snapshots.ChandyLamport.Record, Snapshots.ChandyLamport.Command, Snapshots.ChandyLamport.Result>;
using Process = Snapshots.ChandyLamport;

/// <summary>
/// Every run in which the topology changes while a snapshot runs and money moves (snapshots.md §3). Each cut is of one epoch, consistent, and
/// holds all the money; whatever the change ended, or did not reach, has ended everywhere in the end.
/// </summary>
public sealed class ChangeTests(ITestOutputHelper output)
{
    private static readonly Topology s_pair = Topology.Mesh(1, NodeSet.Of(A, B));
    private static readonly Topology s_oneWay = new(1, NodeSet.Of(A, B), [new Edge(A, B)]);
    private static readonly Topology s_alone = new(1, NodeSet.Of(A), []);

    /// <summary>B's money is in the channel that closes, or it is not sent any more.</summary>
    [Theory]
    [InlineData(ChannelOrder.Fifo, 4_051)]
    [InlineData(ChannelOrder.Unordered, 17_301)]
    public void A_channel_closes(ChannelOrder order, int states) => Explore(
        Model(s_pair, order, (A, Begin), (A, Enter(s_oneWay)), (A, Begin), (B, Transfer(1, A)), (B, Enter(s_oneWay)))
            .Sometimes("money in the channel", world => Cuts(world).Any(cut => cut.InChannels.Any())),
        states);

    /// <summary>B's money may be in the new channel before A has entered the epoch that has it.</summary>
    [Theory]
    [InlineData(ChannelOrder.Fifo, 2_250)]
    [InlineData(ChannelOrder.Unordered, 4_128)]
    public void A_channel_opens(ChannelOrder order, int states) => Explore(
        Model(s_oneWay, order, (A, Begin), (A, Enter(s_pair)), (A, Begin), (B, Enter(s_pair)), (B, Transfer(1, A)))
            .Sometimes("money in the channel", world => Cuts(world).Any(cut => cut.InChannels.Any())),
        states);

    /// <summary>C comes from outside, with nothing. What is sent to it waits until it is a member.</summary>
    [Theory]
    [InlineData(ChannelOrder.Fifo, 130_960)]
    [InlineData(ChannelOrder.Unordered, 332_281)]
    public void A_member_joins(ChannelOrder order, int states) => Explore(
        Model(s_pair, order, (A, Begin), (A, Enter(Ring)), (B, Enter(Ring)), (B, Transfer(1, C)), (C, Enter(Ring)), (C, Begin)),
        states);

    /// <summary>
    /// B gives its money away and goes, when A has what it sent. A enters after that: what came later would come from outside.
    /// </summary>
    [Theory]
    [InlineData(ChannelOrder.Fifo, 69_087)]
    [InlineData(ChannelOrder.Unordered, 186_877)]
    public void A_member_leaves(ChannelOrder order, int states) => Explore(
        Model(s_pair, order, (A, Begin), (A, Enter(s_alone)), (A, Begin), (B, Transfer(9, A)), (B, Enter(s_alone))) with
        {
            AlwaysLost = null,
            SubmitWhen = (process, command) => command is not Process.Command.Reconfigure
                || (((Process)process).ReceivedFrom(B) == 1) || ((Process)process).SentTo(A) == 1,
        },
        states);

    private static Process.Command.Reconfigure Enter(Topology topology) => new(topology with { Epoch = 2 }, default);

    private static Model Model(
        Topology before, ChannelOrder order, params IReadOnlyList<(NodeId Node, Process.Command Command)> submissions) =>
        (Branches.Model(before, new Budgets { Timers = 0, MaxStates = 1_500_000 }, order, submissions: submissions) with
        {
            Nodes = [.. submissions.Select(item => item.Node).Distinct().Order()],
        })
        .Sometimes("a cut before", world => Cuts(world).Any(cut => cut.Topology.Epoch == 1))
        .Sometimes("a cut after", world => Cuts(world).Any(cut => cut.Topology.Epoch == 2))
        .Eventually("ended", world => world.Nodes.All(node => ((Process)node.Protocol).Recordings.Count == 0));

    private void Explore(Model model, int states)
    {
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }
}
