using Synod.Core;
using Synod.Protocols.Gossip;

namespace Synod.Database;

/// <summary>A node of the cluster and where clients reach it.</summary>
/// <param name="Address">Where other nodes reach it, in the host's words; empty if only the host knows.</param>
public sealed record NodeDescriptor(NodeId Id, string ClientAddress, string Address = "");

/// <summary>What a node of the database is told at its start.</summary>
public sealed record DatabaseOptions
{
    public required NodeId Self { get; init; }

    /// <summary>
    /// 0 for a node with its first data folder. A node that lost its disk comes back under another number, drawn once and kept in its
    /// new folder: it takes part in nothing that its forgotten promises concern.
    /// </summary>
    public ulong Incarnation { get; init; }

    /// <summary>
    /// This node, and those of the others that are known from the start: they are asked for the rest. A node that knows nobody is the first
    /// of a cluster.
    /// </summary>
    public required IReadOnlyList<NodeDescriptor> Nodes { get; init; }

    /// <summary>The host looks for another node, and says with <c>Meet</c> which one it has found: this is not the first of a cluster.</summary>
    public bool AwaitsContact { get; init; }

    /// <summary>Replicas of each range; at most the number of nodes.</summary>
    public int ReplicationFactor { get; init; } = 3;

    /// <summary>
    /// The replicas of the range that a new cluster begins with, the same on all nodes; null takes the lowest ids of
    /// <see cref="Nodes"/>, for where those are all.
    /// </summary>
    public NodeSet? InitialReplicas { get; init; }

    /// <summary>How nodes learn of each other. One that is missing is looked for more often than in a large cluster.</summary>
    public MembershipOptions Membership { get; init; } = new() { ContactInterval = Duration.FromSeconds(2), DatagramBytes = GossipBytes };

    /// <summary>How changes of the directory spread. They are few and short: to ask again too early costs less than a redirect.</summary>
    public PlumtreeOptions Rumors { get; init; } = new()
    {
        Batch = Duration.FromMilliseconds(10),
        FirstWait = Duration.FromMilliseconds(100),
        NextWait = Duration.FromMilliseconds(50),
    };

    /// <summary>How averages over the cluster come about.</summary>
    public AggregationOptions Aggregation { get; init; } = new()
    {
        Period = Duration.FromSeconds(1),
        Jitter = Duration.FromMilliseconds(200),
        EpochRounds = 20,
    };

    /// <summary>Which sets of a range's replicas elect and which replicate; majorities by default.</summary>
    public Func<NodeSet, QuorumSystem> Quorums { get; init; } = SizedQuorums.Majority;

    /// <summary>How often a node says that it lives and looks after its transactions.</summary>
    public Duration Tick { get; init; } = Duration.FromMilliseconds(100);

    /// <summary>A node that was silent for so long is taken for dead, for liveness only.</summary>
    public Duration SilenceLimit { get; init; } = Duration.FromMilliseconds(600);

    /// <summary>How long a leader's lease lasts (spanner.md §3); also the longest pause before another can lead.</summary>
    public Duration LeaseDuration { get; init; } = Duration.FromMilliseconds(1500);

    /// <summary>A follower that heard nothing from its leader for this long, up to twice, asks to lead.</summary>
    public Duration ElectionTimeout { get; init; } = Duration.FromMilliseconds(600);

    /// <summary>Commands of a range kept in memory for replicas that lag; one that lags further gets a snapshot.</summary>
    public int RetainedCommands { get; init; } = 4_096;

    public Duration HeartbeatInterval { get; init; } = Duration.FromMilliseconds(150);

    /// <summary>A transaction whose owner was silent for so long, and that is not prepared, loses its locks.</summary>
    public Duration TransactionSilenceLimit { get; init; } = Duration.FromSeconds(5);

    /// <summary>After this long without an outcome a participant asks the coordinator, and a coordinator asks again for votes.</summary>
    public Duration InquiryInterval { get; init; } = Duration.FromMilliseconds(300);

    /// <summary>How long an outcome that nobody waits for may stay unproposed at a participant, until another proposal takes it along.</summary>
    public Duration Patience { get; init; } = Duration.FromMilliseconds(2);

    /// <summary>Votes that take longer abort the transaction.</summary>
    public Duration VoteTimeout { get; init; } = Duration.FromSeconds(5);

    /// <summary>Versions stay readable at least this long.</summary>
    public Duration Retention { get; init; } = Duration.FromSeconds(24 * 3600);

    /// <summary>The program's version, for status.</summary>
    public string Version { get; init; } = "0.1.0";

    /// <summary>What the clock's bound rests on, for status.</summary>
    public string ClockSource { get; init; } = "";

