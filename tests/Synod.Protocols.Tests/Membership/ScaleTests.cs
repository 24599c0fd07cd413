using System.Diagnostics;
using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;
using Xunit;

namespace Synod.Protocols.Tests.Membership;

/// <summary>What SWIM and Lifeguard promise about numbers (gossip.md §2.2, §2.4, §10), in fleets of up to 10,000.</summary>
public sealed class ScaleTests(ITestOutputHelper output)
{
    private static readonly MembershipOptions s_options = new();

    /// <summary>e/(e-1) = 1.58 periods on average from a death to the first suspicion, whatever the size.</summary>
    [Theory]
    [InlineData(10, 40)]
    [InlineData(100, 40)]
    [InlineData(1_000, 40)]
    public void The_time_to_first_detection_does_not_grow_with_the_fleet(int nodes, int deaths)
    {
        var total = 0.0;
        for (var death = 0; death < deaths; death++)
        {
            // A fleet each where it is small; in a large one a few deaths do not matter to the next.
            var fleet = Fleet(nodes, death);
            var dies = fleet.World.Elapsed;
            var number = 1 + (death * 37 % nodes);
            fleet.Kill(number);
            while (fleet.SuspectedAt(number) is null)
            {
                fleet.Run(Duration.FromMilliseconds(50));
            }

            // The suspicion comes at the end of the probe's period: the period in which it was probed counts from its beginning.
            total += (fleet.SuspectedAt(number)!.Value - dies).Nanoseconds / 1e9;
        }

        output.WriteLine($"{nodes}: {total / deaths:0.00} periods");
        Assert.InRange(total / deaths, 1.1, 2.1);
    }

    private readonly Dictionary<int, MembershipFleet> _fleets = [];

    private MembershipFleet Fleet(int nodes, int death)
    {
        if (nodes >= 1_000 && _fleets.TryGetValue(nodes, out var known))
        {
            return known;
        }

        var fleet = _fleets[nodes] = new MembershipFleet((ulong)death, nodes, s_options);
        fleet.Run(Duration.FromMilliseconds(3_000 + death * 50));
        return fleet;
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(1_000)]
    [InlineData(10_000)]
    public void What_a_node_sends_does_not_grow_with_the_fleet(int nodes)
    {
        var watch = Stopwatch.StartNew();
        var fleet = new MembershipFleet(1, nodes, s_options);
        fleet.Run(Duration.FromSeconds(2));
        var (bytes, messages) = (fleet.Bytes, fleet.Messages);
        fleet.Run(Duration.FromSeconds(20));
        var rate = (fleet.Bytes - bytes) / 20.0 / nodes;
        output.WriteLine($"{nodes}: {rate:0.0} B and {(fleet.Messages - messages) / 20.0 / nodes:0.00} messages per node and second, {watch.Elapsed.TotalSeconds:0.0} s, {GC.GetTotalMemory(true) >> 20} MiB, {fleet.World.Events} events");
        Assert.InRange(rate, 10, 25);
        GC.KeepAlive(fleet);
    }

    [Fact]
    public void Half_of_the_fleet_dies_and_everyone_else_learns_it()
    {
        var fleet = new MembershipFleet(1, 200, s_options);
        fleet.Run(Duration.FromSeconds(3));
        int[] dead = [.. Enumerable.Range(1, 100)];
        foreach (var number in dead)
        {
            fleet.Kill(number);
        }

        var bytes = fleet.Bytes;
        var took = fleet.AwaitDeath(Duration.FromSeconds(180), dead);
        output.WriteLine($"{took}, {(fleet.Bytes - bytes) / 100.0 / (took?.Nanoseconds / 1e9):0} B per node and second");
        Assert.NotNull(took);
        Assert.Equal(0, fleet.FalseDeaths);
    }

    [Fact]
    public void Lifeguard_takes_far_fewer_for_dead_under_loss_and_starvation()
    {
        var (plain, guarded) = (FalseDeaths(s_options.WithoutLifeguard()), FalseDeaths(s_options));
        output.WriteLine($"SWIM {plain}, with Lifeguard {guarded}");
        Assert.True(plain.All >= 50 * Math.Max(1, guarded.All), $"{plain} against {guarded}");
    }

    private static (long All, long AtHealthy) FalseDeaths(MembershipOptions options)
    {
        var (all, healthy) = (0L, 0L);
        for (var seed = 1ul; seed <= 2; seed++)
        {
            var fleet = new MembershipFleet(seed, 100, options, lossPerMillion: 100_000);
            fleet.Starve(Duration.FromSeconds(8), Duration.FromMilliseconds(50), [.. Enumerable.Range(1, 8)]);
            fleet.Run(Duration.FromSeconds(180));
            (all, healthy) = (all + fleet.FalseDeaths, healthy + fleet.FalseDeathsAtHealthy);
        }

        return (all, healthy);
    }
}
