using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>All schedules of splits and leaders over some rounds, with one member of four running twice (Bano et al. 2021).</summary>
public sealed class TwinTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("hotstuff-basic", 3, 0)]
    [InlineData("hotstuff-chained", 3, 0)]
    [InlineData("hotstuff-2", 3, 0)]
    [InlineData("jolteon", 3, 0)]
    [InlineData("jolteon", 4, 0)]
    [InlineData("hotstuff-chained", 4, 0)]
    public void One_twin_of_four_breaks_nothing(string rules, int rounds, int states)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var result = HotStuffTwins.Model(HotStuffGroup.Rules(rules), rounds).Explore();
        output.WriteLine($"{watch.Elapsed}: {result}");
        Assert.Null(result.Counterexample);
        Assert.Equal(states, result.States);
    }

    [Fact]
    public void The_vulnerable_rules_are_broken()
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var result = HotStuffTwins.Model(new VulnerableRules(), 6).Wander(1, 20000);
        output.WriteLine($"{watch.Elapsed}: {result}");
        Assert.NotNull(result.Counterexample);
    }
}
