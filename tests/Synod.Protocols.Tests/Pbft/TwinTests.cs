using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;

namespace Synod.Protocols.Tests.Pbft;

/// <summary>Schedules of splits by rounds with one replica of four running twice (Bano et al. 2021), whichever it is.</summary>
public sealed class TwinTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 1_073)]
    [InlineData(2, 468)]
    [InlineData(3, 483)]
    [InlineData(4, 482)]
    public void One_twin_of_four_breaks_nothing_in_any_schedule_of_two_rounds(int twin, int states)
    {
        var result = PbftTwins.Model(new NodeId(twin), rounds: 2, sides: 5).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    [Theory]
    [InlineData(1, 11_962)]
    [InlineData(2, 13_062)]
    [InlineData(3, 12_508)]
    [InlineData(4, 14_018)]
    public void One_twin_of_four_breaks_nothing_in_any_schedule_of_four_rounds_of_two_sides(int twin, int states)
    {
        var result = PbftTwins.Model(new NodeId(twin), rounds: 4).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
        Assert.True(result.IsComplete);
        Assert.Equal(states, result.States);
    }

    [Theory]
    [InlineData(1, 10_325)]
    [InlineData(2, 10_608)]
    public void Nor_if_in_one_of_three_rounds_it_alters_a_message(int twin, int states)
    {
        var result = PbftTwins.Model(new NodeId(twin), rounds: 3, lies: 1).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Equal(states, result.States);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 1)]
    public void Seven_rounds_at_random_break_nothing(int twin, int lies)
    {
        var result = PbftTwins.Model(new NodeId(twin), rounds: 7, lies: lies).Wander(seed: 7, schedules: 400);
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
    }

    /// <summary>A twin is as good as a liar: with quorums of 2f one round is enough for it.</summary>
    [Fact]
    public void With_small_quorums_a_twin_of_the_primary_makes_two_decisions()
    {
        var result = PbftTwins.Model(Quartet.A, rounds: 1, mutation: PbftMutation.SmallQuorums).Explore();
        output.WriteLine(result.ToString());
        Assert.Equal(PbftReplica.Agreement, result.Counterexample?.Property);
    }
}
