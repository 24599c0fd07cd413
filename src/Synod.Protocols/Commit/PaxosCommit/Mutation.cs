namespace Synod.Protocols.Commit;

/// <summary>Known mistakes, each at one guard. Tests and the hunt for mistakes set them, nobody else.</summary>
internal enum PaxosCommitMutation
{
    None,

    /// <summary>A manager's 2a leaves before its promise is durable.</summary>
    VoteBeforeDurable,

    /// <summary>A 2b leaves before the acceptance is durable.</summary>
    AcceptBeforeDurable,

    /// <summary>A 1b leaves before the promise is durable.</summary>
    PromiseBeforeDurable,

    /// <summary>An acceptor forgets what it accepted when it restarts.</summary>
    ForgetAcceptances,

    /// <summary>2b of different ballots are counted towards one majority.</summary>
    CountAcrossBallots,

    /// <summary>A new leader takes an instance that nobody reported for prepared.</summary>
    DefaultToCommit,

    /// <summary>A new leader proposes Aborted whatever was reported.</summary>
    IgnoreReports,

    /// <summary>Instances come into being with the first vote: a manager that nobody heard of does not count.</summary>
    LazyInstances,

    /// <summary>An acceptor takes a vote of ballot 0 although a higher ballot is promised.</summary>
    AcceptStale,

    /// <summary>A new leader that does not know the set takes those whose votes were reported for all.</summary>
    SetFromVotes,

    /// <summary>One 2b decides.</summary>
    OneAcceptorDecides,

    /// <summary>A new leader proposes after one report.</summary>
    OneReportSuffices,

    /// <summary>Ballots do not carry the boot epoch.</summary>
    ReuseBallots,

    /// <summary>Ids do not carry the boot epoch.</summary>
    ReuseIds,

    /// <summary>A prepared manager that waits aborts by itself.</summary>
    TimeoutMeansAbort,

    /// <summary>An abort before the vote leaves no tombstone.</summary>
    NoTombstone,

    /// <summary>Promises come back without their locks.</summary>
    RecoverWithoutLocks,

    /// <summary>Nobody but the first F+1 acceptors is ever asked.</summary>
    NoFallback,

    /// <summary>A manager says that all is over which its coordinator waits for no more, whatever it is in doubt about itself.</summary>
    SettleInDoubt,

    /// <summary>An acceptor answers a leader about what it has forgotten as if nobody had voted on it.</summary>
    ReportForgotten,

    /// <summary>An acceptor forgets as soon as one manager is done.</summary>
    FirstSettledForgets,

    /// <summary>A checkpoint leaves out what was promised and accepted as an acceptor.</summary>
    CheckpointWithoutAcceptances,
}