    internal DatabaseMutation Mutation { get; init; }

    /// <summary>What fits a packet of 1,400 bytes beside what hosts add.</summary>
    private const int GossipBytes = 1_300;
}

/// <summary>Known mistakes that simulation must find; each is one guard left out.</summary>
[Flags]
internal enum DatabaseMutation : long
{
    None = 0,

    /// <summary>A replica exposes a version before its timestamp has passed.</summary>
    SkipCommitWait = 1 << 0,

    /// <summary>A participant drops its intents' locks as soon as it has voted.</summary>
    ReleaseIntentEarly = 1 << 1,

    /// <summary>A prepared transaction is wounded like any other.</summary>
    WoundPrepared = 1 << 2,

    /// <summary>A repeated commit request is executed again.</summary>
    ForgetSessions = 1 << 3,

    /// <summary>A snapshot leaves out the sessions.</summary>
    SnapshotWithoutSessions = 1 << 4,

    /// <summary>A leader reads without looking at its lease.</summary>
    ReadWithoutLease = 1 << 5,

    /// <summary>A leader accepts a part whose locks were taken in an earlier term.</summary>
    IgnoreReadTerm = 1 << 6,

    /// <summary>An inquiry about an unknown transaction is answered with abort, without a tombstone.</summary>
    NoTombstone = 1 << 7,

    /// <summary>A transaction is committed at a timestamp at which its read locks may have been lost.</summary>
    IgnoreVoteValidity = 1 << 8,

    /// <summary>A new leader serves before the locks of prepared transactions are taken again.</summary>
    ForgetPreparedLocks = 1 << 9,

    /// <summary>Reads ignore intents that may already be committed.</summary>
    ReadThroughIntents = 1 << 10,

    /// <summary>Commit timestamps ignore the timestamps of reads served before.</summary>
    IgnoreReadTimestamps = 1 << 11,

    /// <summary>The commit timestamp ignores the participants' prepare timestamps.</summary>
    IgnorePrepareTimestamps = 1 << 12,

    /// <summary>Scans lock the keys they found and not the gaps.</summary>
    NoGapLocks = 1 << 13,

    /// <summary>A command of an earlier term is applied although a later leader has begun.</summary>
    ApplyFormerTerms = 1 << 14,

    /// <summary>A coordinator answers when its Stage is chosen, without waiting for the votes.</summary>
    AcknowledgeStage = 1 << 15,

    /// <summary>A coordinator answers before the commit timestamp has passed.</summary>
    AcknowledgeBeforePassed = 1 << 16,

    /// <summary>A coordinator tells the participants to commit before its own record says that the transaction is committed.</summary>
    ResolveImplicitCommit = 1 << 17,

    /// <summary>A participant says that a transaction is prevented, and does not keep the fence.</summary>
    FenceNotKept = 1 << 18,

    /// <summary>A participant says that a transaction is prevented because it has no record of it, without a fence.</summary>
    MissingMeansPrevented = 1 << 19,

    /// <summary>A new leader aborts what it finds staged, without asking the participants.</summary>
    PresumeAbortOfStaged = 1 << 20,

    /// <summary>A Stage is taken although the transaction was aborted before.</summary>
    StageOverOutcome = 1 << 21,

    /// <summary>The locks of a staged transaction are free as soon as somebody wants to abort it.</summary>
    FreeStagedLocksEarly = 1 << 22,

    /// <summary>A vote of no counts as proof that a transaction is not prepared.</summary>
    NoMeansPrevented = 1 << 23,

    /// <summary>Nobody is told when a range changes its leader or its span.</summary>
    TellNobody = 1 << 24,

    /// <summary>A group that retires keeps what it had decided and not told to itself.</summary>
    RetireWithOutcomes = 1 << 25,

    /// <summary>Nobody speaks for a retired group.</summary>
    RetiredIsSilent = 1 << 26,

    /// <summary>A node that lost its disk names groups as it did before.</summary>
    GroupsOfAFormerLife = 1 << 27,

    /// <summary>A group that has retired takes the versions in its span for its own.</summary>
    RetiredHoldsVersions = 1 << 28,

    /// <summary>A silent group stays with a leader that came back as another incarnation.</summary>
    FollowStrangers = 1 << 29,

    /// <summary>A replica that makes a split's child keeps nothing of that the split was chosen.</summary>
    SplitToBeLearnedAgain = 1 << 30,

    /// <summary>A retired group is given up without asking whether anybody has its successor's state.</summary>
    RetiredGoesAtOnce = 1L << 31,

    /// <summary>A retired group answers by what it has left of the transactions that it handed on.</summary>
    RetiredAnswers = 1L << 32,
}
