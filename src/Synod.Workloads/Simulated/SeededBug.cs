using Synod.Core;
using Synod.Database;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Workloads.Simulated;

/// <summary>A known mistake in the shipping database, to prove that the simulation of whole nodes would find it.</summary>
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

    internal DatabaseMutation Database { get; private init; }

    internal RumorsMutation Rumors { get; private init; }

    internal bool IgnoresHolds { get; private init; }

    /// <summary>Whoever starts a node with an empty disk does not say that there was another.</summary>
    internal bool HidesLosses { get; private init; }

    /// <summary>Comes on top of the faults that a seed draws.</summary>
    internal Func<FaultPlan, FaultPlan> Adapt { get; private init; } = plan => plan;

    /// <summary>Times and limits of the nodes under which the mistake has room to show; without it they must be harmless.</summary>
    internal Func<DatabaseOptions, DatabaseOptions> Shape { get; private init; } = options => options;

    /// <summary>How long clients think; null leaves it to the seed.</summary>
    internal TimeSpan? Thinking { get; private init; }

    /// <summary>How many workers there are; null leaves it to the run.</summary>
    internal int? Workers { get; private init; }

    /// <summary>How many nodes there are; null leaves it to the run.</summary>
    internal int? Nodes { get; private init; }

    /// <summary>Every known mistake of the database and its host; those of protocols are listed with their rooms.</summary>
    public static IReadOnlyList<SeededBug> All { get; } =
    [
        new("answers-before-durable", "bank") { IgnoresHolds = true, Adapt = SlowDisks },
        new("commit-wait-skipped", "bank") { Database = DatabaseMutation.SkipCommitWait },
        new("intent-released-early", "bank") { Database = DatabaseMutation.ReleaseIntentEarly },
        new("prepared-wounded", "bank") { Database = DatabaseMutation.WoundPrepared },
        new("sessions-forgotten", "register") { Database = DatabaseMutation.ForgetSessions, Adapt = LostAnswers },
        new("snapshot-without-sessions", "register") { Database = DatabaseMutation.SnapshotWithoutSessions, Adapt = Relays, Shape = ShortLogs },
        new("read-without-lease", "register") { Database = DatabaseMutation.ReadWithoutLease, Adapt = LongPartitions, Shape = LateDoubts },
        new("read-term-ignored", "ring") { Database = DatabaseMutation.IgnoreReadTerm },
        new("no-tombstone", "bank") { Database = DatabaseMutation.NoTombstone },
        new("vote-validity-ignored", "list-append")
        {
            Database = DatabaseMutation.IgnoreVoteValidity,
            Adapt = LeadersDie,
            Shape = BriefLeases,
            Thinking = TimeSpan.FromSeconds(4),
            Workers = 16,
        },
        new("prepared-locks-forgotten", "bank") { Database = DatabaseMutation.ForgetPreparedLocks },
        new("reads-through-intents", "bank") { Database = DatabaseMutation.ReadThroughIntents },
        new("read-timestamps-ignored", "list-append") { Database = DatabaseMutation.IgnoreReadTimestamps, Adapt = WideClocks },
        new("prepare-timestamps-ignored", "bank") { Database = DatabaseMutation.IgnorePrepareTimestamps },
        new("gap-locks-forgotten", "tickets") { Database = DatabaseMutation.NoGapLocks },
        new("former-terms-applied", "register") { Database = DatabaseMutation.ApplyFormerTerms, Adapt = LonelyLeaders },
        new("clocks-lie", "bank")
        {
            Adapt = plan => plan with { Clocks = plan.Clocks with { Lies = true, Bound = Duration.FromMilliseconds(5) } },
        },
        new("stage-acknowledged", "bank") { Database = DatabaseMutation.AcknowledgeStage },
        new("commit-acknowledged-before-passed", "bank") { Database = DatabaseMutation.AcknowledgeBeforePassed },
        new("implicit-commit-resolved", "bank") { Database = DatabaseMutation.ResolveImplicitCommit },
        new("staged-presumed-aborted", "bank") { Database = DatabaseMutation.PresumeAbortOfStaged },
        new("forgotten-votes-repeated", "bank") { HidesLosses = true, Adapt = LonelyAmnesiacs },
        new("rumors-of-a-former-life", "register") { Rumors = RumorsMutation.IncarnationIgnored, Adapt = SilentLosses, Nodes = 5 },
        new("groups-of-a-former-life", "register") { Database = DatabaseMutation.GroupsOfAFormerLife, Adapt = DyingDisks },
        new("retired-holds-versions", "bank") { Database = DatabaseMutation.RetiredHoldsVersions, Adapt = DyingDisks, Shape = ShortLogs },
        new("strangers-followed", "register") { Database = DatabaseMutation.FollowStrangers, Adapt = SilentLosses, Workers = 1 },
        new("split-learned-again", "register") { Database = DatabaseMutation.SplitToBeLearnedAgain, Adapt = DyingDisks },
    ];

    /// <summary>One run: what objected to the mistake, or null.</summary>
    public SimulationFailure? Run(ulong seed) =>
        SimulationRun.Execute(new SimulationOptions { Workload = Workload, Seed = seed, Bug = this }).Failure;

    /// <summary>The same weather, times and limits under the shipping code: nothing may object then.</summary>
    public SimulationFailure? RunWithout(ulong seed) => SimulationRun.Execute(new SimulationOptions
    {
        Workload = Workload,
        Seed = seed,
        Bug = new SeededBug(Name, Workload) { Adapt = Adapt, Shape = Shape, Thinking = Thinking, Workers = Workers, Nodes = Nodes },
    }).Failure;

    /// <summary>The one of that name, or null.</summary>
    public static SeededBug? Find(string name) => All.FirstOrDefault(bug => bug.Name == name);

    // Each kind of mistake has its weather, on top of what the seed draws. Here: syncs that take long and are cut off.
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

    // Leaders that are cut off from their peers, not from clients, and do not know it.
    private static FaultPlan LonelyLeaders(FaultPlan plan) => plan with
    {
        Faults =
        [
            .. plan.Faults,
            new Pauses(Duration.FromMilliseconds(1_500), Duration.FromMilliseconds(2_000)),
            new Partitions(Duration.FromMilliseconds(2_500), Duration.FromMilliseconds(2_500), OneWay: false),
        ],
    };

    // Long enough for another to lead meanwhile, and nothing else that would make a lonely leader doubt itself.
    private static FaultPlan LongPartitions(FaultPlan plan) => plan with
    {
        Links = new LinkConditions(),
        Faults = [new Partitions(Duration.FromMilliseconds(3_000), Duration.FromMilliseconds(4_000), OneWay: false)],
    };

    // Leases are short, and a leader that hears nobody takes its time to notice: others may lead while it believes that it does.
    private static DatabaseOptions LateDoubts(DatabaseOptions options) => options with
    {
        LeaseDuration = Duration.FromMilliseconds(300),
        ElectionTimeout = Duration.FromMilliseconds(1_500),
        HeartbeatInterval = Duration.FromMilliseconds(1_200),
    };

    // Answers get lost, so that what was done is asked for again, after others did something else.
    private static FaultPlan LostAnswers(FaultPlan plan) => plan with
    {
        Faults =
        [
            .. plan.Faults,
            new BadLinks(250_000, 0, 0, 0, Reorders: false, Duration.FromMilliseconds(500)),
            new Crashes(Duration.FromMilliseconds(2_000), Duration.FromMilliseconds(200)),
        ],
    };

    // One after another is away for so long that it needs a snapshot when it is back, and leads when the next one goes.
    private static FaultPlan Relays(FaultPlan plan) => plan with
    {
        Faults =
        [
            .. plan.Faults,
            new BadLinks(250_000, 0, 0, 0, Reorders: false, Duration.FromMilliseconds(500)),
            new Crashes(Duration.FromMilliseconds(1_200), Duration.FromMilliseconds(700)),
        ],
    };

    // One disk after another is lost as soon as its node can be done without; and all of them forget what they did not sync.
    private static FaultPlan DyingDisks(FaultPlan plan) => plan with
    {
        Faults =
        [
            .. plan.Faults,
            new LostDisks(Duration.FromMilliseconds(500), Duration.FromMilliseconds(100)),
            new Crashes(Duration.FromMilliseconds(3_000), Duration.FromMilliseconds(500)),
            new Blackouts(Duration.FromMilliseconds(6_000), Duration.FromMilliseconds(300)),
        ],
    };

    // Disks are lost, and nothing else happens that would make a group look at its leader.
    private static FaultPlan SilentLosses(FaultPlan plan) => plan with
    {
        Links = new LinkConditions(),
        Faults = [new LostDisks(Duration.FromMilliseconds(500), Duration.FromMilliseconds(100))],
    };

    // One is cut off or away while another two agree; then one of these forgets, and comes back to the one that was away.
    private static FaultPlan LonelyAmnesiacs(FaultPlan plan) => plan with
    {
        Faults =
        [
            .. plan.Faults,
            new LostDisks(Duration.FromMilliseconds(500), Duration.FromMilliseconds(100)),
            new Partitions(Duration.FromMilliseconds(1_500), Duration.FromMilliseconds(1_000), OneWay: false),
            new Crashes(Duration.FromMilliseconds(1_500), Duration.FromMilliseconds(500)),
        ],
    };

    // T is prepared where it only reads, and waits elsewhere for the read locks of somebody who thinks. The leader of what it read dies
    // and its locks with it; others write there under the next one. T, when it comes to its commit, is above them, and has not seen them.
    private static FaultPlan LeadersDie(FaultPlan plan) => plan with
    {
        Links = new LinkConditions(),
        Faults = [new Crashes(Duration.FromMilliseconds(1_500), Duration.FromMilliseconds(400))],
    };

    // A read takes its time from a leader whose clock runs early, and comes to one whose clock runs late: that one has to give later
    // commits times above a moment that is still to come for it. The wider the bound, the longer.
    private static FaultPlan WideClocks(FaultPlan plan) => plan with
    {
        Links = new LinkConditions(),
        Clocks = plan.Clocks with { Bound = Duration.FromMilliseconds(20), Steady = Duration.FromSeconds(1) },
        Faults = [],
    };

    // The next leader is there while somebody still thinks.
    private static DatabaseOptions BriefLeases(DatabaseOptions options) => options with
    {
        LeaseDuration = Duration.FromMilliseconds(250),
        ElectionTimeout = Duration.FromMilliseconds(150),
        HeartbeatInterval = Duration.FromMilliseconds(40),
    };

    private static DatabaseOptions ShortLogs(DatabaseOptions options) => options with
    {
        RetainedCommands = 4,
        LeaseDuration = Duration.FromMilliseconds(400),
        ElectionTimeout = Duration.FromMilliseconds(300),
        HeartbeatInterval = Duration.FromMilliseconds(60),
    };
}
