using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Tests.Byzantine;
using Xunit;

namespace Synod.Protocols.Tests.Exploration;

/// <summary>Schedules by rounds, held against a protocol so naive that what happens can be said beforehand.</summary>
public sealed class RoundTests
{
    private static readonly NodeId[] Nodes = [new(1), new(2), new(3)];
    private static readonly Partition Whole = new([NodeSet.Of(Nodes)]);
    private static readonly ImmutableArray<NodeId> InTurn = [.. Nodes, .. Nodes];

    /// <summary>The Bell numbers, and their parts with at most two sides.</summary>
    [Theory]
    [InlineData(3, 3, 5)]
    [InlineData(4, 4, 15)]
    [InlineData(5, 5, 52)]
    [InlineData(5, 2, 16)]
    [InlineData(5, 1, 1)]
    public void Every_partition_is_listed_once(int nodes, int sides, int count)
    {
        var members = Enumerable.Range(1, nodes).Select(number => new NodeId(number)).ToArray();
        var partitions = Partition.All(members, sides);
        Assert.Equal(count, partitions.Count);
        Assert.Equal(count, partitions.Select(partition => string.Join("|", partition.Sides.Select(side => side.ToString()).Order())).Distinct().Count());
        Assert.All(partitions, partition => Assert.Equal(nodes, partition.Sides.Sum(side => side.Count)));
        Assert.Equal(NodeSet.Of(members), Assert.Single(partitions[0].Sides));
    }

    [Fact]
    public void Leaders_are_drawn_when_somebody_asks()
    {
        // The leader of a round is asked for at the end of the one before.
        var result = Drawing([]).Explore();
        Assert.Null(result.Counterexample);
        Assert.Equal((9 + 27, 9 + 27), (result.States, (int)result.Moves));
        Assert.Empty(result.Unreached);
    }

    [Fact]
    public void Worlds_that_differ_in_names_of_nodes_that_are_alike_are_one()
    {
        // The decree names who leads first; who is asked for later is n1, the same or another one.
        var result = Drawing([Nodes[1], Nodes[2]]).Explore();
        Assert.Null(result.Counterexample);
        Assert.Equal((9, 5), ((int)result.Moves, result.States));
    }

    private static RoundModel<string, string, string, string> Drawing(IReadOnlyList<NodeId> alike)
    {
        var draw = new LeaderDraw(Nodes);
        var model = Model([Whole], rounds: alike.Count > 0 ? 1 : 2);
        model = model with
        {
            Model = model.Model with { Make = node => new Decree(node, round => draw.LeaderOf(round)) },
            Leaders = draw,
            Alike = [alike],
        };
        return alike.Count == 0 ? model : model with { Essence = new Names() };
    }

    private static NodeId NodeOf(string name) => new(int.Parse(name.AsSpan(1), CultureInfo.InvariantCulture));

    [Fact]
    public void A_network_that_is_whole_has_one_world_a_round()
    {
        var result = Model([Whole], rounds: 4).Explore();
        Assert.Null(result.Counterexample);
        Assert.Equal((4, 4L, 4), (result.States, result.Moves, result.Depth));
        Assert.True(result.IsComplete);
        Assert.Empty(result.Unreached);
    }

    /// <summary>In the first round the leader is heard by nobody else, one, the other, or both: four worlds from five partitions.</summary>
    [Fact]
    public void Partitions_that_come_out_equal_go_on_as_one()
    {
        var result = Model(Partition.All(Nodes, 3), rounds: 1).Explore();
        Assert.Null(result.Counterexample);
        Assert.Equal((4, 5L), (result.States, result.Moves));
    }

