using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>Known mistakes of Paxos Commit that show in a storm.</summary>
public static class PaxosCommitBugs
{
    private static readonly (string Name, PaxosCommitMutation Mutation)[] Known =
    [
        ("paxos-commit-vote-volatile", PaxosCommitMutation.VoteBeforeDurable),
        ("paxos-commit-one-acceptor-decides", PaxosCommitMutation.OneAcceptorDecides),
        ("paxos-commit-acceptance-volatile", PaxosCommitMutation.AcceptBeforeDurable),
        ("paxos-commit-accepts-stale", PaxosCommitMutation.AcceptStale),
        ("paxos-commit-acceptances-forgotten", PaxosCommitMutation.ForgetAcceptances),
        ("paxos-commit-defaults-to-commit", PaxosCommitMutation.DefaultToCommit),
        ("paxos-commit-ignores-reports", PaxosCommitMutation.IgnoreReports),
        ("paxos-commit-lazy-instances", PaxosCommitMutation.LazyInstances),
        ("paxos-commit-one-report-suffices", PaxosCommitMutation.OneReportSuffices),
        ("paxos-commit-ids-reused", PaxosCommitMutation.ReuseIds),
        ("paxos-commit-timeout-aborts", PaxosCommitMutation.TimeoutMeansAbort),
        ("paxos-commit-no-tombstone", PaxosCommitMutation.NoTombstone),
        ("paxos-commit-settles-in-doubt", PaxosCommitMutation.SettleInDoubt),
        ("paxos-commit-first-settled-forgets", PaxosCommitMutation.FirstSettledForgets),
        ("paxos-commit-locks-lost", PaxosCommitMutation.RecoverWithoutLocks),
    ];

    public static IReadOnlyList<RoomBug> All { get; } =
    [
        .. Known.Select(item => Bug(item.Name, item.Mutation, enlists: false)),
        Bug("paxos-commit-set-from-votes", PaxosCommitMutation.SetFromVotes, enlists: true),
    ];

    internal static IEnumerable<PaxosCommitMutation> Mutations => Known.Select(item => item.Mutation).Append(PaxosCommitMutation.SetFromVotes);

    private static RoomBug Bug(string name, PaxosCommitMutation mutation, bool enlists) => new(
        name,
        nameof(PaxosCommit),
        seed => CommitHunt.Objection(() =>
            CommitWorld<PaxosCommit.Message, PaxosCommit.Record>.RunStormy(
                seed, CommitRooms.Paxos(CommitRooms.Acceptors(3), mutation), 5, enlists: enlists)));
}

/// <summary>Turns what a run objects to into an answer.</summary>
internal static class CommitHunt
{
    public static SimulationFailure? Objection(Func<CommitRun> run)
    {
        try
        {
            run();
            return null;
        }
        catch (SimulationFailure failure)
        {
            return failure;
        }
    }
}
