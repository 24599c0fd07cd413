using Synod.Core;
using Synod.Database;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Workloads.Simulated;

/// <summary>A known mistake in the shipping machines, to prove that the simulator would find it.</summary>
public sealed class SeededBug
{
    private SeededBug(string name, string workload)
    {
        Name = name;
        Workload = workload;
    }

    public string Name { get; }

    /// <summary>The workload that is expected to see it.</summary>
    public string Workload { get; }

    internal MultiPaxosMutation Consensus { get; private init; }

    internal DatabaseMutation Database { get; private init; }

    internal bool IgnoresHolds { get; private init; }

    internal Func<FaultPlan, FaultPlan> Adapt { get; private init; } = plan => plan;

    /// <summary>Every known mistake.</summary>
    public static IReadOnlyList<SeededBug> All { get; } =
    [
        new("answers-before-durable", "bank") { IgnoresHolds = true, Adapt = SlowDisks },
        new("promise-forgotten-on-restart", "bank") { Consensus = MultiPaxosMutation.PromiseForgottenOnRestart, Adapt = SlowDisks },
        new("accepted-before-durable", "bank") { Consensus = MultiPaxosMutation.AcceptedBeforeDurable, Adapt = SlowDisks },
        new("promise-before-durable", "bank") { Consensus = MultiPaxosMutation.PromiseBeforeDurable, Adapt = SlowDisks },
        new("ballot-reused", "bank") { Consensus = MultiPaxosMutation.BallotReused, Adapt = SlowDisks },
        new("promised-values-ignored", "bank") { Consensus = MultiPaxosMutation.IgnorePromisedValues },
        new("commit-over-stale-entry", "bank") { Consensus = MultiPaxosMutation.CommitOverStaleEntry },
        new("lease-vote-not-durable", "register") { Consensus = MultiPaxosMutation.LeaseVoteNotDurable, Adapt = SlowDisks },
        new("lease-ignored-by-acceptor", "register") { Consensus = MultiPaxosMutation.LeaseIgnoredByAcceptor, Adapt = LostLeaders },
        new("stale-lease-read", "register") { Consensus = MultiPaxosMutation.StaleLeaseRead, Adapt = LostLeaders },
        new("own-vote-before-durable", "bank") { Consensus = MultiPaxosMutation.OwnVoteBeforeDurable, Adapt = SlowDisks },
        new("no-barrier", "register") { Consensus = MultiPaxosMutation.NoBarrier },
        new("snapshot-regresses", "bank") { Consensus = MultiPaxosMutation.SnapshotRegresses },
        new("latest-reported-value-wins", "bank") { Consensus = MultiPaxosMutation.LatestReportedValueWins },
        new("old-ballot-counted", "bank") { Consensus = MultiPaxosMutation.OldBallotCounted },
        new("floor-not-reported", "bank") { Consensus = MultiPaxosMutation.FloorNotReported },
        new("commit-wait-skipped", "bank") { Database = DatabaseMutation.SkipCommitWait },
        new("intent-released-early", "bank") { Database = DatabaseMutation.ReleaseIntentEarly },
        new("prepared-wounded", "bank") { Database = DatabaseMutation.WoundPrepared },
        new("sessions-forgotten", "bank") { Database = DatabaseMutation.ForgetSessions, Adapt = LostAnswers },
        new("snapshot-without-sessions", "bank") { Database = DatabaseMutation.SnapshotWithoutSessions },
        new("read-without-lease", "register") { Database = DatabaseMutation.ReadWithoutLease, Adapt = LostLeaders },
        new("read-term-ignored", "ring") { Database = DatabaseMutation.IgnoreReadTerm },
        new("no-tombstone", "bank") { Database = DatabaseMutation.NoTombstone },
        new("vote-validity-ignored", "list-append") { Database = DatabaseMutation.IgnoreVoteValidity },
        new("prepared-locks-forgotten", "bank") { Database = DatabaseMutation.ForgetPreparedLocks },
        new("reads-through-intents", "bank") { Database = DatabaseMutation.ReadThroughIntents },
        new("read-timestamps-ignored", "bank") { Database = DatabaseMutation.IgnoreReadTimestamps },
        new("prepare-timestamps-ignored", "bank") { Database = DatabaseMutation.IgnorePrepareTimestamps },
        new("former-terms-applied", "register") { Database = DatabaseMutation.ApplyFormerTerms, Adapt = LostLeaders },
        new("clocks-lie", "bank")
        {
            Adapt = plan => plan with { Clocks = plan.Clocks with { Lies = true, Bound = Duration.FromMilliseconds(5) } },
        },
        new("stage-acknowledged", "bank") { Database = DatabaseMutation.AcknowledgeStage },
        new("commit-acknowledged-before-passed", "bank") { Database = DatabaseMutation.AcknowledgeBeforePassed },
        new("implicit-commit-resolved", "bank") { Database = DatabaseMutation.ResolveImplicitCommit },
        new("staged-presumed-aborted", "bank") { Database = DatabaseMutation.PresumeAbortOfStaged },
    ];

