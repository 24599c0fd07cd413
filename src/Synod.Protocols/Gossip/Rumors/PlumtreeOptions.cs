using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Times and limits; all in one class so that a deployment can say it once.</summary>
public sealed record PlumtreeOptions
{
    /// <summary>t1: how long a node waits for a payload after its first announcement. A few round trips.</summary>
    public Duration FirstWait { get; init; } = Duration.FromMilliseconds(300);

    /// <summary>t2: how long it waits after asking one announcer before it asks the next; shorter than t1.</summary>
    public Duration NextWait { get; init; } = Duration.FromMilliseconds(150);

    /// <summary>Announcements of this long go out together.</summary>
    public Duration Batch { get; init; } = Duration.FromMilliseconds(50);

    /// <summary>How long a payload is kept for those who ask, and told of to new neighbours.</summary>
    public Duration Keep { get; init; } = Duration.FromSeconds(10);

    /// <summary>By how many hops an announcement must be closer to its origin than the payload was, for the links to be swapped.</summary>
    public int Threshold { get; init; } = 3;

    /// <summary>Ids in one message, which should fit one packet.</summary>
    public int MostAnnounced { get; init; } = 128;

    /// <summary>Ids first announced by one neighbour that a node waits for at once.</summary>
    public int MostMissing { get; init; } = 1_024;

    /// <summary>Which life of this node's durable state it is: another number, never used before, whenever its disk was lost.</summary>
    public long Incarnation { get; init; }

    public RumorLimits Limits { get; init; } = new();

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal RumorsMutation Mutation { get; init; }

    /// <summary>Whether payloads outlive every request that an announcement of them may cause (gossip.md §7).</summary>
    internal bool IsSound => FirstWait > NextWait && NextWait > Duration.Zero && Batch > Duration.Zero
        && Keep > FirstWait + NextWait * 2 + Batch * 2 && MostAnnounced > 0 && MostMissing > 0 && Threshold > 0;
}
