using Synod.Core;
using Synod.Database.Locks;
using Synod.Database.Transactions;

namespace Synod.Database.Ranges;

/// <summary>
/// Taking part in a transaction that another group coordinates (commit.md §4.2, §5.3). A part that only read leaves a record like any
/// other: whoever has to finish the transaction sees records and no memory.
/// </summary>
internal sealed partial class RangeLeader
{
    // Commits applied here whose coordinators are not told so yet: nobody waits for it, so one tick's worth goes together.
    private readonly List<(ulong Coordinator, TransactionId Id)> _applied = [];

    /// <summary>The coordinator asks for a vote.</summary>
    public void OnPrepare(NodeMessage.Prepare message)
    {
        _transactions.TryGetValue(message.Id, out var transaction);
        var hasReads = message.ReadTerm != Ballot.None;
        switch (transaction?.Phase)
        {
            case TransactionPhase.Proposed or TransactionPhase.Resolving:
                return;
            case TransactionPhase.Prepared:
                VoteYes(transaction);
                return;
            case TransactionPhase.Active when transaction.Coordinator != 0:
                return;
        }

        if ((hasReads && !HoldsReadLocks(transaction, message.ReadTerm))
            || (Closing is not null && transaction is null)
            || !message.Writes.All(write => _replica.Serves(KeySpan.Only(write.Key))))
        {
            VoteNo(message.Coordinator, message.Id);
            return;
        }

        transaction = Begin(message.Id, message.Age);
        transaction.Coordinator = message.Coordinator;
        transaction.Writes = message.Writes;
        transaction.HasReads = hasReads;
        if (Lock(transaction, LockMode.Exclusive, KeysOf(transaction.Writes), transaction))
        {
            OnWriteLocked(transaction);
        }
    }

    /// <summary>The coordinator tells the outcome. Repeated until this group has said that it applied it.</summary>
    public void OnResolve(NodeMessage.Resolve message)
    {
        if (!_transactions.TryGetValue(message.Id, out var transaction) || transaction.Coordination is not null)
        {
            Acknowledge(message.Coordinator, message.Id);
            return;
        }

        switch (transaction.Phase)
        {
            case TransactionPhase.Prepared:
                Resolve(transaction, message.Outcome);
                break;
            case TransactionPhase.Proposed:
                transaction.EarlyOutcome = message.Outcome;
                break;
            case TransactionPhase.Active:
                // An abort that overtook the vote; or a commit applied here before, and its Prepare was delivered once more.
                Acknowledge(message.Coordinator, message.Id);
                Remove(transaction);
                break;
        }
    }

    /// <summary>The client gives the transaction up, or does not know its outcome: until this range has voted it may still say no.</summary>
    public void OnRollback(TransactionId id)
    {
        if (_transactions.TryGetValue(id, out var transaction)
            && transaction is { Phase: TransactionPhase.Active, Coordination: null })
        {
            Wound(transaction, "The client gave it up.");
        }
    }

    /// <summary>The client is alive. False if the transaction holds nothing here any more.</summary>
    public bool OnKeepAlive(TransactionId id)
    {
        if (!_transactions.TryGetValue(id, out var transaction))
        {
            return false;
        }

        transaction.LastActive = _step.Context.Now;
        return true;
    }

    private void OnWriteLocked(LeaderTransaction transaction)
    {
        if (transaction.Coordination is { } coordination)
        {
            Stage(transaction, coordination);
            return;
        }

        if (Vouch(transaction) is not { } promise)
        {
            VoteNo(transaction.Coordinator, transaction.Id);
            Remove(transaction);
            return;
        }

        transaction.Phase = TransactionPhase.Proposed;
        _replica.Propose(new RangeCommand.Prepare(
            transaction.Id, transaction.Age, transaction.Coordinator, promise, transaction.Writes));
    }

    /// <summary>The Prepare record is chosen and applied: only now may the vote leave (commit.md §1.2, rule 1).</summary>
    private void OnPrepared(RangeCommand.Prepare command, CommandEffect effect)
    {
        if (!_transactions.TryGetValue(command.Id, out var transaction))
        {
            return;
        }

        if (effect.Kind != EffectKind.None)
        {
            // A fence was first.
            VoteNo(transaction.Coordinator, transaction.Id);
            Remove(transaction);
            return;
        }

        transaction.Phase = TransactionPhase.Prepared;
        transaction.LastActive = _step.Context.Now;
        if (transaction.EarlyOutcome is { } outcome)
        {
            Resolve(transaction, outcome);
            return;
        }

        VoteYes(transaction);
        if (_options.Mutation.HasFlag(DatabaseMutation.ReleaseIntentEarly))
        {
            ReleaseLocks(transaction);
        }
    }

    private void OnResolved(RangeCommand.Resolve command)
    {
        if (_transactions.TryGetValue(command.Id, out var transaction))
        {
            if (command.Outcome.IsCommit)
            {
                _applied.Add((transaction.Coordinator, command.Id));
            }

            Remove(transaction);
        }
    }

    private void Resolve(LeaderTransaction transaction, Outcome outcome)
    {
        transaction.Phase = TransactionPhase.Resolving;
        _lastAssigned = Timestamp.Max(_lastAssigned, outcome.Timestamp);
        ProposeOutcome(transaction, new RangeCommand.Resolve(transaction.Id, outcome));
        if (transaction.Writes.Count == 0)
        {
            // Whatever is written here from now on is written above the commit.
            ReleaseLocks(transaction);
        }
    }

    private void ProposeOutcome(LeaderTransaction transaction, RangeCommand command)
    {
        if (_locks.WaitingCount > 0 || transaction.Readers.Count > 0 || Closing is not null)
        {
            _replica.Propose(command);
        }
        else
        {
            _replica.ProposePatiently(command);
        }
    }

    private void VoteYes(LeaderTransaction transaction) =>
        _step.ToLeader(new NodeMessage.Vote(transaction.Coordinator, transaction.Id, _replica.Group, true, transaction.Promise));

    private void VoteNo(ulong coordinator, TransactionId id) =>
        _step.ToLeader(new NodeMessage.Vote(coordinator, id, _replica.Group, false, default));

    private void TickApplied()
    {
        foreach (var (coordinator, id) in _applied)
        {
            Acknowledge(coordinator, id);
        }

        _applied.Clear();
    }

    private void Acknowledge(ulong coordinator, TransactionId id) =>
        _step.ToLeader(new NodeMessage.Resolved(coordinator, id, _replica.Group));
}
