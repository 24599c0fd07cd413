using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Which way rumors go in a contact (Demers et al. 1987).</summary>
public enum RumorStyle : byte
{
    /// <summary>Whoever knows tells. Nothing is sent while nothing is new.</summary>
    Push,

    /// <summary>Everybody asks.</summary>
    Pull,

    /// <summary>Both in one contact.</summary>
    PushPull,
}

/// <summary>What makes a node lose interest in a rumor.</summary>
public enum InterestLoss : byte
{
    /// <summary>After k contacts in a row that did not need it.</summary>
    FeedbackCounter,

    /// <summary>With probability 1/k after each contact that did not need it.</summary>
    FeedbackCoin,

    /// <summary>After k contacts.</summary>
    BlindCounter,

    /// <summary>With probability 1/k after each contact.</summary>
    BlindCoin,
}

/// <summary>Times and limits; all in one class so that a deployment can say it once.</summary>
public sealed record RumorOptions
{
    public RumorStyle Style { get; init; } = RumorStyle.PushPull;

    public InterestLoss Loss { get; init; } = InterestLoss.FeedbackCounter;

    /// <summary>The k of the rule above. The residue falls to about a third with each (gossip.md §4).</summary>
    public int K { get; init; } = 4;

    /// <summary>Peers contacted in a round.</summary>
    public int FanOut { get; init; } = 1;

    /// <summary>The length of a round.</summary>
    public Duration Period { get; init; } = Duration.FromMilliseconds(200);

    /// <summary>A round is later by up to this, drawn anew each time, so that nodes do not keep step; less than the period.</summary>
    public Duration Jitter { get; init; } = Duration.FromMilliseconds(40);

    /// <summary>Bytes of rumors in one message, which should fit one packet.</summary>
    public int MostBytes { get; init; } = 1_200;

    /// <summary>Rumors that a node spreads at once; beyond, it loses interest in the one that it has sent most often.</summary>
    public int MostHot { get; init; } = 4_096;

    /// <summary>Which life of this node's durable state it is: another number, never used before, whenever its disk was lost.</summary>
    public long Incarnation { get; init; }

    public RumorLimits Limits { get; init; } = new();

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal RumorsMutation Mutation { get; init; }
}
