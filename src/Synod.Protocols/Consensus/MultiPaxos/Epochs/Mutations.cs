namespace Synod.Protocols.Consensus;

/// <summary>Known mistakes, one line each at the guard that they disable, for tests and hunts to find.</summary>
internal enum EpochMutation
{
    None,

    /// <summary>Commands above the Stop, which a leader that does not know it proposed, have their effect.</summary>
    StopIgnored,

    /// <summary>The next epoch begins when its leader has proposed the Stop.</summary>
    BeginsBeforeChosen,

    /// <summary>Messages of another epoch are taken for this one's: ballots and votes of the old group count.</summary>
    EpochIgnored,

    /// <summary>A new member takes part before it has the state.</summary>
    VotesWithoutState,

    /// <summary>Quorums are counted among the members that are known to live, which are those of before.</summary>
    LiveMembersOnly,

    /// <summary>Quorums that need not meet are adopted.</summary>
    UnsafeQuorumsAdopted,
}
