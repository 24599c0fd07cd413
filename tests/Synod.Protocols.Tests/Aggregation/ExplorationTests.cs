using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Aggregation.Sum;

namespace Synod.Protocols.Tests.Aggregation;

using Model = Model<Synod.Protocols.Gossip.Aggregation.Message, Synod.Protocols.Gossip.Aggregation.Record, Synod.Protocols.Gossip.Aggregation.Command, Synod.Protocols.Gossip.Aggregation.Result>;
using Process = Synod.Protocols.Gossip.Aggregation;

/// <summary>Every run of a few rounds. The numbers of states are part of the claim: a change of them wants a reason.</summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(2, 4, 1, 3_743)]
    [InlineData(2, 5, 0, 11_740)]
    [InlineData(3, 4, 0, 8_588)]
    public void Mass_is_conserved_whatever_is_lost_late_or_doubled(int nodes, int rounds, int duplicates, int states)
    {
        var result = Made(nodes, rounds, duplicates, AggregationMutation.None)
            .Sometimes("all in one epoch", world => world.Nodes.All(node => Of(node) is { TakesPart: true, Epoch: 1 }))
            .Sometimes("an epoch later", world => rounds < 5 || world.Nodes.Any(node => Of(node).Epoch == 2))
            .Sometimes("on its way", world => world.Nodes.Any(node => Of(node).Unacknowledged.Count() > 1))
            .Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    [Theory]
    [InlineData("SentIsKept")]
    [InlineData("SentOnce")]
    [InlineData("DuplicatesAdded")]
    [InlineData("StaleAdded")]
    public void The_explorer_finds_the_mistake(string name)
    {
        var result = Made(2, 6, 1, Enum.Parse<AggregationMutation>(name)).Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
        Assert.Contains(Process.MassConservation, result.Counterexample.Property, StringComparison.Ordinal);
    }

    private static Model Made(int count, int rounds, int duplicates, AggregationMutation mutation)
    {
        NodeId[] all = [.. Enumerable.Range(1, count).Select(number => new NodeId(number))];
        return new Model
        {
            Nodes = all,
            Make = node => new Process(node, Options with { EpochRounds = 2, ResendRounds = 1, Mutation = mutation }, PeerView.Of(all)),
            Messages = new Process.MessageWire(),
            Records = new Process.RecordWire(),
            NameTimer = _ => "Round",
            Submissions = [new(A, Observe(3)), new(B, Observe(4))],
            SettledSubmissions = 2,
            ChoiceLimit = 2,
            Budgets = new Budgets { Timers = rounds, Duplicates = duplicates, MaxStates = 300_000 },
        }
        .Always(Process.MassConservation, world => new MassLedger().Imbalance([.. world.Nodes.Select(node => (node.Id, Of(node)))]) is null);
    }

    private static Process Of(NodeView<Process.Message, Process.Record, Process.Command, Process.Result> node) => (Process)node.Protocol;
}
