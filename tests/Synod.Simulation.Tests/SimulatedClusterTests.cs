using Synod.Core;

namespace Synod.Simulation.Tests;

public class SimulatedClusterTests
{
    [Fact]
    public void What_was_answered_survives_every_fault()
    {
        long crashes = 0, checkpoints = 0, diskFailures = 0, damaged = 0;
        for (ulong seed = 1; seed <= 24; seed++)
        {
            var run = new LedgerRun(seed, FaultPlan.Swarm(seed));
            Assert.Empty(run.Finish(Duration.FromSeconds(20)));
            Assert.True(run.Answered.Count > 500, $"seed {seed} answered {run.Answered.Count}");
            foreach (var node in run.Cluster.Nodes)
            {
                var counts = run.Cluster.Counts(node);
                crashes += counts.Crashes;
                checkpoints += counts.Checkpoints;
                diskFailures += counts.DiskFailures;
                damaged += counts.Damaged;
            }
        }

        Assert.True(crashes > 20 && checkpoints > 20 && diskFailures > 5 && damaged > 20,
            $"{crashes} crashes, {checkpoints} checkpoints, {diskFailures} disk failures, {damaged} damaged");
    }

    [Fact]
    public void A_host_that_does_not_hold_outputs_loses_answers()
    {
        var plan = new FaultPlan { Faults = [new Crashes(Duration.FromMilliseconds(300), Duration.FromMilliseconds(200))] };
        var run = new LedgerRun(1, plan, ignoresHolds: true);
        Assert.NotEmpty(run.Finish(Duration.FromSeconds(20)));
    }

    [Fact]
    public void A_seed_run_twice_is_one_run()
    {
        var hashes = new HashSet<UInt128>();
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var (first, second) = (new LedgerRun(seed, FaultPlan.Swarm(seed)), new LedgerRun(seed, FaultPlan.Swarm(seed)));
            first.Finish(Duration.FromSeconds(5));
            second.Finish(Duration.FromSeconds(5));
            Assert.Equal(first.World.Trace.Hash, second.World.Trace.Hash);
            hashes.Add(first.World.Trace.Hash);
        }

