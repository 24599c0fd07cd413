namespace Synod.Protocols.Consensus;

/// <summary>Known mistakes, each a deviation at one guard. Only tests and the seeded-bugs table set them.</summary>
[Flags]
internal enum MultiPaxosMutation
{
    None = 0,

    /// <summary>Recovery forgets the promise.</summary>
    PromiseForgottenOnRestart = 1 << 0,

    /// <summary>Accepted leaves before the acceptance is durable.</summary>
    AcceptedBeforeDurable = 1 << 1,

    /// <summary>Promise leaves before the promise is durable.</summary>
    PromiseBeforeDurable = 1 << 2,

    /// <summary>A candidate's own promise is not written, so a restarted node uses the ballot again.</summary>
    BallotReused = 1 << 3,

    /// <summary>A new leader proposes NoOps whatever was reported.</summary>
    IgnorePromisedValues = 1 << 4,

    /// <summary>A follower takes any value in a committed slot for the chosen one.</summary>
    CommitOverStaleEntry = 1 << 5,

    /// <summary>A lease vote leaves without being written.</summary>
    LeaseVoteNotDurable = 1 << 6,

    /// <summary>An acceptor promises although its lease vote binds it.</summary>
    LeaseIgnoredByAcceptor = 1 << 7,

    /// <summary>The holder of a lease does not look at the clock.</summary>
    StaleLeaseRead = 1 << 8,

    /// <summary>A leader counts its own acceptance before it is durable.</summary>
    OwnVoteBeforeDurable = 1 << 9,

    /// <summary>A new leader serves before its own barrier is executed.</summary>
    NoBarrier = 1 << 10,

    /// <summary>A snapshot older than the state is installed.</summary>
    SnapshotRegresses = 1 << 11,

    /// <summary>The latest reported value wins instead of that of the highest ballot.</summary>
    LatestReportedValueWins = 1 << 12,

    /// <summary>Votes of earlier ballots are counted.</summary>
    OldBallotCounted = 1 << 13,

    /// <summary>An acceptor that dropped chosen slots does not say so.</summary>
    FloorNotReported = 1 << 14,
}
