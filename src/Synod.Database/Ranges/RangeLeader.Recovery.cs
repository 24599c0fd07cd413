using Synod.Core;
using Synod.Database.Locks;
using Synod.Database.Transactions;

namespace Synod.Database.Ranges;

/// <summary>
/// What a new leader finds of transactions: prepared ones keep their locks and wait for their coordinator; staged ones it brings to
/// their end (commit.md §5.4). Whoever meets a prepared transaction asks the coordinator's group, so recovery is that group's leader's,
/// and the next leader's if this one fails: both come to the same end, as it follows from records that stay.
/// </summary>
internal sealed partial class RangeLeader
{
    // Transactions whose coordinator waits for a Fence to be applied.
    private readonly SortedList<TransactionId, ulong> _fencing = [];

    /// <summary>A new leader of the coordinator's group asks for the record of a vote. The answer is found where the Fence is applied.</summary>
    public void OnQueryPrepare(NodeMessage.QueryPrepare message)
    {
        if (_options.Mutation.HasFlag(DatabaseMutation.MissingMeansPrevented) && !_replica.State.Prepared.ContainsKey(message.Id))
        {
            _step.ToLeader(new NodeMessage.Prevented(message.Coordinator, message.Id, _replica.Group));
            return;
        }

        if (_fencing.TryAdd(message.Id, message.Coordinator))
        {
            _replica.Propose(new RangeCommand.Fence(message.Id, _step.Context.TrueTime.Latest));
        }
    }

    /// <summary>
    /// One participant will never be prepared, so the transaction never was committed: nobody can have told a client so.
    /// </summary>
    public void OnPrevented(NodeMessage.Prevented message)
    {
        if (!IsUndecided(message.Id, message.Participant, out var transaction, out _))
        {
            _step.Outbox.Refuse(Refusal.Unexpected);
            return;
        }

        DecideAbort(transaction, transaction.Coordination!, "The leader of the range changed before every participant had prepared.");
    }

    /// <summary>
    /// Speaks for a retired group whose keys this one serves. It retired with nothing prepared and nothing undecided, and prepares nothing
    /// any more; what it had decided is here.
    /// </summary>
    public void OnForPredecessor(NodeMessage.ToLeader message)
    {
        switch (message)
        {
            case NodeMessage.Prepare m:
                _step.ToLeader(new NodeMessage.Vote(m.Coordinator, m.Id, m.Group, false, default));
                break;
            case NodeMessage.QueryPrepare m:
                _step.ToLeader(new NodeMessage.Prevented(m.Coordinator, m.Id, m.Group));
                break;
            case NodeMessage.Resolve m:
                _step.ToLeader(new NodeMessage.Resolved(m.Coordinator, m.Id, m.Group));
                break;
            case NodeMessage.Inquire m:
                OnInquire(m);
                break;
            case NodeMessage.Resolved m:
                OnResolvedBy(m);
                break;
            default:
                _step.Outbox.Refuse(Refusal.Unexpected);
                break;
        }
    }

    private void OnFenced(TransactionId id)
    {
        if (!_fencing.Remove(id, out var coordinator))
        {
            return;
        }

        _step.ToLeader(_replica.State.Prepared.TryGetValue(id, out var prepared)
            ? new NodeMessage.Vote(coordinator, id, _replica.Group, true, prepared.Promise)
            : new NodeMessage.Prevented(coordinator, id, _replica.Group));
    }

    private void TakePrepared()
    {
        foreach (var (id, prepared) in _replica.State.Prepared)
        {
            var transaction = TakeLocks(id, prepared.Age, prepared.Promise, prepared.Writes);
            transaction.Coordinator = prepared.Coordinator;
        }
    }

    private void TakeStaged()
    {
        foreach (var (id, staged) in _replica.State.Staged)
        {
            var transaction = TakeLocks(id, staged.Age, staged.Promise, staged.Writes);
            transaction.Coordination = new Coordination(default) { IsRecovery = true };
            foreach (var group in staged.Participants)
            {
                transaction.Coordination.Participants.Add(group, new Participant([], Ballot.None));
            }

            if (_options.Mutation.HasFlag(DatabaseMutation.PresumeAbortOfStaged))
            {
                DecideAbort(transaction, transaction.Coordination, "Presumed.");
            }
        }
    }

    private LeaderTransaction TakeLocks(TransactionId id, Age age, Promise promise, IReadOnlyList<KeyWrite> writes)
    {
        var transaction = Begin(id, age);
        transaction.Phase = TransactionPhase.Prepared;
        transaction.Timestamp = promise.Timestamp;
        transaction.Promise = promise;
        transaction.Writes = writes;
        // Due at the first tick: it may have been decided long ago.
        transaction.LastActive = default;
        if (!_options.Mutation.HasFlag(DatabaseMutation.ForgetPreparedLocks))
        {
            var granted = _locks.Acquire(transaction, LockMode.Exclusive, KeysOf(writes), transaction, []);
            Invariant.Check(granted, "PreparedLocksAreFree");
        }

        return transaction;
    }
}
