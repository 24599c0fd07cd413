using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Process = Snapshots.ChandyLamport;

/// <summary>Every run of a small bank (snapshots.md §7). The numbers of states are part of the claim: a change of them wants a reason.</summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    private static readonly Topology s_pair = Topology.Mesh(1, NodeSet.Of(A, B));

    [Theory]
    [InlineData(ChannelOrder.Fifo, 54_761)]
    [InlineData(ChannelOrder.Unordered, 128_032)]
    public void Every_cut_of_three_branches_is_a_state_that_the_bank_can_be_in(ChannelOrder order, int states)
    {
        var (seen, cuts) = (new HashSet<string>(), new HashSet<string>());
        var model = Model(Mesh, new Budgets(), order, submissions: [(A, Begin), (B, Transfer(1, A)), (C, Transfer(2, B))])
            .Sometimes("money in a channel", world => HasMoneyIn(world, B, A))
            .Sometimes("money in another", world => HasMoneyIn(world, C, B))
            .Sometimes("none", world => Cuts(world).Any(cut => !cut.InChannels.Any()))
            .Always("noted", world =>
            {
                seen.Add(Describe(Mesh, world));
                cuts.UnionWith(Cuts(world).Select(cut => Describe(Mesh, cut)));
                return true;
            });
        Explore(model, states);
        output.WriteLine($"{seen.Count} states of the bank, {cuts.Count} of them cuts");
        Assert.Equal(9, seen.Count);
        Assert.Equal(seen.Order(StringComparer.Ordinal), cuts.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(ChannelOrder.Fifo, 51_549)]
    [InlineData(ChannelOrder.Unordered, 13_675)]
    public void Two_initiators_at_once_take_two_consistent_cuts(ChannelOrder order, int states) => Explore(
        Model(s_pair, new Budgets(), order, submissions: order == ChannelOrder.Fifo ? [(A, Begin), (A, Transfer(1, B)), (B, Begin), (B, Transfer(2, A))] : [(A, Begin), (B, Begin), (B, Transfer(2, A))])
            .Sometimes("both", world => Cuts(world).Count() == 2)
            .Sometimes("two different cuts", world =>
                Cuts(world).Count() == 2 && Cuts(world).Select(cut => Describe(s_pair, cut)).Distinct().Count() == 2)
            .Eventually("both in the end", world => Cuts(world).Count() == 2),
        states);

    [Theory]
    [InlineData(ChannelOrder.Fifo, 4_237)]
    [InlineData(ChannelOrder.Unordered, 7_332)]
    public void A_crash_takes_nothing_back_that_a_cut_tells(ChannelOrder order, int states) => Explore(
        Model(s_pair, new Budgets { Crashes = 1, PartialWrites = true }, order, submissions: [(A, Begin), (A, Transfer(2, B)), (B, Transfer(1, A))])
            .Sometimes("a cut after a crash", world => world.Crashes == 1 && Cuts(world).Any())
            .Sometimes("money in a channel", world => HasMoneyIn(world, B, A)),
        states);

    [Fact]
    public void Given_up_or_complete_a_snapshot_ends_everywhere() => Explore(
        Model(Ring, new Budgets { Timers = 0, TimersOfKind = new SortedDictionary<int, int> { [Limit] = 1 } }, submissions: [(A, Begin), (B, Transfer(1, C))])
            .Sometimes("given up", world => ((Process)world[A].Protocol).Latest is null && world[A].Timers.Count == 1)
            .Eventually("ended", world => world.Nodes.All(node => ((Process)node.Protocol).Recordings.Count == 0)),
        states: 1_060);

    private void Explore(
        Model<Process.Message, Process.Record, Process.Command, Process.Result> model, int states)
    {
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }
}
