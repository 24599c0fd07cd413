namespace Synod.Protocols.Gossip;

/// <summary>
/// Known mistakes, one line each at the guard that they disable. Tests and the hunts of the lab make a protocol with one of them, and
/// fail if it is not found.
/// </summary>
internal enum MembershipMutation
{
    None,

    /// <summary>Alive overrides a suspicion of the same incarnation.</summary>
    AliveAtEqualWins,

    /// <summary>A suspicion needs a larger incarnation than the one alive.</summary>
    SuspectNeedsMore,

    /// <summary>Alive brings the dead back without a larger incarnation.</summary>
    DeadIsNotSticky,

    /// <summary>Dead overrides any incarnation, as the paper's Confirm does.</summary>
    DeadAtAnyIncarnation,

    /// <summary>A suspected member does not object.</summary>
    NoRefutation,

    /// <summary>A suspected member says that it is alive, at the incarnation that is suspected.</summary>
    RefuteWithoutRaising,

    /// <summary>Whoever suspects a member raises its incarnation.</summary>
    OthersRaise,

    /// <summary>A restarted node begins again at its first incarnation.</summary>
    IncarnationForgotten,

    /// <summary>An incarnation is announced before its reservation is durable.</summary>
    AnnounceBeforeDurable,

    /// <summary>The timer of a suspicion outlives its refutation.</summary>
    SuspicionNotCancelled,

    /// <summary>The same accuser confirms a suspicion again and again.</summary>
    SameAccuserCounts,

    /// <summary>Confirmations do not shorten a suspicion.</summary>
    ConfirmationsIgnored,

    /// <summary>Nobody is asked to ping on our behalf, and no stream is tried.</summary>
    NoIndirectProbes,

    /// <summary>No stream is tried.</summary>
    NoFallback,

    /// <summary>Targets are drawn instead of taken in turn.</summary>
    RandomTargets,

    /// <summary>An answer to any ping counts for the current one.</summary>
    OldAckCounts,

    /// <summary>An answer counts whoever sends it.</summary>
    AckFromAnyone,

    /// <summary>Helpers that hear nothing say nothing.</summary>
    NoNacks,

    /// <summary>A node that hears badly waits no longer than others.</summary>
    HealthIgnored,

    /// <summary>A suspect is not told.</summary>
    NoBuddy,

    /// <summary>The dead and missing seeds are never tried again.</summary>
    DeadForgotten,

    /// <summary>The dead are forgotten at once.</summary>
    ReclaimedAtOnce,

    /// <summary>Datagrams take as much news as there is.</summary>
    UnboundedPiggyback,

    /// <summary>What was accepted is not told on.</summary>
    NewsKept,

    /// <summary>Tables are not compared with those of the living.</summary>
    TablesNotCompared,

    /// <summary>A newcomer takes its name whoever has it.</summary>
    NameClaimed,

    /// <summary>Any incarnation is believed.</summary>
    AbsurdIncarnations,

    /// <summary>A node that leaves just stops.</summary>
    LeaveUntold,

    /// <summary>Suspicions of members that nobody knows make members.</summary>
    GhostsTaken,

    /// <summary>A pause of our own counts against the members.</summary>
    PausesCount,
}
