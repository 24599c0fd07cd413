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

    /// <summary>
    /// e/(e-1) = 1.58 periods on average from a death until the period is over in which somebody probed the dead, whatever the size. Here
    /// periods are not in step, so that what is counted are whole periods up to the beginning of that probe.
    /// </summary>
    [Theory]
    [InlineData(10, 120)]
    [InlineData(100, 80)]
    [InlineData(300, 100)]
    [InlineData(1_000, 25, Explicit = true)]
    public void The_time_to_first_detection_does_not_grow_with_the_fleet(int nodes, int deaths)
    {
        var total = 0.0;
        var fleet = new MembershipFleet(0, nodes, s_options);
        for (var death = 0; death < deaths; death++)
        {
            // A fleet each where one death shows; in a large one a few do not matter to the next.
            fleet = nodes < 1_000 ? new MembershipFleet((ulong)death, nodes, s_options) : fleet;
            fleet.Run(Duration.FromMilliseconds(3_050 + death % 20 * 50));
            var (dies, number) = (fleet.World.Elapsed, 1 + (death * 37 % nodes));
            fleet.Kill(number);
            while (fleet.SuspectedAt(number) is null)
            {
                fleet.Run(Duration.FromMilliseconds(20));
            }

            total += Math.Max(1, Math.Ceiling((fleet.SuspectedAt(number)!.Value - dies).Nanoseconds / 1e9 - 1));
        }

        output.WriteLine($"{nodes}: {total / deaths:0.00} periods");
        Assert.InRange(total / deaths, 1.25, 1.95);
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
        fleet.Run(Duration.FromSeconds(8));
        var rate = (fleet.Bytes - bytes) / 8.0 / nodes;
        output.WriteLine($"{nodes}: {rate:0.0} B and {(fleet.Messages - messages) / 8.0 / nodes:0.00} messages per node and second, {watch.Elapsed.TotalSeconds:0.0} s, {GC.GetTotalMemory(true) >> 20} MiB, {fleet.World.Events} events");
        Assert.InRange(rate, 10, 25);
        GC.KeepAlive(fleet);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1_000, Explicit = true)]
    public void Half_of_the_fleet_dies_and_everyone_else_learns_it(int nodes) => Die(nodes, nodes / 2);

    [Theory]
    [InlineData(1_000, 1)]
    [InlineData(10_000, 1, Explicit = true)]
    [InlineData(10_000, 10, Explicit = true)]
    public void A_few_die_and_everyone_else_learns_it(int nodes, int deaths) => Die(nodes, deaths);

    /// <summary>
    /// The order of the factor of 50 that Lifeguard's authors report: a tenth of the packets are lost, some members are starved of time, and
    /// how often others are taken for dead is counted, as they do. A suspicion that is refuted harms nobody; of those there are far fewer too.
    /// </summary>
    [Fact]
    public void Lifeguard_takes_far_fewer_for_dead_under_loss_and_starvation()
    {
        var plain = FalseAlarms(s_options.WithoutLifeguard() with { NoticesPauses = false }, 100, 20, 16);
        var guarded = FalseAlarms(s_options, 100, 20, 16);
        output.WriteLine($"SWIM {plain}, as shipped {guarded}");
        Assert.True(plain.Deaths >= 50 * Math.Max(1, guarded.Deaths), $"{plain} against {guarded}");
        Assert.True(plain.Suspicions >= 20 * guarded.Suspicions, $"{plain} against {guarded}");
    }

    /// <summary>What Lifeguard does, and what noticing one's own pauses does, apart and together.</summary>
    [Theory(Explicit = true)]
    [InlineData(10, 16)]
    [InlineData(20, 16)]
    [InlineData(30, 30)]
    public void Each_part_takes_fewer_for_dead(int starved, int seconds)
    {
        var plain = FalseAlarms(s_options.WithoutLifeguard() with { NoticesPauses = false }, 100, starved, seconds);
        var lifeguard = FalseAlarms(s_options with { NoticesPauses = false }, 100, starved, seconds);
        var noticing = FalseAlarms(s_options.WithoutLifeguard(), 100, starved, seconds);
        var both = FalseAlarms(s_options, 100, starved, seconds);
        output.WriteLine($"{starved} starved for {seconds} s: SWIM {plain}, with Lifeguard {lifeguard}; noticing pauses {noticing}, with Lifeguard {both}");
        Assert.True(plain.Deaths > noticing.Deaths && plain.Deaths > lifeguard.Deaths);
        Assert.True(both.Deaths <= Math.Min(lifeguard.Deaths, noticing.Deaths) && both.Suspicions * 5 < plain.Suspicions);
    }

    private static Alarms FalseAlarms(MembershipOptions options, int nodes, int starved, int seconds)
    {
        var alarms = new Alarms(0, 0, 0);
        for (var seed = 1ul; seed <= 4; seed++)
        {
            var fleet = new MembershipFleet(seed, nodes, options, lossPerMillion: 100_000);
            fleet.Starve(Duration.FromSeconds(seconds), Duration.FromMilliseconds(100), [.. Enumerable.Range(1, starved)]);
            fleet.Run(Duration.FromSeconds(120));
            alarms = new(alarms.Deaths + fleet.FalseDeaths, alarms.DeathsAtHealthy + fleet.FalseDeathsAtHealthy, alarms.Suspicions + fleet.FalseSuspicions);
        }

        return alarms;
    }

    private void Die(int nodes, int deaths)
    {
        var watch = Stopwatch.StartNew();
        var fleet = new MembershipFleet(1, nodes, s_options);
        fleet.Run(Duration.FromSeconds(3));
        int[] dead = [.. Enumerable.Range(0, deaths).Select(index => 1 + index * (nodes / deaths))];
        foreach (var number in dead)
        {
            fleet.Kill(number);
        }

        var bytes = fleet.Bytes;
        var took = fleet.AwaitDeath(Duration.FromSeconds(300), dead);
        output.WriteLine($"{deaths} of {nodes}: {took}, {(fleet.Bytes - bytes) / (nodes - deaths) / (took?.Nanoseconds / 1e9):0} B per node and second, {watch.Elapsed.TotalSeconds:0.0} s, {GC.GetTotalMemory(true) >> 20} MiB, {fleet.World.Events} events");
        Assert.NotNull(took);
        Assert.Equal(0, fleet.FalseDeaths);
        GC.KeepAlive(fleet);
    }

    private sealed record Alarms(long Deaths, long DeathsAtHealthy, long Suspicions)
    {
        public override string ToString() => $"{Deaths} deaths ({DeathsAtHealthy} at members with time), {Suspicions} suspicions";
    }
}
