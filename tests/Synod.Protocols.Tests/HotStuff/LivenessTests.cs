using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>Rotation of leaders with one of four members down (hotstuff.md §6, the trap of consecutive leaders).</summary>
public sealed class LivenessTests
{
    [Theory]
    [InlineData("hotstuff-basic", 1)]
    [InlineData("hotstuff-chained", 2)]
    [InlineData("hotstuff-2", 1)]
    [InlineData("jolteon", 1)]
    public void Every_rule_set_commits_with_one_of_four_down(string rules, int viewsEach)
    {
        foreach (var down in new[] { HotStuffGroup.N1, HotStuffGroup.N4 })
        {
            var run = WithoutOne(rules, viewsEach, down);
            Assert.True(run.Completed >= 10, $"{rules} without {down}: {run.Completed}");
            run.CheckAgreement();
        }
    }

    /// <summary>Every fourth view goes to the dead one, and four in a row are needed: certificates form, and nothing is ever committed.</summary>
    [Fact]
    public void A_chain_of_three_never_commits_if_each_leader_has_one_view()
    {
        var run = WithoutOne("hotstuff-chained", 1, HotStuffGroup.N4);
        Assert.Equal((0, 0), (run.Completed, run.Agreed));
        Assert.True(run.Replicas[HotStuffGroup.N1].High.View > 20);
    }

    private static HotStuffWorld WithoutOne(string rules, int viewsEach, NodeId down)
    {
        var group = HotStuffGroup.Of(4, HotStuffGroup.Rules(rules), viewsEach).With(options => options with
        {
            ViewTimeout = Duration.FromMilliseconds(100), LongestTimeout = Duration.FromMilliseconds(400),
        });
        var run = new HotStuffWorld(1, FaultPlan.Calm, group, clients: 3);
        run.World.RunUntil(Duration.FromMilliseconds(50));
        run.Cluster.Crash(down);
        run.StartClients();
        run.World.RunUntil(Duration.FromSeconds(30));
        return run;
    }
}