        Assert.Equal(20, hashes.Count);
    }

    [Fact]
    public void The_text_of_a_trace_does_not_change_the_run()
    {
        using var text = new StringWriter();
        var silent = new LedgerRun(3, FaultPlan.Swarm(3));
        var told = new LedgerRun(3, FaultPlan.Swarm(3), trace: text);
        silent.Finish(Duration.FromSeconds(2));
        told.Finish(Duration.FromSeconds(2));
        Assert.Equal(silent.World.Trace.Hash, told.World.Trace.Hash);
        Assert.Contains("persist", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_invariant_names_seed_and_node()
    {
        var run = new LedgerRun(7, FaultPlan.Calm);
        run.World.RunUntil(Duration.FromMilliseconds(50));
        var failure = Assert.Throws<SimulationFailure>(() => run.Cluster.Submit(new NodeId(2), -1, run, 0));
        Assert.Equal((7UL, "NoMinusOne", new NodeId(2)), (failure.Seed, failure.Invariant, failure.Node));
    }

    [Fact]
    public void A_paused_process_acts_on_its_inputs_afterwards()
    {
        var run = new LedgerRun(1, FaultPlan.Calm);
        run.World.RunUntil(Duration.FromMilliseconds(500));
        run.Cluster.Pause(new NodeId(1), Duration.FromSeconds(1));
        var before = run.Answered.Count(answer => answer.Node == new NodeId(1));
        run.World.RunUntil(Duration.FromMilliseconds(1_400));
        Assert.Equal(before, run.Answered.Count(answer => answer.Node == new NodeId(1)));
        run.World.RunUntil(Duration.FromMilliseconds(1_600));
        Assert.True(run.Answered.Count(answer => answer.Node == new NodeId(1)) > before + 100);
    }

    [Fact]
    public void Timers_are_never_early_and_go_on_after_a_restart()
    {
        var run = new LedgerRun(1, FaultPlan.Calm);
        run.World.RunUntil(Duration.FromMilliseconds(500));
        run.Cluster.Crash(new NodeId(1));
        Assert.False(run.Cluster.IsUp(new NodeId(1)));
        run.Cluster.StartAfter(new NodeId(1), Duration.FromMilliseconds(100));
        run.World.RunUntil(Duration.FromSeconds(1));
        var ledger = (Ledger)run.Cluster[new NodeId(1)].Protocol!;
        var age = run.Cluster.Clock(new NodeId(1)).Monotonic - ledger.LastBeat;
        Assert.True(age < Duration.FromMilliseconds(21), age.ToString());
        Assert.Equal(4, run.Notes.Count);
    }

    [Fact]
    public void A_node_that_lost_its_disk_knows_nothing_and_is_another_incarnation_from_then_on()
    {
        var run = new LedgerRun(1, FaultPlan.Calm);
        var node = new NodeId(1);
        run.World.RunUntil(Duration.FromMilliseconds(500));
        var known = ((Ledger)run.Cluster[node].Protocol!).Numbers.First();
        List<ulong> incarnations = [];
        for (var loss = 0; loss < 2; loss++)
        {
            run.Cluster.LoseDisk(node);
            for (var start = 0; start < 2; start++)
            {
                run.Cluster.Crash(node);
                run.Cluster.StartAfter(node, Duration.FromMilliseconds(1));
                run.World.RunUntil(run.World.Elapsed + Duration.FromMilliseconds(100));
                Assert.DoesNotContain(known, ((Ledger)run.Cluster[node].Protocol!).Numbers);
                incarnations.Add(run.Starts[^1].Incarnation);
            }
        }

        Assert.Equal(3, incarnations.Append(0UL).Distinct().Count());
        Assert.Equal((incarnations[0], incarnations[2]), (incarnations[1], incarnations[3]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_disk_is_lost_where_an_operator_can_replace_it(bool hasOperator)
    {
        var run = new LedgerRun(1, FaultPlan.Calm);
        var careful = new EverySecondTime();
        var injector = new FaultInjector(run.Cluster, [new LostDisks(Duration.FromMilliseconds(100), Duration.FromMilliseconds(10))])
        {
            Operator = hasOperator ? careful : null,
        };
        injector.Start();
        run.World.RunUntil(Duration.FromSeconds(10));
        Assert.Equal(hasOperator, careful.Asked > 20);
        Assert.Equal(careful.Asked / 2, injector.Counts.GetValueOrDefault("lost disk"));
    }

    private sealed class EverySecondTime : IOperator
    {
        public int Asked { get; private set; }

        public bool TryReplaceDisk(NodeId node, Duration down) => ++Asked % 2 == 0;
    }

    [Fact]
    public void Clocks_contain_true_time_and_reach_both_extremes()
    {
        var world = new SimulatedWorld(1);
        var clock = new SimulatedClock(world, new ClockConditions { Bound = Duration.FromMilliseconds(5) });
        var (least, most) = (long.MaxValue, long.MinValue);
        for (var at = 0; at < 2_000; at++)
        {
            world.RunUntil(Duration.FromMilliseconds(at * 50));
            var interval = clock.Read();
            Assert.True(interval.Earliest <= world.TrueTime && world.TrueTime <= interval.Latest);
            least = Math.Min(least, (world.TrueTime - interval.Earliest).Nanoseconds);
            most = Math.Max(most, (world.TrueTime - interval.Earliest).Nanoseconds);
        }

        Assert.Equal((0, 10_000_000), (least, most));
    }

    [Fact]
    public void A_lying_clock_leaves_true_time()
    {
        var world = new SimulatedWorld(1);
        var clock = new SimulatedClock(world, new ClockConditions { Lies = true });
        var outside = 0;
        for (var at = 0; at < 200; at++)
        {
            world.RunUntil(Duration.FromMilliseconds(at * 500));
            var interval = clock.Read();
            outside += world.TrueTime < interval.Earliest || world.TrueTime > interval.Latest ? 1 : 0;
        }

        Assert.True(outside > 50);
    }
}
