using Synod.Core;
using Synod.Database.Locks;
using Synod.Database.Transactions;

namespace Synod.Database.Ranges;

/// <summary>
/// What the leader of a range keeps in memory for one term: locks, running transactions, and the timestamps it has given out.
/// It is made when the leader has applied everything before its term and holds its lease, and dropped when the term ends.
/// </summary>
internal sealed partial class RangeLeader
{
    private readonly RangeReplica _replica;
    private readonly StepScope _step;
    private readonly DatabaseOptions _options;
    private readonly LockTable _locks = new();
    private readonly SortedList<TransactionId, LeaderTransaction> _transactions = [];
    private readonly SortedList<TransactionId, Finishing> _finishing = [];
    private readonly SortedDictionary<ulong, ulong> _wounded = [];
    private readonly List<TransactionId> _forgettable = [];
    private readonly SortedList<TransactionId, SortedSet<ulong>> _inquirers = [];

    // The largest timestamp assigned in this term; the floor is the lease's start, which is above all that earlier leaders used.
    private Timestamp _lastAssigned;

    // The largest timestamp that a read was served at: every later commit must be above it.
    private Timestamp _lastRead;

    // Whether a Collect of this term is on its way.
    private bool _isCollecting;

    public RangeLeader(RangeReplica replica, StepScope step, DatabaseOptions options, Ballot term, Timestamp leaseStart)
    {
        _replica = replica;
        _step = step;
        _options = options;
        Term = term;
        _lastAssigned = Timestamp.Max(leaseStart, replica.State.LastTimestamp);
        TakePrepared();
        TakeStaged();
        foreach (var (id, committed) in replica.State.Unresolved)
        {
            _finishing.Add(id, new Finishing(Outcome.Commit(committed.Timestamp), new(committed.Participants), default));
        }
    }

    /// <summary>The term that the locks belong to.</summary>
    public Ballot Term { get; }

    public int LockCount => _locks.Count;

    /// <summary>Whether anything needs the periodic look of <see cref="Tick"/>.</summary>
    public bool IsBusy => _transactions.Count + _finishing.Count + _forgettable.Count + _inquirers.Count + _applied.Count > 0;

    /// <summary>Why nothing new is begun, while the leader drains before a split or a transfer; null otherwise.</summary>
    public string? Closing { get; private set; }

    /// <summary>Nothing is in flight.</summary>
    public bool IsDrained => _transactions.Count == 0;

    /// <summary>Above every timestamp that this leader gave out, committed at or read at.</summary>
    public Timestamp Floor => Timestamp.Max(_lastAssigned, _lastRead);

    /// <summary>Begins nothing new and gives up what can be given up; what is proposed or prepared is waited for.</summary>
    public void Close(string reason)
    {
        Closing = reason;
        _replica.Hurry();
        foreach (var transaction in _transactions.Values.Where(transaction => transaction.Phase == TransactionPhase.Active).ToList())
        {
            if (_transactions.ContainsKey(transaction.Id) && transaction.Phase == TransactionPhase.Active)
            {
                Wound(transaction, reason);
            }
        }
    }

    public void Reopen() => Closing = null;

    /// <summary>Ends the term: what was not proposed did not happen; what was proposed is for the next leader to know.</summary>
    public void End()
    {
        foreach (var transaction in _transactions.Values)
        {
            var response = transaction.Phase == TransactionPhase.Active
                ? _replica.NotLeader()
                : Responses.Unknown("The leader of the range changed while the transaction was being committed.");
            foreach (var request in transaction.Coordination?.Requests ?? [])
            {
                _step.Answer(request, response);
            }

            foreach (var (request, _) in transaction.Readers)
            {
                _step.Answer(request, _replica.NotLeader());
            }
        }

        foreach (var request in _lockWaits.Values)
        {
            _step.Answer(request, _replica.NotLeader());
        }
    }

