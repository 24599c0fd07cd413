using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.Pbft;

/// <summary>Seeds, faults of machines and links, and replicas that lie; then the faults stop and everything must get done.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    public static TheoryData<string, bool> Lies =>
        [.. PbftLiars.Names.SelectMany(name => new[] { false, true }, (name, codes) => (name, codes))];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Correct_replicas_survive_machines_and_links(bool codes)
    {
        var (views, crashes, stable, reads) = (0L, 0L, 0L, 0);
        for (var seed = 0ul; seed < 30; seed++)
        {
            var group = new PbftWorld(seed, PbftWorld.Brisk with { UsesCodes = codes, ReadsDirectly = seed % 2 == 0 });
            group.Run(Duration.FromSeconds(5), Duration.FromSeconds(240));
            (views, crashes, stable, reads) =
                (views + group.View, crashes + group.Crashes, stable + group.Stable.Value, reads + group.Reads);
        }

        output.WriteLine($"{views} views, {crashes} crashes, {stable} stable slots, {reads} reads");
        Assert.True(views > 20 && crashes > 20 && stable > 1_000 && reads > 1_000, "the runs are too tame");
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_liar_changes_nothing(string lies, bool codes)
    {
        for (var seed = 100ul; seed < 104; seed++)
        {
            var group = new PbftWorld(
                seed, PbftWorld.Brisk with { UsesCodes = codes }, lies, plan: seed % 2 == 0 ? FaultPlan.Calm : null);
            group.Run(Duration.FromSeconds(4), Duration.FromSeconds(240));
            Assert.True(group.Completed > 10);
        }
    }

    /// <summary>§4.1: a primary that does not hear of a client's requests is left although it serves the others.</summary>
    [Fact]
    public void Nobody_starves_beside_others_that_are_served()
    {
        for (var seed = 0ul; seed < 6; seed++)
        {
            var world = new PbftWorld(seed, PbftWorld.Brisk, "deaf", plan: FaultPlan.Calm);
            world.Run(Duration.FromSeconds(4), Duration.FromSeconds(120), starvation: Duration.FromSeconds(2));
            Assert.True(world.View > 0 && world.Completed > 100);
        }
    }

    /// <summary>§4.1: the waves in which views cross each other, all of them correct.</summary>
    [Fact]
    public void Views_that_cross_each_other_agree()
    {
        for (var seed = 0ul; seed < 4_000; seed++)
        {
            PbftWaves.Run(seed, PbftMutation.None);
        }
    }

    [Fact]
    public void A_seed_gives_the_same_run_again()
    {
        static string Trace()
        {
            var text = new StringWriter();
            new PbftWorld(5, PbftWorld.Brisk, "everything", trace: text).Run(Duration.FromSeconds(2), Duration.FromSeconds(240));
            return text.ToString();
        }

        Assert.Equal(Trace(), Trace());
    }
}
