using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Who hears that a replica gave a view up.</summary>
public enum TimeoutSpread : byte
{
    /// <summary>Everyone: n² messages for a bad view, and the fastest way out of it.</summary>
    Everyone,

    /// <summary>
    /// The next leader, with each further wait one more of those that follow it, and after f + 1 of them everyone. Whoever collects
    /// n - f tells all: O(n) messages for a bad view (hotstuff.md §6).
    /// </summary>
    NextLeaders,
}

/// <summary>What all members of a group agree on beforehand.</summary>
public sealed record HotStuffOptions
{
    /// <summary>n members, of which f = (n - 1) / 3 may do anything.</summary>
    public required NodeSet Members { get; init; }

    public required IHotStuffRules Rules { get; init; }

    public required LeaderSchedule Leaders { get; init; }

    /// <summary>The cluster and the configuration that signatures are for.</summary>
    public SigningDomain Domain { get; init; } = new("hotstuff", "", 0);

    public TimeoutSpread Spread { get; init; }

    /// <summary>How long a view may take before it is given up; half as long again after each failed view in a row.</summary>
    public Duration ViewTimeout { get; init; } = Duration.FromMilliseconds(500);

    /// <summary>Where the growth of <see cref="ViewTimeout"/> ends.</summary>
    public Duration LongestTimeout { get; init; } = Duration.FromSeconds(10);

    /// <summary>How long reports of all correct replicas may take, for rules that wait for them.</summary>
    public Duration ReportDelay { get; init; } = Duration.FromMilliseconds(100);

    /// <summary>Leaders propose although nothing waits, so that a decision does not wait for the next command.</summary>
    public bool ProposesWhenIdle { get; init; }

    /// <summary>Commands in a block.</summary>
    public int MaxCommands { get; init; } = 400;

    /// <summary>Bytes of a command.</summary>
    public int MaxPayload { get; init; } = 64 << 10;

    /// <summary>Commands of one client that may wait.</summary>
    public int MaxWaiting { get; init; } = 64;

    /// <summary>Requests that may wait for the answer to one command: a client asks again when it has heard nothing.</summary>
    public int MaxAskers { get; init; } = 8;

    /// <summary>Blocks in one answer to a laggard.</summary>
    public int MaxFetched { get; init; } = 64;

    /// <summary>Bytes of blocks after which an answer to a laggard ends: what is longer than a frame of the transport never arrives.</summary>
    public int MaxFetchedBytes { get; init; } = 8 << 20;

    /// <summary>A checkpoint is due after every so many committed blocks.</summary>
    public int CheckpointPeriod { get; init; } = 512;

    /// <summary>Bytes of one page of the state's tree.</summary>
    public int PageSize { get; init; } = 4096;

    /// <summary>Children of one node of the state's tree.</summary>
    public int FanOut { get; init; } = 16;

    /// <summary>How many members may be Byzantine.</summary>
    public int Faults => (Members.Count - 1) / 3;

    /// <summary>Any two of so many share a correct member.</summary>
    public int Quorum => Members.Count - Faults - (Mutation == HotStuffMutation.SmallQuorum ? 1 : 0);

    internal HotStuffMutation Mutation { get; init; }

    internal bool Has(HotStuffMutation mutation) => Mutation == mutation;
}
