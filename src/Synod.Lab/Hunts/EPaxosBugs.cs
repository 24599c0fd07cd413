using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of EPaxos (epaxos.md §9), and the world that brings each to light.</summary>
public static class EPaxosBugs
{
    private const ulong Runs = 200;

    private static readonly EPaxosSetting s_storm = new() { Plan = EPaxosSetting.Storm, Rumours = true };

    // What is told and not yet durable stays so for long.
    private static readonly EPaxosSetting s_slowDisks = s_storm with
    {
        Plan = EPaxosSetting.Storm with
        {
            Machine = new MachineConditions { LeastSync = Duration.FromMilliseconds(5), MostSync = Duration.FromMilliseconds(40) },
        },
    };

    private static readonly (RoomBug Bug, EPaxosMutation Mutation)[] Known =
    [
        Bug("epaxos-lost-dependency", EPaxosMutation.LostDependency, s_storm),
        Bug("epaxos-preaccept-volatile", EPaxosMutation.VolatilePreAccept, s_slowDisks),
        Bug("epaxos-no-validate", EPaxosMutation.NoValidate, s_storm with { Replicas = 5 }),
        Bug("epaxos-no-waiting", EPaxosMutation.NoWaiting, s_storm with { Replicas = 5 }),
        Bug("epaxos-equal-replies-suffice", EPaxosMutation.EqualRepliesSuffice, s_storm),
        Bug("epaxos-latest-dependency-only", EPaxosMutation.LatestDependencyOnly, s_storm),
        Bug("epaxos-executes-before-closure", EPaxosMutation.ExecutesBeforeClosure, s_storm),
        Bug("epaxos-numbers-reused", EPaxosMutation.NumbersReused, s_storm),
        Bug("epaxos-first-of-batch-only", EPaxosMutation.FirstOfBatchOnly, s_storm with { Options = s_storm.Options with { Pipeline = 1 }, Clients = 12 }),
        Bug("epaxos-retries-executed", EPaxosMutation.RetriesExecuted, s_storm),
        Bug("epaxos-collects-too-early", EPaxosMutation.CollectsTooEarly, s_storm),
        Bug("epaxos-majority-fast-quorum", EPaxosMutation.MajorityFastQuorum, replicas: 7),
        Bug("epaxos-accept-volatile", EPaxosMutation.VolatileAccept, replicas: 3),
        Bug("epaxos-join-volatile", EPaxosMutation.VolatileJoin, replicas: 3),
        Bug("epaxos-commit-volatile", EPaxosMutation.VolatileCommit, replicas: 3),
        Bug("epaxos-one-ballot", EPaxosMutation.OneBallot, 10 * Runs, EPaxosWaves.Run),
        Bug("epaxos-unbounded-pipeline", EPaxosMutation.UnboundedPipeline, 1, EPaxosStream.Run),
    ];

    public static IReadOnlyList<RoomBug> All { get; } = [.. Known.Select(item => item.Bug)];

    internal static IEnumerable<EPaxosMutation> Mutations => Known.Select(item => item.Mutation);

    private static (RoomBug Bug, EPaxosMutation Mutation) Bug(string name, EPaxosMutation mutation, EPaxosSetting setting) =>
        (new(name, "EPaxos", seed => EPaxosWorld.Hunt(seed, setting, mutation)), mutation);

    /// <summary>Short runs without time: what storms meet too seldom.</summary>
    private static (RoomBug Bug, EPaxosMutation Mutation) Bug(string name, EPaxosMutation mutation, int replicas) =>
        Bug(name, mutation, Runs, (run, mistake) => new EPaxosRun(run, replicas, mistake).Run());

    private static (RoomBug Bug, EPaxosMutation Mutation) Bug(
        string name, EPaxosMutation mutation, ulong runs, Action<ulong, EPaxosMutation> world) =>
        (new(name, "EPaxos", seed => RoomBug.Find(seed, runs, run => world(run, mutation))), mutation);
}
