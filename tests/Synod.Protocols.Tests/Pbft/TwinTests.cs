using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Xunit;

namespace Synod.Protocols.Tests.Pbft;

/// <summary>Schedules of splits by rounds with one replica of four running twice (Bano et al. 2021), whichever it is.</summary>
public sealed class TwinTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
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

    /// <summary>A twin is as good as a liar: these mistakes of the others are enough for it.</summary>
    [Theory]
    [InlineData("SmallQuorums")]
    [InlineData("OmitDigestComparison")]
    public void With_a_mistake_a_twin_of_the_primary_makes_two_decisions(string mutation)
    {
        var result = PbftTwins.Model(Quartet.A, rounds: 3, mutation: Enum.Parse<Protocols.Byzantine.PbftMutation>(mutation)).Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
    }
}