    [Fact]
    public void A_split_shows_the_naive_protocol_wrong_in_two_rounds()
    {
        var result = Model(Partition.All(Nodes, 2), rounds: 4).Explore();
        Assert.NotNull(result.Counterexample);
        Assert.Equal("Agreement", result.Counterexample.Property);
        Assert.Equal(3, result.Counterexample.Steps.Count);
        Assert.StartsWith("round 1: {n1", result.Counterexample.Steps[1].Action, StringComparison.Ordinal);
        var drawn = Model(Partition.All(Nodes, 2), rounds: 4).Wander(1, 100);
        Assert.NotNull(drawn.Counterexample);
        Assert.Equal(drawn.ToString(), Model(Partition.All(Nodes, 2), rounds: 4).Wander(1, 100).ToString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Whoever_shares_the_last_round_finds_the_first_fault(int jobs)
    {
        // One that merges nothing in its last round comes to the same fault on the same way.
        var whole = Model(Partition.All(Nodes, 2), rounds: 2).Explore();
        var shared = RoundExplorer.Explore(() => Model(Partition.All(Nodes, 2), rounds: 2) with { OnlyJudgesLast = true }, jobs);
        Assert.NotNull(whole.Counterexample);
        Assert.Equal(whole.Counterexample.ToString(), shared.Counterexample?.ToString());
        Assert.False(shared.IsComplete);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 2)]
    public void What_is_thrown_at_progress_ends_a_search(int jobs, int round)
    {
        var failure = Assert.Throws<OperationCanceledException>(() => RoundExplorer.Explore(
            () => Model([Whole], rounds: 2) with { OnlyJudgesLast = true },
            jobs,
            seen =>
            {
                if (seen.Round == round)
                {
                    throw new OperationCanceledException("enough");
                }
            }));
        Assert.Equal("enough", failure.Message);
    }

    [Fact]
    public void Lies_are_told_within_their_number_and_may_repeat_what_was_said()
    {
        var model = Model([Whole], rounds: 3) with
        {
            Liars = NodeSet.Of(Nodes[0], Nodes[1]),
            Lies = [new("an earlier value", (_, earlier) => earlier.Count > 0 ? earlier[0] : null)],
        };
        Assert.Equal(3, (model with { MaxLies = 0 }).Explore().States);

        // In round 2 the proposal is, or is not, that of round 1, which is stale by then and changes nothing at those who decided.
        var result = (model with { MaxLies = 1 }).Explore();
        Assert.Null(result.Counterexample);
        Assert.Equal((1 + 2 + 2, 2 + 2 + 3), (result.States, (int)result.Moves));
    }

    private static RoundModel<string, string, string, string> Model(IReadOnlyList<Partition> partitions, int rounds) => new()
    {
        Model = new Model<string, string, string, string>
        {
            Nodes = Nodes,
            Make = node => new Decree(node, round => InTurn[round]),
            Messages = new Echo.Wire(),
            Records = new Echo.Wire(),
        }
        .Always("Agreement", world => world.Nodes.Select(node => ((Decree)node.Protocol).Decided).Where(item => item != "").Distinct().Count() < 2)
        .Sometimes("decided", world => world.Nodes.All(node => ((Decree)node.Protocol).Decided != "")),
        Rounds = rounds,
        Partitions = partitions,
        RoundOf = message => Decree.RoundOf(message),
        Expires = (protocol, _, round) => ((Decree)protocol).Round <= round,
    };

    /// <summary>What is decreed, as the name of a node.</summary>
    private sealed class Names : PartwiseEssence<string, string, string, string>
    {
        public override void Write(CodecWriter writer, Protocol<string, string, string, string> node) =>
            writer.Node(((Decree)node).Decided is { Length: > 0 } decided ? NodeOf(decided) : NodeId.None);

        public override void Write(CodecWriter writer, string message)
        {
            writer.Signed(Decree.RoundOf(message));
            writer.Node(NodeOf(message.Split(':')[1]));
        }
    }

    /// <summary>The leader of a round decrees its own name unless it knows of a decree, and everyone believes the first it hears.</summary>
    private sealed class Decree(NodeId self, Func<int, NodeId> leaderOf) : Protocol<string, string, string, string>
    {
        private string _decided = "";
        private int _round;

        public string Decided => _decided;

        public int Round => _round;

        public static long RoundOf(string message) => long.Parse(message.Split(':')[0], CultureInfo.InvariantCulture);

        public override void State(StateVisitor visitor)
        {
            visitor.Visit("round", ref _round);
            visitor.Visit("decided", ref _decided);
        }

        public override void CheckInvariants()
        {
        }

        protected override void OnRecover(IEnumerable<string> records, StepContext context, Outbox<string, string, string, string> outbox) =>
            OnFire(default, context, outbox);

        protected override void OnReceive(NodeId from, string message, StepContext context, Outbox<string, string, string, string> outbox) =>
            _decided = _decided == "" ? message.Split(':')[1] : _decided;

        protected override void OnFire(TimerId timer, StepContext context, Outbox<string, string, string, string> outbox)
        {
            outbox.SetTimer(new TimerId(1), context.Now);
            if (leaderOf(_round++) == self)
            {
                outbox.Send(NodeSet.Of(Nodes), $"{_round}:{(_decided == "" ? self : _decided)}");
            }
        }

        protected override void OnSubmit(
            RequestId request, string command, StepContext context, Outbox<string, string, string, string> outbox)
        {
        }
    }
}