    // Each kind of mistake has its weather: syncs that take long and are cut off, leaders that are cut off and do not know it, answers
    // that get lost so that requests come twice. It comes on top of what the seed draws.
    private static FaultPlan SlowDisks(FaultPlan plan) => plan with
    {
        Machine = plan.Machine with { LeastSync = Duration.FromMilliseconds(1), MostSync = Duration.FromMilliseconds(20) },
        Faults =
        [
            .. plan.Faults,
            new Blackouts(Duration.FromMilliseconds(1_500), Duration.FromMilliseconds(300)),
            new Crashes(Duration.FromMilliseconds(800), Duration.FromMilliseconds(200)),
        ],
    };

    private static FaultPlan LostLeaders(FaultPlan plan) => plan with
    {
        Faults =
        [
            .. plan.Faults,
            new Pauses(Duration.FromMilliseconds(1_500), Duration.FromMilliseconds(2_000)),
            new Partitions(Duration.FromMilliseconds(2_500), Duration.FromMilliseconds(2_500), OneWay: false),
        ],
    };

    private static FaultPlan LostAnswers(FaultPlan plan) => plan with
    {
        Faults =
        [
            .. plan.Faults,
            new BadLinks(250_000, 0, 0, 0, Reorders: false, Duration.FromMilliseconds(500)),
            new Crashes(Duration.FromMilliseconds(2_000), Duration.FromMilliseconds(200)),
        ],
    };

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static SeededBug Find(string name) => All.FirstOrDefault(bug => bug.Name == name)
        ?? throw new ArgumentException($"There is no seeded bug '{name}'. Use one of: {string.Join(", ", All.Select(bug => bug.Name))}.");
}

/// <summary>How a seeded bug fared against the simulator.</summary>
/// <param name="Seeds">Runs until it was caught, the catching one included; all of them if it was not.</param>
/// <param name="Caught">What caught it; null if nothing did.</param>
public sealed record HuntResult(SeededBug Bug, int Seeds, TimeSpan Wall, SimulationFailure? Caught);

/// <summary>Runs a seeded bug under seed after seed until something sees it.</summary>
public static class BugHunt
{
    /// <param name="limit">Wall time after which the hunt gives up.</param>
    public static HuntResult Run(SeededBug bug, ulong firstSeed, int mostSeeds, TimeSpan limit, TimeProvider clock)
    {
        var start = clock.GetTimestamp();
        for (var run = 0; run < mostSeeds; run++)
        {
            var seed = firstSeed + (ulong)run;
            var verdict = SimulationRun.Execute(new SimulationOptions { Workload = bug.Workload, Seed = seed, Bug = bug });
            var elapsed = clock.GetElapsedTime(start);
            if (verdict.Failure is not null || elapsed > limit)
            {
                return new HuntResult(bug, run + 1, elapsed, verdict.Failure);
            }
        }

        return new HuntResult(bug, mostSeeds, clock.GetElapsedTime(start), null);
    }
}
