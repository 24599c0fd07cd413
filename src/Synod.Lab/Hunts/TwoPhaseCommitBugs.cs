using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of two-phase commit, looked for by random walks through the smallest bank (commit.md §1.6).</summary>
public static class TwoPhaseCommitBugs
{
    private const int Walks = 100;
    private const int Length = 40;

    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Of("vote-before-durable", TwoPhaseCommitMutation.VoteBeforeDurable),
        Of("decision-before-durable", TwoPhaseCommitMutation.DecideBeforeDurable),
        Of("ack-before-durable", TwoPhaseCommitMutation.AckBeforeDurable),
        Of("first-yes-decides", TwoPhaseCommitMutation.FirstYesDecides),
        Of("forgotten-before-acks", TwoPhaseCommitMutation.ForgetBeforeAcks),
        Of("abort-presumed-while-collecting", TwoPhaseCommitMutation.PresumeAbortWhileCollecting),
        Of("timeout-means-abort", TwoPhaseCommitMutation.TimeoutMeansAbort),
        Of("no-tombstone", TwoPhaseCommitMutation.NoTombstone),
        Of("tombstone-before-durable", TwoPhaseCommitMutation.TombstoneBeforeDurable),
        Of("mind-changed", TwoPhaseCommitMutation.MindChange),
        Of("ids-reused", TwoPhaseCommitMutation.ReuseIds),
        Of("recovered-without-locks", TwoPhaseCommitMutation.RecoverWithoutLocks),
    ];

    private static RoomBug Of(string name, TwoPhaseCommitMutation mutation) => new(
        $"2pc-{name}",
        "TwoPhaseCommit",
        seed => RoomBug.Find(seed, TwoPhaseCommitWorld.Showing(mutation, mutation).Wander((int)seed, Walks, Length)));
}
