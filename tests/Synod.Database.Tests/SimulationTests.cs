using System.Collections.Concurrent;
using Synod.Core;
using Synod.Simulation;
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
    public void Every_kind_of_fault_and_every_call_of_the_disk_is_hit()
    {
        // Disk errors alone, and often: calls that happen only at a start or a checkpoint are hit too.
        var plan = new FaultPlan
        {
            Machine = new MachineConditions { CheckpointBytes = 8 << 10 },
            Faults = [new DiskErrors(Duration.FromMilliseconds(400)), new Crashes(Duration.FromSeconds(1), Duration.FromMilliseconds(200))],
        };
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        SimulationVerdict[] verdicts =
        [
            .. Run("bank", 1, 8, seed => new SimulationOptions { Workload = "bank", Seed = seed, Plan = plan }),
            .. Run("register", 1, 24, seed => new SimulationOptions { Workload = "register", Seed = seed }),
        ];
        foreach (var (name, count) in verdicts.SelectMany(verdict => verdict.Faults))
        {
            counts[name] = counts.GetValueOrDefault(name) + count;
        }

        Assert.Empty(verdicts.Where(verdict => !verdict.IsOk).Select(verdict => verdict.Failure!.Message));
        Assert.Empty(counts.Where(pair => pair.Value == 0).Select(pair => pair.Key));
        Assert.True(counts.Count >= 20, $"{counts.Count} kinds");
    }

    [Theory]
    [InlineData("answers-before-durable")]
    [InlineData("intent-released-early")]
    [InlineData("clocks-lie")]
    public void A_seeded_bug_is_caught(string name)
    {
        var bug = SeededBug.Find(name);
        Assert.NotNull(bug);
        Assert.Contains(Enumerable.Range(1, 60), seed => bug.Run((ulong)seed) is not null);
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
