namespace Synod.Protocols.Byzantine;

/// <summary>
/// Known mistakes (hotstuff.md §9), one line each at the guard that they disable. Mistakes in the rules are rule sets of their own,
/// of which <see cref="VulnerableRules"/> is kept here.
/// </summary>
internal enum HotStuffMutation
{
    None,

    /// <summary>n - f - 1 votes suffice.</summary>
    SmallQuorum,

    /// <summary>A vote leaves before it is durable.</summary>
    VoteBeforeDurable,

    /// <summary>A restart forgets what was voted for.</summary>
    VoteForgotten,

    /// <summary>A restart forgets which views were given up.</summary>
    TimeoutForgotten,

    /// <summary>A restart forgets the lock and the highest certificate.</summary>
    CertificatesForgotten,

    /// <summary>A leader may propose again in a view after a restart.</summary>
    ProposalForgotten,

    /// <summary>A replica votes for each proposal of a leader.</summary>
    VoteTwice,

    /// <summary>A replica votes in a view that it gave up.</summary>
    VoteAfterTimeout,

    /// <summary>A replica votes for a block whose parent is missing.</summary>
    VoteWithoutAncestry,

    /// <summary>Certificates of a proposal are taken in before it is checked.</summary>
    LearnBeforeChecking,

    /// <summary>Signatures of votes are not checked.</summary>
    VotesUnchecked,

    /// <summary>Signatures of certificates are not checked.</summary>
    CertificatesUnchecked,

    /// <summary>One replica's vote counts as often as it arrives.</summary>
    DuplicatesCount,

    /// <summary>A time-out's signature does not cover the view of the highest certificate.</summary>
    TimeoutNotBound,

    /// <summary>A leader builds on what it heard last, not on the highest.</summary>
    LatestReportWins,

    /// <summary>Only the block that a rule commits is executed, not what comes before it.</summary>
    AncestorsSkipped,

    /// <summary>A command in two blocks is executed twice.</summary>
    ExecutedTwice,

    /// <summary>A proposed command is not proposed again if its block is orphaned.</summary>
    OrphansLost,

    /// <summary>Leaders propose only if commands wait that are in no block yet.</summary>
    NoEmptyBlocks,

    /// <summary>f + 1 time-outs of others do not make a replica give up.</summary>
    NoJoining,

    /// <summary>A view is entered on the word of its leader.</summary>
    EnteredUnproven,

    /// <summary>Commands are taken from a leader without their client's signature.</summary>
    CommandsUnchecked,

    /// <summary>A checkpoint is told before its state is durable.</summary>
    CheckpointBeforeDurable,

    /// <summary>f + 1 make a checkpoint stable.</summary>
    SmallCheckpointQuorum,

    /// <summary>The chain below a checkpoint is dropped before the checkpoint is stable.</summary>
    DroppedBeforeStable,

    /// <summary>Signatures of checkpoints are not checked.</summary>
    CheckpointsUnchecked,

    /// <summary>Parts of a state are not held against their digests.</summary>
    PartsUnchecked,

    /// <summary>The state of a checkpoint does not say what was executed of which client.</summary>
    ClientsForgotten,

    /// <summary>Who installs a state forgets its lock.</summary>
    LockForgottenOnInstall,

    /// <summary>A cut log does not say what was voted for and given up.</summary>
    CutForgetsWords,
}
