using Synod.Lab.Worlds;
using Synod.Protocols.Commit;

namespace Synod.Lab.Hunts;

/// <summary>Known mistakes of three-phase commit that show in the synchronous world, in which the protocol is right.</summary>
public static class ThreePhaseCommitBugs
{
    private static readonly (string Name, ThreePhaseCommitMutation Mutation)[] Known =
    [
        ("3pc-vote-volatile", ThreePhaseCommitMutation.VoteBeforeDurable),
        ("3pc-first-back-decides", ThreePhaseCommitMutation.FirstBackDecides),
        ("3pc-presumes-abort", ThreePhaseCommitMutation.PresumeAbort),
        ("3pc-recovered-takes-part", ThreePhaseCommitMutation.RecoveredTakesPart),
        ("3pc-timeout-aborts", ThreePhaseCommitMutation.TimeoutMeansAbort),
        ("3pc-no-tombstone", ThreePhaseCommitMutation.NoTombstone),
        ("3pc-locks-lost", ThreePhaseCommitMutation.RecoverWithoutLocks),
        ("3pc-forgets-too-early", ThreePhaseCommitMutation.ForgetTooEarly),
    ];

    public static IReadOnlyList<RoomBug> All { get; } = [.. Known.Select(item => Bug(item.Name, item.Mutation))];

    internal static IEnumerable<ThreePhaseCommitMutation> Mutations => Known.Select(item => item.Mutation);

    private static RoomBug Bug(string name, ThreePhaseCommitMutation mutation) => new(
        name,
        nameof(ThreePhaseCommit),
        seed => CommitHunt.Objection(() =>
            CommitWorld<ThreePhaseCommit.Message, ThreePhaseCommit.Record>.RunSynchronous(seed, CommitRooms.ThreePhase(mutation), 4)));
}