    /// <summary>A command of the range's group was applied on this replica, with this effect on the transaction it names.</summary>
    public void OnApplied(RangeCommand command, CommandEffect effect)
    {
        switch (command)
        {
            case RangeCommand.CommitLocal c:
                OnDecided(c.Id, effect);
                break;
            case RangeCommand.Stage c:
                OnStaged(c.Id, effect);
                break;
            case RangeCommand.Commit c:
                OnDecided(c.Id, effect);
                break;
            case RangeCommand.Abort c:
                OnDecided(c.Id, effect);
                break;
            case RangeCommand.Fence c:
                OnFenced(c.Id);
                break;
            case RangeCommand.Prepare c:
                OnPrepared(c, effect);
                break;
            case RangeCommand.Resolve c:
                OnResolved(c);
                break;
            case RangeCommand.Split { Parent.IsRetired: true }:
                // Its successor tells from now on what this group had decided.
                _finishing.Clear();
                _forgettable.Clear();
                break;
            case RangeCommand.Collect:
                _isCollecting = false;
                ContinueCollecting();
                break;
        }
    }

    /// <summary>
    /// Lets versions go that are past retention by a tenth of it. Never above the prepare timestamp of a transaction in doubt: its
    /// versions are still to come.
    /// </summary>
    public void CollectOld()
    {
        // What a former leader began and did not bring to its end comes first.
        ContinueCollecting();
        var now = _step.Context.TrueTime;
        if (!now.IsTrusted || _isCollecting)
        {
            return;
        }

        var threshold = now.Earliest - _options.Retention;
        var state = _replica.State;
        foreach (var promise in state.Prepared.Values.Select(item => item.Promise).Concat(state.Staged.Values.Select(item => item.Promise)))
        {
            threshold = Timestamp.Min(threshold, promise.Timestamp.Previous);
        }

        if (threshold - _replica.State.CollectedUntil > _options.Retention / 10)
        {
            Collect(threshold, Key.Empty);
        }
    }

    private void ContinueCollecting()
    {
        if (!_isCollecting && _replica.State.CollectNext is { } next)
        {
            Collect(_replica.State.CollectedUntil, next);
        }
    }

    private void Collect(Timestamp threshold, Key from)
    {
        _isCollecting = true;
        _replica.Propose(new RangeCommand.Collect(threshold, from));
    }

    /// <summary>Looks after transactions that wait for somebody: silent owners, missing votes, missing outcomes.</summary>
    public void Tick()
    {
        var now = _step.Context.Now;
        foreach (var transaction in _transactions.Values.ToList())
        {
            if (!_transactions.ContainsKey(transaction.Id))
            {
                continue;
            }

            switch (transaction.Phase)
            {
                case not TransactionPhase.Resolving when transaction.Coordination is not null:
                    ContinueCoordination(transaction);
                    break;
                case TransactionPhase.Active when now - transaction.LastActive > _options.TransactionSilenceLimit:
                    Wound(transaction, "Its owner was silent for too long.");
                    break;
                case TransactionPhase.Prepared when now - transaction.LastActive > _options.InquiryInterval:
                    transaction.LastActive = now;
                    _step.ToLeader(new NodeMessage.Inquire(transaction.Coordinator, transaction.Id, _replica.Group));
                    EndDeadlock(transaction);
                    break;
                case TransactionPhase.Prepared when now - transaction.LastActive > _options.Tick / 2:
                    EndDeadlock(transaction);
                    break;
            }
        }

        TickFinishing(now);
        TickApplied();
    }

    /// <summary>
    /// A prepared transaction is not wounded here, but its parts elsewhere may wait for locks of the very transaction that waits
    /// here. The vote is taken back: a coordinator that has not decided aborts, and one that has does not listen.
    /// </summary>
    private void EndDeadlock(LeaderTransaction transaction)
    {
        if (_locks.BlocksOlder(transaction))
        {
            VoteNo(transaction.Coordinator, transaction.Id);
        }
    }

    /// <summary>
    /// A commit or prepare timestamp (spanner.md §4.2): at or above true time's latest, above every timestamp assigned or read at
    /// by this leader, and inside its lease. Null if the lease is too short for it: then nothing may be assigned.
    /// </summary>
    private Timestamp? Assign(Timestamp atLeast)
    {
        var now = _step.Context.TrueTime;
        if (!_replica.HoldsLease)
        {
            return null;
        }

        var floor = Timestamp.Max(_lastAssigned.Next, atLeast);
        if (!_options.Mutation.HasFlag(DatabaseMutation.IgnoreReadTimestamps))
        {
            floor = Timestamp.Max(floor, _lastRead.Next);
        }

        var timestamp = Timestamp.Max(now.Latest, floor);
        if (timestamp >= _replica.LeaseEnd)
        {
            return null;
        }

        _lastAssigned = timestamp;
        return timestamp;
    }

