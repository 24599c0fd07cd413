using Synod.Lab.Worlds;
using Synod.Protocols.Commit;

namespace Synod.Lab.Hunts;

/// <summary>Known mistakes of dynamic enlistment, in each room that shares its guards: each shows while participants restart in a storm.</summary>
public static class EnlistmentBugs
{
    private static readonly (string Name, EnlistmentMutation Mutation)[] Known =
    [
        ("any-life-prepares", EnlistmentMutation.AnyLifePrepares),
        ("another-life-joins", EnlistmentMutation.AnotherLifeJoins),
        ("joins-after-close", EnlistmentMutation.JoinsAfterClose),
        ("enlisted-at-once", EnlistmentMutation.EnlistedAtOnce),
    ];

    public static IReadOnlyList<RoomBug> All { get; } =
    [
        .. Known.Select(item => new RoomBug($"2pc-{item.Name}", nameof(TwoPhaseCommit), seed => CommitHunt.Objection(() =>
            CommitWorld<TwoPhaseCommit.Message, TwoPhaseCommit.Record>.RunStormy(
                seed, CommitRooms.TwoPhase(TwoPhaseCommitMutation.None, item.Mutation), 5, enlists: true)))),
        .. Known.Select(item => new RoomBug($"3pc-{item.Name}", nameof(ThreePhaseCommit), seed => CommitHunt.Objection(() =>
            CommitWorld<ThreePhaseCommit.Message, ThreePhaseCommit.Record>.RunSynchronous(
                seed, CommitRooms.ThreePhase(ThreePhaseCommitMutation.None, item.Mutation), 4, enlists: true)))),
        .. Known.Select(item => new RoomBug($"paxos-commit-{item.Name}", nameof(PaxosCommit), seed => CommitHunt.Objection(() =>
            CommitWorld<PaxosCommit.Message, PaxosCommit.Record>.RunStormy(
                seed, CommitRooms.Paxos(CommitRooms.Acceptors(3), PaxosCommitMutation.None, item.Mutation), 5, enlists: true)))),
    ];

    internal static IEnumerable<EnlistmentMutation> Mutations => Known.Select(item => item.Mutation);
}
