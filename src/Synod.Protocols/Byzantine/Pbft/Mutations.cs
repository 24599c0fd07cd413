namespace Synod.Protocols.Byzantine;

/// <summary>
/// Known mistakes, one line each at the guard that they disable. Tests make replicas with one of them and fail if no tool finds it;
/// nothing else can.
/// </summary>
internal enum PbftMutation
{
    None,

    /// <summary>Votes are counted by message, not by sender.</summary>
    CountDuplicates,

    /// <summary>Votes are counted whatever digest they are for.</summary>
    OmitDigestComparison,

    /// <summary>Quorums of 2f.</summary>
    SmallQuorums,

    /// <summary>The primary's prepare is counted beside its pre-prepare.</summary>
    CountPrimaryPrepare,

    /// <summary>A new view's pre-prepares are believed and not computed again.</summary>
    BelieveNewView,

    /// <summary>Of prepared certificates for a slot the one with the lowest view is taken.</summary>
    LowestPreparedView,

    /// <summary>What a view change says to have prepared is believed without its signatures.</summary>
    BelievePrepared,

    /// <summary>A new view leaves slots without a certificate out instead of filling them with null.</summary>
    LeaveGaps,

    /// <summary>A batch is executed when it is prepared.</summary>
    ExecutePrepared,

    /// <summary>A prepare leaves before it is durable what was accepted.</summary>
    PrepareBeforeDurable,

    /// <summary>A commit leaves before it is durable that the slot prepared.</summary>
    CommitBeforeDurable,

    /// <summary>A view change leaves before it is durable that the old view was left.</summary>
    ViewChangeBeforeDurable,

    /// <summary>Requests are taken whoever signed them.</summary>
    UnsignedRequests,

    /// <summary>A request is executed as often as it is ordered.</summary>
    ExecuteTwice,

    /// <summary>Replies that were given are not part of the state that others fetch.</summary>
    ForgetReplies,

    /// <summary>Fetched pages are not held against the certified digest.</summary>
    BelieveChunks,

    /// <summary>A client is content with the first reply.</summary>
    TrustFirstReply,

    /// <summary>Reads are asked of all replicas, and yet ordered requests are content with f+1 replies.</summary>
    FewRepliesBesideReads,

    /// <summary>Whatever is executed calms a replica that waits for another request.</summary>
    AnyProgressCalms,
}
