using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of Multi-Paxos, each in the weather in which it shows.</summary>
public static class MultiPaxosBugs
{
    private static readonly QuorumSystem Majority = SizedQuorums.Majority(ReplicaGroup.Members(3));

    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Of("promise-forgotten-on-restart", MultiPaxosMutation.PromiseForgottenOnRestart, Duel),
        Of("promise-before-durable", MultiPaxosMutation.PromiseBeforeDurable, Duel),
        Of("accepted-before-durable", MultiPaxosMutation.AcceptedBeforeDurable, Duel),
        Of("own-vote-before-durable", MultiPaxosMutation.OwnVoteBeforeDurable, Duel),
        Of("ballot-reused", MultiPaxosMutation.BallotReused, Duel),
        Of("promised-values-ignored", MultiPaxosMutation.IgnorePromisedValues, Duel),
        Of("latest-reported-value-wins", MultiPaxosMutation.LatestReportedValueWins, Duel),
        Of("old-ballot-counted", MultiPaxosMutation.OldBallotCounted, Duel),
        Of("commit-over-stale-entry", MultiPaxosMutation.CommitOverStaleEntry, Duel),
        Of("floor-not-reported", MultiPaxosMutation.FloorNotReported, Duel),
        Of("no-barrier", MultiPaxosMutation.NoBarrier, Reign),
        Of("snapshot-regresses", MultiPaxosMutation.SnapshotRegresses, Reign),
        Of("lease-vote-not-durable", MultiPaxosMutation.LeaseVoteNotDurable, Reign),
        Of("lease-ignored-by-acceptor", MultiPaxosMutation.LeaseIgnoredByAcceptor, Reign),
        Of("stale-lease-read", MultiPaxosMutation.StaleLeaseRead, Reign),
    ];

    /// <summary>Leaders that change as fast as they can, without leases, on slow disks and late messages.</summary>
    internal static SimulationFailure? Duel(ulong seed, MultiPaxosMutation mutation) =>
        Run(seed, new MultiPaxosWorld(Majority, MultiPaxosWorld.Duelling(mutation), seed, stormy: true), Duration.FromSeconds(1));

    /// <summary>Leaders with leases, reads, snapshots and checkpoints.</summary>
    internal static SimulationFailure? Reign(ulong seed, MultiPaxosMutation mutation) =>
        Run(seed, new MultiPaxosWorld(Majority, MultiPaxosWorld.Options(mutation), seed), Duration.FromSeconds(3));

    private static SimulationFailure? Run(ulong seed, MultiPaxosWorld world, Duration length)
    {
        var start = world.Now;
        return RoomBug.Find(seed, () => world.RunBriefly(length), () => new Duration(world.Now - start));
    }

    private static RoomBug Of(
        string name, MultiPaxosMutation mutation, Func<ulong, MultiPaxosMutation, SimulationFailure?> run) =>
        new($"multipaxos-{name}", "MultiPaxos", seed => run(seed, mutation));
}
