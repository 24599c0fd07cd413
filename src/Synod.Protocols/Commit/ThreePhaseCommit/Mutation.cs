namespace Synod.Protocols.Commit;

/// <summary>Known mistakes, each at one guard. Tests and the hunt for mistakes set them, nobody else.</summary>
internal enum ThreePhaseCommitMutation
{
    None,

    /// <summary>A Yes leaves before the promise is durable.</summary>
    VoteBeforeDurable,

    /// <summary>The coordinator decides as soon as it has sent PreCommit.</summary>
    CommitWithoutAcks,

    /// <summary>A backup that finds one P commits while others are still in W.</summary>
    CommitOverWaiting,

    /// <summary>A backup takes P for W, and aborts.</summary>
    AbortOverPreCommitted,

    /// <summary>A process that crashed since its vote takes part in termination as if it had not.</summary>
    RecoveredTakesPart,

    /// <summary>After total failure the first to come back decides from what it knows.</summary>
    FirstBackDecides,

    /// <summary>A participant that answered a backup still obeys the coordinator.</summary>
    ObeysTheOld,

    /// <summary>A participant that waits in W aborts by itself.</summary>
    TimeoutMeansAbort,

    /// <summary>A coordinator that came back presumes abort, as in two-phase commit.</summary>
    PresumeAbort,

    /// <summary>An abort before the vote leaves no tombstone.</summary>
    NoTombstone,

    /// <summary>Promises come back without their locks.</summary>
    RecoverWithoutLocks,

    /// <summary>A checkpoint leaves out how things ended.</summary>
    CheckpointWithoutEndings,

    /// <summary>A checkpoint leaves out the marks that stand for what is forgotten.</summary>
    CheckpointWithoutMarks,

    /// <summary>A participant forgets how a transaction ended as soon as it is over for itself.</summary>
    ForgetTooEarly,

    /// <summary>A participant says that all is over which its coordinator leads no more, whatever it is in doubt about itself.</summary>
    SettleInDoubt,
}