    /// <summary>
    /// A vote for the transaction, to be recorded: null if the lease is too short for it. What it says of read locks is true of this
    /// leader's lease as it is now, and a later one only lasts longer.
    /// </summary>
    private Promise? Vouch(LeaderTransaction transaction)
    {
        if (Assign(Timestamp.Zero) is not { } timestamp)
        {
            return null;
        }

        transaction.Timestamp = timestamp;
        transaction.Promise = new Promise(timestamp, transaction.HasReads ? _replica.LeaseEnd.Previous : Timestamp.MaxValue);
        return transaction.Promise;
    }

    private LeaderTransaction Begin(TransactionId id, Age age)
    {
        if (!_transactions.TryGetValue(id, out var transaction))
        {
            transaction = new LeaderTransaction(
                id, age, _step.Context.Now, _options.Mutation.HasFlag(DatabaseMutation.WoundPrepared));
            _transactions.Add(id, transaction);
        }

        transaction.LastActive = _step.Context.Now;
        return transaction;
    }

    /// <summary>
    /// Whether the transaction lost its locks here earlier in this term. A session has one transaction at a time, so one mark a
    /// session is enough.
    /// </summary>
    private bool WasWounded(TransactionId id) => _wounded.TryGetValue(id.Client, out var sequence) && sequence >= id.Sequence;

    private bool Lock(LeaderTransaction transaction, LockMode mode, IReadOnlyList<KeySpan> spans, object tag)
    {
        var wounded = new List<ILockOwner>();
        var granted = _locks.Acquire(transaction, mode, spans, tag, wounded);
        if (!granted)
        {
            _replica.Hurry();
        }

        WoundAll(wounded);
        // Releasing the wounded may have granted this very request, which then was continued through its tag.
        return granted;
    }

    private void WoundAll(List<ILockOwner> wounded)
    {
        foreach (var owner in wounded)
        {
            // One that was wounded before it may have handed on the lock that this one waited for, and with it the right to propose.
            if (_transactions.TryGetValue(owner.Id, out var transaction) && transaction.IsWoundable)
            {
                Wound(transaction, "An older transaction needed its locks.");
            }
        }
    }

    /// <summary>
    /// Aborts a transaction that has no record here yet, or has it aborted if this leader may: it keeps a mark so that a later part of
    /// it is refused.
    /// </summary>
    private void Wound(LeaderTransaction transaction, string reason)
    {
        _wounded[transaction.Id.Client] = Math.Max(transaction.Id.Sequence, _wounded.GetValueOrDefault(transaction.Id.Client));
        foreach (var wait in _lockWaits.Where(wait => wait.Key.Transaction == transaction.Id).ToList())
        {
            _lockWaits.Remove(wait.Key);
            _step.Answer(wait.Value, Responses.Aborted(reason));
        }

        if (transaction.Coordination is { } coordination)
        {
            DecideAbort(transaction, coordination, reason);
        }
        else
        {
            if (transaction.Coordinator != 0)
            {
                VoteNo(transaction.Coordinator, transaction.Id);
            }

            Remove(transaction);
        }
    }

    /// <summary>Forgets a transaction, hands its locks on and lets those continue that waited for it.</summary>
    private void Remove(LeaderTransaction transaction)
    {
        _transactions.Remove(transaction.Id);
        ReleaseLocks(transaction);
        foreach (var (request, body) in transaction.Readers)
        {
            _replica.Handle(request, body);
        }
    }

    private void ReleaseLocks(LeaderTransaction transaction)
    {
        var granted = new List<object>();
        var wounded = new List<ILockOwner>();
        _locks.Release(transaction.Id, granted, wounded);
        foreach (var tag in granted)
        {
            Continue(tag);
        }

        WoundAll(wounded);
    }

    private void Continue(object tag)
    {
        switch (tag)
        {
            case LockedRead read:
                ContinueRead(read);
                break;
            case LeaderTransaction transaction when _transactions.ContainsKey(transaction.Id):
                OnWriteLocked(transaction);
                break;
        }
    }

    private static List<KeySpan> KeysOf(IReadOnlyList<KeyWrite> writes) => [.. writes.Select(write => KeySpan.Only(write.Key))];
}
