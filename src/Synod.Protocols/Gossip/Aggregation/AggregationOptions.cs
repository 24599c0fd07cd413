using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Times and limits; all in one class so that a deployment can say it once.</summary>
public sealed record AggregationOptions
{
    /// <summary>The length of a round.</summary>
    public Duration Period { get; init; } = Duration.FromMilliseconds(200);

    /// <summary>A round is later by up to this, drawn anew each time, so that nodes do not keep step; less than the period.</summary>
    public Duration Jitter { get; init; } = Duration.FromMilliseconds(40);

    /// <summary>
    /// Rounds of a computation, after which a new one starts with the nodes and readings of then: what crashes took or left is forgotten.
    /// Errors halve about every two rounds once all have heard of each other; 50 suffice for 10,000 nodes.
    /// </summary>
    public int EpochRounds { get; init; } = 50;

    /// <summary>Rounds that a node which has never taken part listens for an epoch of others before it starts one.</summary>
    public int ListenRounds { get; init; } = 5;

    /// <summary>Rounds after which a transfer that is not acknowledged is sent again.</summary>
    public int ResendRounds { get; init; } = 2;

    /// <summary>Readings of one metric that a node puts in.</summary>
    public int MostReadings { get; init; } = 256;

    /// <summary>Transfers that a node takes in one epoch.</summary>
    public int MostTransfers { get; init; } = 65_536;

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal AggregationMutation Mutation { get; init; }
}
