namespace Synod.Protocols.Gossip;

/// <summary>
/// Known mistakes of the room's two protocols, one line each at the guard that they disable. Tests and the hunts of the lab make a
/// protocol with one of them, and fail if it is not found.
/// </summary>
internal enum RumorsMutation
{
    None,

    /// <summary>A number alone is a version, as in the teaching code: two writers clash.</summary>
    VersionsWithoutOrigin,

    /// <summary>A node that lost its disk gives out the numbers of its former life again.</summary>
    IncarnationIgnored,

    /// <summary>A restart gives its numbers out again.</summary>
    CounterForgotten,

    /// <summary>A rumor leaves before its origin's record of it is durable.</summary>
    SpreadBeforeDurable,

    /// <summary>A restart forgets what it had started.</summary>
    OwnForgotten,

    /// <summary>What is known is delivered once more.</summary>
    DeliveredAgain,

    /// <summary>Bodies of any size are taken.</summary>
    SizeUnchecked,

    /// <summary>Rumors of strangers are believed.</summary>
    OriginUnchecked,

    /// <summary>Rumors of those who left are no longer believed.</summary>
    FormerForgotten,

    /// <summary>Rumors in one's own name are believed.</summary>
    OwnNumbersUnchecked,

    /// <summary>Whoever sends may be a stranger.</summary>
    SenderUnchecked,

    /// <summary>Mongering: interest is lost with the first contact.</summary>
    InterestLostAtOnce,

    /// <summary>Mongering: interest is never lost.</summary>
    InterestKept,

    /// <summary>Mongering: a repeated feedback counts again.</summary>
    FeedbackRepeats,

    /// <summary>Mongering: what anti-entropy found is not spread.</summary>
    FoundNotSpread,

    /// <summary>Mongering: whoever is asked keeps its rumors to itself.</summary>
    OfferWithheld,

    /// <summary>Tree: a duplicate leaves the link as it is.</summary>
    NoPrune,

    /// <summary>Tree: nothing is announced to lazy peers.</summary>
    NoAnnouncement,

    /// <summary>Tree: what is announced is waited for and never asked for.</summary>
    NoGraft,

    /// <summary>Tree: a graft brings the payload and leaves the link lazy.</summary>
    GraftStaysLazy,

    /// <summary>Tree: only the first announcer is asked.</summary>
    FirstAnnouncerOnly,

    /// <summary>Tree: whoever is down stays in the sets.</summary>
    DownKept,

    /// <summary>Tree: a new neighbour is not told what there is.</summary>
    NewcomerNotTold,

    /// <summary>Tree: payloads are forgotten before they may be asked for.</summary>
    CacheTooShort,

    /// <summary>Tree: a shorter path is not taken.</summary>
    NoOptimisation,

    /// <summary>Tree: everything that is announced is waited for.</summary>
    MissingUnbounded,
}
