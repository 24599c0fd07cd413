using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>Who says that a member does not answer.</summary>
public enum FailureDetector : byte
{
    /// <summary>Everyone probes everyone in turn, with the help of others (gossip.md §2.2): constant load, any number of members.</summary>
    Probes,

    /// <summary>A few neighbours expect regular answers, and doubt grows with the time since the last (gossip.md §3).</summary>
    PhiAccrual,
}

/// <summary>Times, numbers and limits; all in one class so that a deployment can say it once. The defaults are for one site.</summary>
public sealed record MembershipOptions
{
    /// <summary>Over the Internet: slower, and more patient.</summary>
    public static MembershipOptions Wan { get; } = new()
    {
        Period = Duration.FromSeconds(5),
        PingTimeout = Duration.FromSeconds(3),
        GossipInterval = Duration.FromMilliseconds(500),
        GossipFanOut = 4,
        SyncInterval = Duration.FromSeconds(60),
        ContactInterval = Duration.FromSeconds(30),
    };

    /// <summary>Who is asked first: one that answers is enough to join, and a node without any starts alone.</summary>
    public ImmutableArray<NodeId> Seeds { get; init; } = [];

    public FailureDetector Detector { get; init; }

    /// <summary>The protocol period T': one member is probed in each.</summary>
    public Duration Period { get; init; } = Duration.FromSeconds(1);

    /// <summary>How long an answer to a ping may take before others are asked to try.</summary>
    public Duration PingTimeout { get; init; } = Duration.FromMilliseconds(500);

    /// <summary>How many are asked to ping on our behalf (k).</summary>
    public int Helpers { get; init; } = 3;

    public Duration GossipInterval { get; init; } = Duration.FromMilliseconds(200);

    /// <summary>How many hear news in each gossip interval (f).</summary>
    public int GossipFanOut { get; init; } = 3;

    /// <summary>News is sent this often times the digits of the number of members (lambda).</summary>
    public int Retransmissions { get; init; } = 4;

    /// <summary>How often tables are compared with somebody's.</summary>
    public Duration SyncInterval { get; init; } = Duration.FromSeconds(30);

    /// <summary>How often somebody who is dead, or a seed that is missing, is tried: a healed partition grows together by it.</summary>
    public Duration ContactInterval { get; init; } = Duration.FromSeconds(10);

    /// <summary>A suspicion lasts at least this many periods for each digit of the number of members (alpha).</summary>
    public int SuspicionPeriods { get; init; } = 5;

    /// <summary>An unconfirmed suspicion lasts so many times longer (beta).</summary>
    public int UnconfirmedFactor { get; init; } = 6;

    /// <summary>How many others must confirm a suspicion until it lasts no longer than the least (K); at most 6.</summary>
    public int Confirmations { get; init; } = 3;

    /// <summary>The worst local health (S): how many times longer a node that hears badly waits. 0: it never doubts itself.</summary>
    public int WorstHealth { get; init; } = 8;

    /// <summary>Whether helpers say that they heard nothing, so that silence is a sign of the asker's own health.</summary>
    public bool Nacks { get; init; } = true;

    /// <summary>Whether a suspect is told so with each ping to it.</summary>
    public bool Buddy { get; init; } = true;

    /// <summary>
    /// Whether a node that finds its own time-outs late gives others their time all the same, instead of blaming them for its pause.
    /// </summary>
    public bool NoticesPauses { get; init; } = true;

    /// <summary>How long the dead are remembered: longer than any partition or sync may lag, or they come back as zombies.</summary>
    public Duration DeadRetention { get; init; } = Duration.FromSeconds(24 * 3600);

    /// <summary>How often a node that is no member asks again.</summary>
    public Duration JoinRetry { get; init; } = Duration.FromSeconds(1);

    /// <summary>How long a goodbye may take.</summary>
    public Duration LeaveTimeout { get; init; } = Duration.FromSeconds(5);

    /// <summary>The most bytes of an encoded message that travels as a datagram. A host that adds a header subtracts it.</summary>
    public int DatagramBytes { get; init; } = 1_400;

    /// <summary>More members than this are refused.</summary>
    public int MaxMembers { get; init; } = 100_000;

    /// <summary>How many incarnations one durable record is good for.</summary>
    public int IncarnationReserve { get; init; } = 64;

    /// <summary>
    /// How far an incarnation may be ahead of this node's clock, both in milliseconds; one further ahead is forged. Incarnations begin at
    /// a clock's time and are raised by ones, so that an honest one is ahead by no more than clocks differ.
    /// </summary>
    public Duration IncarnationLead { get; init; } = Duration.FromSeconds(24 * 3600);

    public PhiAccrualOptions Phi { get; init; } = new();

    /// <summary>How many members a node expects regular answers from, if the detector is <see cref="FailureDetector.PhiAccrual"/>.</summary>
    public int Neighbours { get; init; } = 5;

    /// <summary>A known mistake to make, so that tests can prove that they would find it.</summary>
    internal MembershipMutation Mutation { get; init; }

    /// <summary>The same without the three parts of Lifeguard.</summary>
    public MembershipOptions WithoutLifeguard() =>
        this with { WorstHealth = 0, Nacks = false, Confirmations = 0, UnconfirmedFactor = 1, Buddy = false };
}

/// <summary>The expectations of a phi-accrual detector (gossip.md §3).</summary>
public sealed record PhiAccrualOptions
{
    /// <summary>At 8, an answer that comes regularly is taken for missing once in 10^8 times, if its delays are normal.</summary>
    public double Threshold { get; init; } = 8;

    /// <summary>The least standard deviation: very regular answers would make a detector jump at the first late one.</summary>
    public Duration LeastDeviation { get; init; } = Duration.FromMilliseconds(100);

    /// <summary>A pause that is nothing unusual, such as a collection of garbage.</summary>
    public Duration AcceptablePause { get; init; } = Duration.FromSeconds(3);

    /// <summary>How many intervals are remembered.</summary>
    public int Window { get; init; } = 1_000;

    /// <summary>A step of our own this much later than planned means that it is we who paused: what passed meanwhile says nothing.</summary>
    public Duration LocalPause { get; init; } = Duration.FromMilliseconds(500);
}
