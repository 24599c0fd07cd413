using System.Collections.Concurrent;
using Synod.Core;
using Synod.Simulation;
using Synod.Simulation.Disks;
using Synod.Workloads.Simulated;

namespace Synod.Database.Tests;

/// <summary>Whole nodes and clients under drawn faults; every seed here once more by `synod sim --workload W --seeds N`.</summary>
public class SimulationTests
{
    [Theory]
    [InlineData("bank")]
    [InlineData("register")]
    [InlineData("ring")]
    [InlineData("list-append")]
    [InlineData("tickets")]
    public void Fifty_seeds_pass(string workload)
    {
        var verdicts = Run(workload, 1, 50, seed => new SimulationOptions { Workload = workload, Seed = seed });
        Assert.Empty(verdicts.Where(verdict => !verdict.IsOk).Select(verdict => $"{verdict.Failure!.Message} [{verdict.Plan}]"));
        Assert.True(verdicts.Sum(verdict => verdict.Progress.Committed) > 5_000);
        Assert.True(verdicts.Sum(verdict => verdict.Faults.GetValueOrDefault("lost disk")) > 20);
    }

    [Fact]
    public void A_seed_run_twice_gives_the_same_trace()
    {
        var length = Duration.FromSeconds(3);
        foreach (var workload in SimulationRun.Workloads.Keys)
        {
            var first = Run(workload, 1, 8, seed => new SimulationOptions { Workload = workload, Seed = seed, Length = length });
            var second = Run(workload, 1, 8, seed => new SimulationOptions { Workload = workload, Seed = seed, Length = length });
            Assert.Equal(first.Select(verdict => verdict.TraceHash), second.Select(verdict => verdict.TraceHash));
        }
    }

    [Fact]
    public void Every_call_of_the_outside_is_hit_by_a_fault()
    {
        // Disk and store errors often, and segments of the least size. Three sites come up too rarely for that and have faults of their own:
        // segments left over and writes at a start, and a spare that is too small for a batch. Then weather and silent clocks, for
        // links, doors and clocks.
        var errors = new FaultPlan
        {
            Machine = new MachineConditions { CheckpointBytes = 24 << 10 },
            Faults =
            [
                new DiskErrors(Duration.FromMilliseconds(250)),
                new StoreErrors(Duration.FromMilliseconds(700)),
                new Crashes(Duration.FromSeconds(1), Duration.FromMilliseconds(200)),
            ],
        };
        var restarts = errors with
        {
            Faults =
            [
                new Crashes(Duration.FromMilliseconds(600), Duration.FromMilliseconds(100)),
                new DiskErrors(Duration.FromMilliseconds(500), new LogCallSite(LogWork.Opening, DiskCallKind.Delete)),
                new StoreErrors(Duration.FromMilliseconds(500), new StoreCallSite(Starting: true, StoreCall.Write)),
            ],
        };
        var crowded = new FaultPlan
        {
            Machine = new MachineConditions { CheckpointBytes = 24 << 10, SlowSyncPerMillion = 100_000 },
            Faults = [new DiskErrors(Duration.FromMilliseconds(500), new LogCallSite(LogWork.Rolling, DiskCallKind.Delete))],
        };
        var weather = new FaultPlan
        {
            Faults =
            [
                new BadLinks(60_000, 60_000, 20_000, 40_000, Reorders: true, Duration.FromMilliseconds(500)),
                new Partitions(Duration.FromSeconds(3), Duration.FromMilliseconds(500), OneWay: false),
                new Crashes(Duration.FromSeconds(2), Duration.FromMilliseconds(500)),
                new SilentClocks(Duration.FromSeconds(2), Duration.FromMilliseconds(500)),
            ],
        };
        SimulationVerdict[] verdicts =
        [
            .. Run("bank", 1, 12, seed => new SimulationOptions { Workload = "bank", Seed = seed, Plan = errors, SegmentBytes = 8 << 10 }),
            .. Run("bank", 1, 6, seed => new SimulationOptions { Workload = "bank", Seed = seed, Plan = restarts, SegmentBytes = 8 << 10 }),
            .. Run("bank", 1, 3, seed => new SimulationOptions { Workload = "bank", Seed = seed, Plan = crowded, SegmentBytes = 8 << 10, Workers = 60 }),
            .. Run("register", 1, 4, seed => new SimulationOptions { Workload = "register", Seed = seed, Plan = weather }),
        ];

        Assert.Empty(verdicts.Where(verdict => !verdict.IsOk).Select(verdict => verdict.Failure!.Message));
        var counts = verdicts.SelectMany(verdict => verdict.Faults).ToLookup(pair => pair.Key, pair => pair.Value);
        Assert.Empty(counts.Where(sums => sums.Sum() == 0).Select(sums => sums.Key));

        // The list itself: doors, links, sites of the log (a call from elsewhere fails a run), calls of the store at a start and later; the
        // clock, and the faults of the two plans.
        string[] places = ["door ", "link ", "log ", "store running ", "store starting "];
        Assert.Equal([2, 16, 24, 6, 4], places.Select(place => counts.Count(sums => sums.Key.StartsWith(place, StringComparison.Ordinal))));
        Assert.Equal(
            ["clock read in silence", "clock silence", "crash", "disk error", "partition", "store error", "weather"],
            counts.Select(sums => sums.Key).Where(name => !Array.Exists(places, name.StartsWith)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("answers-before-durable")]
    [InlineData("intent-released-early")]
    [InlineData("clocks-lie")]
    [InlineData("vote-validity-ignored")]
    [InlineData("read-timestamps-ignored")]
    [InlineData("retired-holds-versions")]
    [InlineData("groups-of-a-former-life")]
    public void A_seeded_bug_is_caught(string name)
    {
        var bug = SeededBug.Find(name);
        Assert.NotNull(bug);
        Assert.Contains(Enumerable.Range(1, 100), seed => bug.Run((ulong)seed) is not null);
    }

    /// <summary>Otherwise it would be the weather that is caught, and not the mistake.</summary>
    [Theory]
    [InlineData("answers-before-durable")]
    [InlineData("sessions-forgotten")]
    [InlineData("snapshot-without-sessions")]
    [InlineData("read-without-lease")]
    [InlineData("former-terms-applied")]
    [InlineData("vote-validity-ignored")]
    [InlineData("read-timestamps-ignored")]
    [InlineData("retired-holds-versions")]
    [InlineData("strangers-followed")]
    [InlineData("rumors-of-a-former-life")]
    public void The_weather_of_a_seeded_bug_is_harmless_without_it(string name)
    {
        var bug = SeededBug.Find(name);
        Assert.NotNull(bug);
        Assert.All(Enumerable.Range(1, 12), seed => Assert.Null(bug.RunWithout((ulong)seed)));
    }

    [Fact]
    public void An_unknown_workload_is_refused_with_the_known_ones()
    {
        var workload = Assert.Throws<ArgumentException>(() => SimulationRun.Execute(new SimulationOptions { Workload = "none", Seed = 1 }));
        Assert.Contains("list-append", workload.Message, StringComparison.Ordinal);
        Assert.Null(SeededBug.Find("none"));
    }

    private static List<SimulationVerdict> Run(string workload, int from, int to, Func<ulong, SimulationOptions> options)
    {
        var verdicts = new ConcurrentDictionary<int, SimulationVerdict>();
        Parallel.For(from, to + 1, seed => verdicts[seed] = SimulationRun.Execute(options((ulong)seed)));
        Assert.Equal(workload, verdicts[from].Workload);
        return [.. verdicts.OrderBy(pair => pair.Key).Select(pair => pair.Value)];
    }
}
