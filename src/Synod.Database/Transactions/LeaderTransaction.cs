using Synod.Core;
using Synod.Database.Locks;

namespace Synod.Database.Transactions;

/// <summary>Where a transaction stands at the leader of one range.</summary>
internal enum TransactionPhase : byte
{
    /// <summary>It reads, or waits for its write locks. It may be wounded.</summary>
    Active,

    /// <summary>A record of it is proposed and not yet applied.</summary>
    Proposed,

    /// <summary>Its Prepare or Stage record is chosen and applied: it may be committed as soon as all of its records are.</summary>
    Prepared,

    /// <summary>Its outcome is known and proposed, and not yet applied.</summary>
    Resolving,
}

/// <summary>A transaction at the leader of one range it touched. Lives in the leader's memory; only records outlive it.</summary>
internal sealed class LeaderTransaction(TransactionId id, Age age, Instant now, bool woundPrepared) : ILockOwner
{
    public TransactionId Id => id;

    public Age Age => age;

    public TransactionPhase Phase { get; set; }

    /// <summary>A staged one as long as a vote is missing: whoever coordinates it has told nobody of a commit, and may abort it.</summary>
    public bool IsWoundable =>
        Phase == TransactionPhase.Active
        || (Phase is TransactionPhase.Proposed or TransactionPhase.Prepared
            && Coordination is { AllVoted: false, IsRecovery: false })
        || (woundPrepared && Phase == TransactionPhase.Prepared);

    /// <summary>Whether it may be committed while its writes here are still intents.</summary>
    public bool IsInDoubt => Phase is TransactionPhase.Prepared or TransactionPhase.Resolving;

    /// <summary>The smallest timestamp it may commit at, once a record is proposed: reads at or above wait for it.</summary>
    public Timestamp? Timestamp { get; set; }

    /// <summary>What its Prepare or Stage record promises.</summary>
    public Promise Promise { get; set; }

    /// <summary>When its owner, or its coordinator, was last heard of or asked.</summary>
    public Instant LastActive { get; set; } = now;

    public bool HasReads { get; set; }

    public IReadOnlyList<KeyWrite> Writes { get; set; } = [];

    /// <summary>Reads that wait until it is over.</summary>
    public List<(RequestId Request, Api.Request Body)> Readers { get; } = [];

    /// <summary>Its second phase, if this range's group coordinates it.</summary>
    public Coordination? Coordination { get; set; }

    /// <summary>The coordinating group, if this range takes part.</summary>
    public ulong Coordinator { get; set; }

    /// <summary>The outcome, if it was learnt before the Prepare record was applied here.</summary>
    public Outcome? EarlyOutcome { get; set; }
}

/// <summary>A commit in progress at its coordinator, or one that it has to bring to its end.</summary>
internal sealed class Coordination(Instant started)
{
    /// <summary>Client requests that wait for the outcome; more than one if the client asked again.</summary>
    public List<RequestId> Requests { get; } = [];

    /// <summary>The other groups that take part, with what they are to write.</summary>
    public SortedList<ulong, Participant> Participants { get; } = [];

    public Instant Started { get; } = started;

    public Instant LastSent { get; set; } = started;

    /// <summary>
    /// Whether it was found staged by a new leader. The one before may have told its client of a commit, so only the participants' records
    /// decide (commit.md §5.4).
    /// </summary>
    public bool IsRecovery { get; init; }

    public string AbortReason { get; set; } = "";

    public bool AllVoted => Participants.Values.All(participant => participant.Promise is not null);
}

/// <summary>A group that takes part in a commit, as its coordinator sees it.</summary>
internal sealed class Participant(IReadOnlyList<KeyWrite> writes, Ballot readTerm)
{
    public IReadOnlyList<KeyWrite> Writes => writes;

    /// <summary>The term in which the transaction took its read locks there; none if it only writes.</summary>
    public Ballot ReadTerm => readTerm;

    /// <summary>What it promised by its vote; null until then.</summary>
    public Promise? Promise { get; set; }
}

/// <summary>A decided transaction whose participants have not all said that they applied it.</summary>
internal sealed class Finishing(Outcome outcome, SortedSet<ulong> waiting, Instant now)
{
    public Outcome Outcome => outcome;

    public SortedSet<ulong> Waiting => waiting;

    public Instant LastSent { get; set; } = now;
}
