namespace Synod.Protocols.Gossip;

/// <summary>
/// Known mistakes, one line each at the guard that they disable. Tests and the hunts of the lab make a protocol with one of them, and
/// fail if it is not found.
/// </summary>
internal enum AggregationMutation
{
    None,

    /// <summary>What is sent is kept as well.</summary>
    SentIsKept,

    /// <summary>Both halves are rounded down.</summary>
    HalvesRoundedDown,

    /// <summary>A transfer is sent once, and forgotten.</summary>
    SentOnce,

    /// <summary>A repeated transfer is added again.</summary>
    DuplicatesAdded,

    /// <summary>Mass of an epoch that is over is added to the next.</summary>
    StaleAdded,

    /// <summary>Mass leaves before it is durable that this node takes part in the epoch.</summary>
    SentBeforeDurable,

    /// <summary>A restart forgets which epochs it took part in.</summary>
    EpochForgotten,

    /// <summary>A node that restarted takes part in the epoch that it died in.</summary>
    RestartedTakesPart,

    /// <summary>Whoever is told of a later epoch stays in its own.</summary>
    EpochNotFollowed,

    /// <summary>Every node takes itself for the root.</summary>
    EverybodyIsRoot,

    /// <summary>Extremes outlive their epoch.</summary>
    ExtremesKept,

    /// <summary>Buckets beyond the limit are dropped with what is in them.</summary>
    CollapseLosesWeight,

    /// <summary>Mass below nothing, and other absurd mass, is taken.</summary>
    MassUnchecked,

    /// <summary>Mass of strangers is taken.</summary>
    SenderUnchecked,

    /// <summary>What was sent to a peer that left is taken back, although it may have arrived.</summary>
    TakenBack,
}
