using Synod.Core;
using Synod.Lab.Worlds;
using Xunit;

namespace Synod.Protocols.Tests.Plumtree;

/// <summary>30 to 80 of a hundred nodes die in the middle of a stream: every survivor is handed everything, once, and the tree is mended (gossip.md §7).</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void Survivors_are_handed_everything_once_and_the_tree_mends()
    {
        var (delivered, killed, grafts) = (0, 0, 0L);
        for (var seed = 0ul; seed < 40; seed++)
        {
            var world = new PlumtreeWorld(seed, PlumtreeWorld.Options);
            world.Run();
            (delivered, killed, grafts) = (delivered + world.Delivered, killed + world.Killed, grafts + world.Grafts);
        }

        output.WriteLine($"{delivered} delivered, {killed} killed, {grafts} grafts");
        Assert.True(delivered > 20_000 && killed > 300 && grafts > 100, "the runs are too tame");
    }

    [Fact]
    public void So_they_are_beside_liars()
    {
        for (var seed = 0ul; seed < 8; seed++)
        {
            var world = new PlumtreeWorld(seed, PlumtreeWorld.Options, hasLiars: true);
            world.Run();
            Assert.All(
                [Refusal.Forged, Refusal.NotMember, Refusal.Malformed, Refusal.NotReady],
                refusal => Assert.True(world.Refusals(refusal) > 0));
        }
    }

    [Fact]
    public void So_they_are_among_hundreds()
    {
        var world = new PlumtreeWorld(7, PlumtreeWorld.Options, size: 400);
        world.Run(leastKilled: 50, mostKilled: 50);
        output.WriteLine($"{world.Delivered} delivered, {world.Killed} killed, {world.Grafts} grafts, {world.PayloadsPerNode:0.00} payloads for each node");
        Assert.Equal(200, world.Killed);
    }
}
