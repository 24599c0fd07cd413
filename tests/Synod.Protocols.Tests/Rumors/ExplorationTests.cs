using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Gossip;
using Xunit;
using static Synod.Protocols.Tests.Rumors.Town;

namespace Synod.Protocols.Tests.Rumors;

using Mongering = Synod.Protocols.Gossip.Rumors;
using Model = Model<Synod.Protocols.Gossip.Rumors.Message, RumorRecord, RumorCommand, RumorResult>;
using World = World<Synod.Protocols.Gossip.Rumors.Message, RumorRecord, RumorCommand, RumorResult>;

/// <summary>Every run of a few rumors. The numbers of states are part of the claim: a change of them wants a reason.</summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(RumorStyle.Push, 2, 1, 1_800)]
    [InlineData(RumorStyle.PushPull, 2, 0, 2_340)]
    public void Two_writers_and_three_nodes(RumorStyle style, int rounds, int duplicates, int states) => Explore(
        Model(style, new Budgets { Timers = rounds, Duplicates = duplicates }, RumorsMutation.None)
            .Sometimes("both known to all", world => Knows(world, B, First(A)) && Knows(world, C, First(A)) && Knows(world, C, First(B)))
            .Sometimes("cold", world => Process(world, A) is { Hot: 0, Counter: 1 }),
        states);

    [Fact]
    public void An_origin_that_crashes_gives_no_id_a_second_body() => Explore(
        Model(RumorStyle.Push, new Budgets { Timers = 2, Crashes = 1, MayCrash = NodeSet.Of(A) }, RumorsMutation.None, 2)
            .Sometimes("told after a crash", world => world.Crashes == 1 && Knows(world, B, First(A)))
            .Eventually("promised is told", world => !world[A].Answers.Any(answer => answer.Value is RumorResult.Started { Id.Counter: 1 }) || Knows(world, B, First(A))),
        states: 401);

    [Theory]
    [InlineData("VersionsWithoutOrigin", "TwoWriters")]
    [InlineData("DeliveredAgain", Mongering.DeliveredOnce)]
    [InlineData("SpreadBeforeDurable", Mongering.OneBody)]
    [InlineData("CounterForgotten", Mongering.SpreadsWhatItKnows)]
    [InlineData("OwnForgotten", "promised is told")]
    public void The_explorer_finds_the_mistake(string name, string property)
    {
        var mutation = Enum.Parse<RumorsMutation>(name);
        var result = Of(mutation).Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
        Assert.Contains(property, result.Counterexample.Property, StringComparison.Ordinal);
        Assert.Null(Of(RumorsMutation.None).Explore().Counterexample);

        Model Of(RumorsMutation made)
        {
            var budgets = new Budgets { Timers = 2, MaxStates = 20_000, Duplicates = mutation == RumorsMutation.DeliveredAgain ? 1 : 0, Crashes = mutation is RumorsMutation.VersionsWithoutOrigin or RumorsMutation.DeliveredAgain ? 0 : 1, MayCrash = NodeSet.Of(A) };
            var model = Model(RumorStyle.Push, budgets, made, mutation == RumorsMutation.VersionsWithoutOrigin ? 3 : 2);
            return mutation == RumorsMutation.OwnForgotten
                ? model.Eventually("promised is told", world => !world[A].Answers.Any(answer => answer.Value is RumorResult.Started { Id.Counter: 1 }) || Knows(world, B, First(A)))
                : model;
        }
    }

    private static Model Model(RumorStyle style, Budgets budgets, RumorsMutation mutation, int nodes = 3)
    {
        NodeId[] all = [.. Enumerable.Range(1, nodes).Select(number => new NodeId(number))];
        IReadOnlyList<Submission<RumorCommand>> submissions = nodes == 2
            ? [new(A, Spread("x")), new(A, Spread("y"))]
            : [new(A, Spread("x")), new(B, Spread("y"))];
        return new Model
        {
            Nodes = all,
            Make = node => new Mongering(node, Options(style, k: 1) with { Mutation = mutation }, PeerView.Of(all)),
            Messages = new Mongering.MessageWire(),
            Records = new RumorRecordWire(),
            Commands = new RumorCommandWire(),
            Results = new ResultWire(),
            ChoiceLimit = 2,
            Submissions = submissions,
            Budgets = budgets,
        }
        .Always(Mongering.DeliveredOnce, world => world.Crashes > 0 || world.Nodes.All(node => Learned(node).Select(rumor => rumor.Id).Distinct().Count() == Learned(node).Count()))
        .Always(Mongering.OneBody, world => world.Nodes.SelectMany(node => Learned(node).Concat(node.Durable.OfType<RumorRecord.Started>().Select(started => started.Rumor))).Select(rumor => $"{rumor}").Distinct().GroupBy(text => text.Split(':')[0]).All(group => group.Count() == 1))
        .Always("TwoWriters", world => world.Nodes.All(node => ((Mongering)node.Protocol).Counter == 0 || !Knows(node, node.Id == A ? First(B) : First(A))
            || Learned(node).Any(rumor => rumor.Id.Origin != node.Id)));
    }

    private static IEnumerable<Rumor> Learned(NodeView<Mongering.Message, RumorRecord, RumorCommand, RumorResult> node) =>
        node.Executions.Select(executed => ((RumorCommand.Learn)executed.Command).Rumor);

    private static Mongering Process(World world, NodeId node) => (Mongering)world[node].Protocol;

    private static bool Knows(World world, NodeId node, RumorId id) => Process(world, node).Knows(id);

    private static bool Knows(NodeView<Mongering.Message, RumorRecord, RumorCommand, RumorResult> node, RumorId id) => ((Mongering)node.Protocol).Knows(id);

    private void Explore(Model model, int states)
    {
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    /// <summary>All that is told here is what was started.</summary>
    private sealed class ResultWire : IWire<RumorResult>
    {
        public void Write(CodecWriter writer, RumorResult value) => RumorId.Wire.Instance.Write(writer, ((RumorResult.Started)value).Id);

        public RumorResult Read(ref CodecReader reader) => new RumorResult.Started(RumorId.Wire.Instance.Read(ref reader));
    }
}
