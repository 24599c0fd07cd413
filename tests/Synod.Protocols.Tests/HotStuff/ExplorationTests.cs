using Synod.Exploration;
using Synod.Lab.Worlds;
using Xunit;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>
/// Every order of deliveries while one member of four runs twice and leads the first view: two blocks of one view, and what follows, as
/// far as so many steps go. Basic HotStuff needs most of them for the reports of n - f members to two leaders, so that nobody knows both blocks yet.
/// </summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("hotstuff-basic", 9, 11_011, false)]
    [InlineData("hotstuff-chained", 7, 936, true)]
    [InlineData("hotstuff-2", 7, 2_233, true)]
    [InlineData("jolteon", 7, 936, true)]
    public void A_leader_that_runs_twice_breaks_nothing(string rules, int depth, int states, bool meetsBoth)
    {
        var group = HotStuffGroup.Of(4, HotStuffGroup.Rules(rules), threshold: true);
        var model = HotStuffTwins.Members(group, commands: 1, others: 1) with { Budgets = new Budgets { MaxDepth = depth } };
        var result = model.Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Equal(meetsBoth, result.Unreached.Count == 0);
        Assert.Equal(states, result.States);
    }
}
