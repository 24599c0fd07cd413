using Synod.Core;
using Synod.Lab.Hunts;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>Members and quorums change under load and faults; then the faults stop, and the last members must agree on something new.</summary>
public sealed class EpochSimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_slot_has_one_command_whoever_decides_it()
    {
        var (agreed, adopted, epochs, crashes) = (0, 0, 0L, 0L);
        for (var seed = 0ul; seed < 25; seed++)
        {
            var world = new ReconfigurationWorld(seed);
            world.Run(Duration.FromSeconds(6), Duration.FromSeconds(60));
            (agreed, adopted, epochs, crashes) = (agreed + world.Agreed, adopted + world.Adopted, epochs + world.Epoch, crashes + world.Crashes);
        }

        output.WriteLine($"{agreed} slots, {adopted} changes told, {epochs} epochs, {crashes} crashes");
        Assert.True(agreed > 3_000 && adopted > 50 && epochs > 80 && crashes > 30, "the runs are too tame");
    }

    /// <summary>Scenario 7: three members, five, three others, and a crash at each step; whoever was removed stays up and disturbs.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void From_three_to_five_to_three_others_with_a_crash_at_each_step(int crashing)
    {
        for (var seed = 0ul; seed < 4; seed++)
        {
            var node = new NodeId(crashing);
            var acts = Enumerable.Range(1, 20).Select(step => (
                Duration.FromMilliseconds(200 * step),
                (Action<ISimulatedCluster>)(cluster =>
                {
                    cluster.Crash(node);
                    cluster.StartAfter(node, Duration.FromMilliseconds(60));
                })));
            var world = new ReconfigurationWorld(
                seed,
                [SizedQuorums.Majority(TestCluster.Members(5)), SizedQuorums.Majority(NodeSet.Of(new(3), new(4), new(5)))],
                new FaultPlan { Faults = [new Script("crash at each step", [.. acts])] });
            world.Run(Duration.FromSeconds(5), Duration.FromSeconds(60));
            Assert.True(world.Epoch > 2 && world.Crashes > 15, $"epoch {world.Epoch}, {world.Crashes} crashes");
        }
    }

    [Fact]
    public void A_seed_gives_the_same_run_again()
    {
        static string Trace()
        {
            var text = new StringWriter();
            new ReconfigurationWorld(3, trace: text).Run(Duration.FromSeconds(1), Duration.FromSeconds(60));
            return text.ToString();
        }

        Assert.Equal(Trace(), Trace());
    }

    public static TheoryData<string> Bugs => [.. ReconfigurationBugs.All.Select(bug => bug.Name)];

    /// <summary>Each breaks safety: a group that comes to a standstill would be found too, and does not count.</summary>
    [Theory]
    [MemberData(nameof(Bugs))]
    public void Random_worlds_find_the_mistake(string name)
    {
        var bug = ReconfigurationBugs.All.Single(item => item.Name == name);
        for (var seed = 0ul; seed < 60; seed++)
        {
            if (bug.Run(seed) is { Invariant: not "Liveness" } failure)
            {
                output.WriteLine(failure.Message);
                return;
            }
        }

        Assert.Fail("no world shows it");
    }

    [Fact]
    public void Every_mutation_is_hunted() => Assert.Equal(Enum.GetValues<EpochMutation>().Length - 1, ReconfigurationBugs.All.Count);
}
