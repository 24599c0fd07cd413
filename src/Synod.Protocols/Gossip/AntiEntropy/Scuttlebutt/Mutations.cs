namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// Known mistakes, one line each at the guard that they disable. Tests and the hunts of the lab make a protocol with one of them, and
/// fail if it is not found.
/// </summary>
internal enum ScuttlebuttMutation
{
    None,

    /// <summary>All write under one origin, as in the teaching code: two writers give one version to different contents.</summary>
    VersionWithoutOrigin,

    /// <summary>What does not fit into a message is cut off at its old end.</summary>
    NewestFirst,

    /// <summary>A message that was cut says that it is complete.</summary>
    ThroughOverstated,

    /// <summary>A run is taken without what is before it.</summary>
    GapAccepted,

    /// <summary>Tombstones are dropped before everybody has them, and nobody is told.</summary>
    FloorNotRaised,

    /// <summary>A reset leaves what was there.</summary>
    ResetKeepsOld,

    /// <summary>Who lacks deletions that are forgotten here is believed.</summary>
    StaleBelieved,

    /// <summary>Messages leave before what they tell is durable.</summary>
    SendBeforeDurable,

    /// <summary>A write is answered before it is durable.</summary>
    AnswerBeforeDurable,

    /// <summary>A restored disk goes on numbering where its backup ended.</summary>
    RestoredKeepsOrigin,

    /// <summary>What others say in this origin's name is taken.</summary>
    ForgedOriginTaken,

    /// <summary>Updates of fenced origins are taken.</summary>
    FencedAccepted,

    /// <summary>Each message begins with the first origin and fills up with it.</summary>
    Unfair,
}
