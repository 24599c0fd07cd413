using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Exploration;
using Synod.Protocols.Consensus;
using Xunit;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

using Paxos = Synod.Protocols.Consensus.MultiPaxos;

/// <summary>
/// Every run of three replicas in which a leader with a value under way is challenged by a second ballot, whose own value is the
/// NoOp of its barrier (paxos.md §10). A message that is never delivered is a lost one. With one crash, whose it is splits the
/// runs: every replica has its turn.
/// </summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    private static readonly QuorumSystem Majority = SizedQuorums.Majority(Ballots.Members(3));

    [Theory]
    [InlineData(1, 448_437)]
    [InlineData(2, 360_731)]
    [InlineData(3, 514_453)]
    public void A_challenged_leader_and_a_crash_agree(int crashing, int states)
    {
        var result = Challenge(new Budgets { Crashes = 1, MayCrash = NodeSet.Of(new NodeId(crashing)) }).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    [Fact]
    public void A_challenged_leader_and_a_doubled_message_agree()
    {
        var result = Challenge(new Budgets { Duplicates = 1 }).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(957_283, result.States);
    }

    [Fact]
    public void Two_ballots_from_the_start_agree_for_thirteen_steps()
    {
        var result = Ballots.Model(
            Majority, new Budgets { Crashes = 1, Duplicates = 1, MaxDepth = 13 }, script: Ballots.TwoBallotsTwoValues).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Equal(819_309, result.States);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Long_random_walks_through_every_fault_agree(int seed)
    {
        var faults = new Budgets { Crashes = 1, Duplicates = 2, Drops = 2, Timers = 2 };
        var result = Ballots.Model(Majority, faults, script: Ballots.TwoBallotsTwoValues)
            .Sometimes("b is executed", world => Ballots.Executed(world, 'b'))
            .Sometimes("a is executed", world => Ballots.Executed(world, 'a'))
            .Wander(seed, walks: 5_000, length: 120);
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
    }

    [Theory]
    [InlineData("PromiseBeforeDurable", "OneValueIsChosen", 9)]
    [InlineData("PromiseForgottenOnRestart", "OneValueIsChosen", 10)]
    [InlineData("AcceptedBeforeDurable", "ExecutedIsChosen", 5)]
    [InlineData("OwnVoteBeforeDurable", "ExecutedIsChosen", 5)]
    [InlineData("IgnorePromisedValues", "OneValueIsChosen", 7)]
    [InlineData("BallotReused", "OneValueIsChosen", 10)]
    [InlineData("CommitOverStaleEntry", "ExecutedIsChosen", 11)]
    public void The_explorer_finds_the_mistake(string mutation, string property, int steps)
    {
        var mistake = Enum.Parse<MultiPaxosMutation>(mutation);
        IReadOnlyList<Submission<Paxos.Command>> script = mistake switch
        {
            MultiPaxosMutation.BallotReused => [.. Ballots.TwoBallotsTwoValues, Ballots.Campaign(Ballots.Second)],
            MultiPaxosMutation.CommitOverStaleEntry => Ballots.TwoBallotsTwoValues,
            _ => Ballots.Challenge,
        };
        var crashes = mistake is MultiPaxosMutation.IgnorePromisedValues or MultiPaxosMutation.CommitOverStaleEntry ? 0 : 1;
        var budgets = new Budgets { Crashes = crashes, MaxStates = 2_000_000 };
        var result = Ballots.Model(Majority, budgets, mistake, settled: 1, script).Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
        Assert.Contains(property, result.Counterexample.Property, StringComparison.Ordinal);
        Assert.Equal(steps, result.Counterexample.Steps.Count - 1);
    }

    [Fact]
    public void Quorums_of_two_and_two_among_four_choose_two_values()
    {
        var quorums = new SizedQuorums(Ballots.Members(4), 2, 2);
        Assert.NotNull(quorums.Unsafe());
        var result = Ballots.Model(quorums, new Budgets(), settled: 1, script: Ballots.Challenge).Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
        Assert.Equal("OneValueIsChosen", result.Counterexample.Property);
        Assert.Equal(7, result.Counterexample.Steps.Count - 1);
    }

    private static Model<Paxos.Message, Paxos.Record, Paxos.Command, Paxos.Result> Challenge(Budgets budgets) =>
        Ballots.Model(Majority, budgets, settled: 1, script: Ballots.Challenge)
            .Sometimes("a is chosen in the first ballot", world =>
                Ballots.Chosen(world, Majority).Any(vote => !vote.Value.IsEmpty && vote.Ballot.Node == Ballots.First))
            .Sometimes("a is chosen again in the second ballot", world =>
                Ballots.Chosen(world, Majority).Any(vote => !vote.Value.IsEmpty && vote.Ballot.Node == Ballots.Second))
            .Sometimes("a loses its slot to the second ballot", world =>
                Ballots.Chosen(world, Majority).Any(vote => vote.Slot == new Slot(2) && vote.Value.IsEmpty))
            .Sometimes("both believe to lead", world =>
                world.Nodes.Count(node => Ballots.Instance(node).Role == PaxosRole.Leader) == 2);
}
