using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of changing members and quorums, each in a random world.</summary>
public static class ReconfigurationBugs
{
    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Bug("stop-ignored", EpochMutation.StopIgnored),
        Bug("begins-before-chosen", EpochMutation.BeginsBeforeChosen),
        Bug("epoch-ignored", EpochMutation.EpochIgnored),
        Bug("votes-without-state", EpochMutation.VotesWithoutState),
        Bug("live-members-only", EpochMutation.LiveMembersOnly),
        Bug("unsafe-quorums-adopted", EpochMutation.UnsafeQuorumsAdopted),
    ];

    private static IReadOnlyList<QuorumSystem> Unsafe { get; } =
        [new SizedQuorums(NodeSet.Of(new(1), new(2), new(3), new(4)), 2, 2), SizedQuorums.Majority(NodeSet.Of(new(1), new(2), new(3)))];

    /// <summary>Splits that last longer than a lease and an election: each half has a quorum if quorums need not meet.</summary>
    private static FaultPlan Splits { get; } = new()
    {
        Faults = [new Partitions(Duration.FromMilliseconds(800), Duration.FromMilliseconds(800), OneWay: false)],
    };

    private static RoomBug Bug(string name, EpochMutation mutation) => new("reconfiguration-" + name, nameof(MultiPaxos), seed =>
    {
        try
        {
            var isUnsafe = mutation == EpochMutation.UnsafeQuorumsAdopted;
            new ReconfigurationWorld(seed, mutation, isUnsafe ? Unsafe : null, isUnsafe ? Splits : null)
                .Run(Duration.FromSeconds(6), Duration.FromSeconds(60));
            return null;
        }
        catch (SimulationFailure failure)
        {
            return failure;
        }
    });
}
