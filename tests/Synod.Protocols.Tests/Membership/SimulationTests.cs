using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;
using Xunit;

namespace Synod.Protocols.Tests.Membership;

/// <summary>Seeds and faults, then the truth; and the stories of gossip.md §2.5.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static readonly MembershipOptions s_brisk = MembershipWorld.Brisk;

    [Theory]
    [InlineData(FailureDetector.Probes)]
    [InlineData(FailureDetector.PhiAccrual)]
    public void After_any_storm_all_believe_the_truth(FailureDetector detector)
    {
        var (suspicions, deaths, crashes, wipes, replays, unexpected) = (0L, 0L, 0L, 0, 0, 0L);
        for (var seed = 0ul; seed < 25; seed++)
        {
            var world = MembershipPlots.Storm(seed, Watching(detector));
            (suspicions, deaths, crashes, wipes, replays, unexpected) = (
                suspicions + world.Suspicions, deaths + world.Deaths, crashes + world.Crashes, wipes + world.Wipes,
                replays + world.Replays, unexpected + world.Refusals(Refusal.Unexpected));
        }

        output.WriteLine($"{suspicions} suspicions, {deaths} deaths, {crashes} crashes, {wipes} disks lost, {replays} replays, {unexpected} unexpected");
        Assert.True(suspicions > 100 && deaths > 50 && crashes > 50 && wipes > 20 && replays > 1_000 && unexpected > 100, "the runs are too tame");
    }

    [Fact]
    public void A_seed_gives_the_same_run_again()
    {
        static string Trace()
        {
            var text = new StringWriter();
            var world = new MembershipWorld(3, new MembershipCast { Nodes = 4, Newcomers = 1, IsHostile = true, MayLoseDisks = true }, text);
            world.Run(Duration.FromSeconds(1), Duration.FromSeconds(60));
            return text.ToString();
        }

        Assert.Equal(Trace(), Trace());
    }

    [Theory]
    [InlineData(nameof(MembershipPlots.OneDies))]
    [InlineData(nameof(MembershipPlots.TwoAreApart))]
    [InlineData(nameof(MembershipPlots.PacketsAreLost))]
    [InlineData(nameof(MembershipPlots.OneSleeps))]
    [InlineData(nameof(MembershipPlots.OneMissesNews))]
    [InlineData(nameof(MembershipPlots.OneLeaves))]
    [InlineData(nameof(MembershipPlots.OneSleepsOverADeath))]
    [InlineData(nameof(MembershipPlots.SomeLie))]
    public void A_story_ends_well(string name)
    {
        for (var seed = 1ul; seed <= 5; seed++)
        {
            typeof(MembershipPlots).GetMethod(name)!.CreateDelegate<Action<ulong, MembershipOptions>>()(seed, s_brisk);
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(12)]
    public void Halves_that_buried_each_other_grow_together(int nodes) => MembershipPlots.HalvesPart(nodes: nodes, seed: 5, options: s_brisk);

    [Fact]
    public void A_hundred_join_at_once() => MembershipPlots.ManyJoin(1, s_brisk with { DatagramBytes = 1_400 }, 100);

    [Fact]
    public void Half_of_the_packets_lost_bury_nobody_for_good()
    {
        var world = new MembershipWorld(2, new MembershipCast { Nodes = 8 });
        var links = new MembershipLinks(world) { LossPerMillion = 500_000 };
        world.Cluster.Network.Route = links;
        world.Cluster.Start();
        world.World.RunUntil(Duration.FromSeconds(40));
        links.LossPerMillion = 0;
        world.Await("all see all", Duration.FromSeconds(20));
        output.WriteLine($"{world.Suspicions} suspicions, {world.Deaths} deaths");
    }

    [Fact]
    public void A_member_that_flaps_is_alive_in_the_end()
    {
        var world = new MembershipWorld(4, new MembershipCast { Nodes = 6 });
        world.Cluster.Start();
        world.World.RunUntil(Duration.FromSeconds(1));
        for (var flap = 0; flap < 12; flap++)
        {
            world.Cluster.Crash(new NodeId(3));
            world.World.RunUntil(world.World.Elapsed + Duration.FromMilliseconds(300 * (1 + flap % 5)));
            world.Cluster.StartAfter(new NodeId(3), Duration.Zero);
            world.World.RunUntil(world.World.Elapsed + Duration.FromMilliseconds(500));
        }

        world.Await("all see all", Duration.FromSeconds(20));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_name_has_one_holder(bool atOnce)
    {
        for (var seed = 1ul; seed <= 10; seed++)
        {
            var world = new MembershipNamesakes(seed, s_brisk);
            if (atOnce)
            {
                world.BothAtOnce();
            }
            else
            {
                world.OneAfterTheOther();
            }
        }
    }

    private static MembershipOptions Watching(FailureDetector detector) => s_brisk with
    {
        Detector = detector,
        Phi = new PhiAccrualOptions
        {
            AcceptablePause = Duration.FromMilliseconds(300), LeastDeviation = Duration.FromMilliseconds(20), LocalPause = Duration.FromMilliseconds(100),
        },
    };
}
