using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Plumtree.Grove;

namespace Synod.Protocols.Tests.Plumtree;

using Model = Model<Synod.Protocols.Gossip.Plumtree.Message, RumorRecord, RumorCommand, RumorResult>;
using Tree = Synod.Protocols.Gossip.Plumtree;

/// <summary>Every run of two payloads among three neighbours. The numbers of states are part of the claim: a change of them wants a reason.</summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 0, 244)]
    [InlineData(0, 1, 1_312)]
    public void Everybody_is_told_once_whatever_is_lost_or_doubled(int drops, int duplicates, int states)
    {
        var result = Made(drops, duplicates, RumorsMutation.None)
            .Sometimes("pruned", world => Process(world[B]).Lazy.Contains(C))
            .Sometimes("asked", world => world.Network.Any(item => item.Message is Tree.Message.Graft { Id: not null }))
            .Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    [Theory]
    [InlineData("NoGraft", "told")]
    [InlineData("CacheTooShort", "told")]
    public void The_explorer_finds_the_mistake(string name, string property)
    {
        var result = (Made(1, 0, Enum.Parse<RumorsMutation>(name)) with { Budgets = Limits(1, 0, name == "CacheTooShort" ? 1 : 0) }).Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
        Assert.Contains(property, result.Counterexample.Property, StringComparison.Ordinal);
    }

    private static Model Made(int drops, int duplicates, RumorsMutation mutation)
    {
        NodeId[] all = [A, B, C];
        return new Model
        {
            Nodes = all,
            Make = node => new Tree(node, Options with { Mutation = mutation }, PeerView.Of(all)),
            Messages = new Tree.MessageWire(),
            Records = new RumorRecordWire(),
            Commands = new RumorCommandWire(),
            NameTimer = timer => ((Tree.Timer)timer.Kind).ToString(),
            Submissions = [new(A, Spread("x")), new(A, Spread("y"))],
            SettledSubmissions = 1,
            Budgets = Limits(drops, duplicates, 0),
        }
        .Always(Synod.Protocols.Gossip.Rumors.DeliveredOnce, world => world.Nodes.All(node => node.Executions.Select(executed => $"{executed.Command}").Distinct().Count() == node.Executions.Count))
        .Eventually("told", world => world.Nodes.All(node => Process(node).Knows(Id(A, 1)) && (Process(node).Knows(Id(A, 2)) || Process(world[A]).Counter == 1)));
    }

    private static Budgets Limits(int drops, int duplicates, int expiries) => new()
    {
        Drops = drops,
        Duplicates = duplicates,
        TimersOfKind = new SortedDictionary<int, int> { [Batch] = 2, [Graft] = 2, [Expire] = expiries },
        MaxStates = 400_000,
    };

    private static Tree Process(NodeView<Tree.Message, RumorRecord, RumorCommand, RumorResult> node) => (Tree)node.Protocol;
}
