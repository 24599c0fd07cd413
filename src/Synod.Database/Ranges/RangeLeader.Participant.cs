using Synod.Core;
using Synod.Database.Locks;
using Synod.Database.Transactions;

namespace Synod.Database.Ranges;

/// <summary>Taking part in a transaction that another group coordinates (commit.md §4.2).</summary>
internal sealed partial class RangeLeader
{
    /// <summary>The coordinator asks for a vote.</summary>
    public void OnPrepare(NodeMessage.Prepare message)
    {
        _transactions.TryGetValue(message.Id, out var transaction);
        var hasReads = message.ReadTerm != Ballot.None;
        switch (transaction?.Phase)
        {
            case TransactionPhase.Proposed or TransactionPhase.Resolving:
                return;
            case TransactionPhase.Prepared when hasReads && message.ReadTerm != Term:
                // It did vote in an earlier term; the read locks of that term are gone, so it cannot vouch for them again.
                VoteNo(message.Coordinator, message.Id);
                return;
            case TransactionPhase.Prepared or TransactionPhase.VotedReadOnly:
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
        if (message.Writes.Count == 0)
        {
            transaction.Phase = TransactionPhase.VotedReadOnly;
            VoteYes(transaction);
        }
        else if (Lock(transaction, LockMode.Exclusive, KeysOf(transaction.Writes), transaction))
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
            case TransactionPhase.VotedReadOnly:
                Acknowledge(message.Coordinator, message.Id);
                Remove(transaction);
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
            coordination.IsLocked = true;
            ContinueCoordination(transaction);
            return;
        }

        if (Assign(Timestamp.Zero) is not { } timestamp)
        {
            VoteNo(transaction.Coordinator, transaction.Id);
            Remove(transaction);
            return;
        }

        transaction.Phase = TransactionPhase.Proposed;
        transaction.Timestamp = timestamp;
        _replica.Propose(new RangeCommand.Prepare(
            transaction.Id, transaction.Age, transaction.Coordinator, timestamp, transaction.Writes));
    }

    /// <summary>The Prepare record is chosen and applied: only now may the vote leave (commit.md §1.2, rule 1).</summary>
    private void OnPrepared(RangeCommand.Prepare command, CommandEffect effect)
    {
        if (!_transactions.TryGetValue(command.Id, out var transaction))
        {
            Invariant.Check(effect.Kind == EffectKind.None, "PreparedIsKnown");
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
                _lastAssigned = Timestamp.Max(_lastAssigned, command.Outcome.Timestamp);
                Acknowledge(transaction.Coordinator, command.Id);
            }

            Remove(transaction);
        }
    }

    private void Resolve(LeaderTransaction transaction, Outcome outcome)
    {
        transaction.Phase = TransactionPhase.Resolving;
        var command = new RangeCommand.Resolve(transaction.Id, outcome);
        if (_locks.WaitingCount > 0 || transaction.Readers.Count > 0 || Closing is not null)
        {
            _replica.Propose(command);
        }
        else
        {
            _replica.ProposePatiently(command);
        }
    }

    private void VoteYes(LeaderTransaction transaction)
    {
        var validUntil = Timestamp.MaxValue;
        if (transaction.HasReads)
        {
            if (!_replica.HoldsLease)
            {
                VoteNo(transaction.Coordinator, transaction.Id);
                return;
            }

            validUntil = Timestamp.Min(_replica.LeaseEnd.Previous, _step.Context.TrueTime.Latest + _options.VoteValidity);
            transaction.ValidUntil = Timestamp.Max(transaction.ValidUntil, validUntil);
            _promisedUntil = Timestamp.Max(_promisedUntil, validUntil);
        }

        _step.ToLeader(new NodeMessage.Vote(
            transaction.Coordinator, transaction.Id, _replica.Group, true, transaction.Timestamp ?? Timestamp.Zero, validUntil));
    }

    private void VoteNo(ulong coordinator, TransactionId id) =>
        _step.ToLeader(new NodeMessage.Vote(coordinator, id, _replica.Group, false, default, default));

    private void Acknowledge(ulong coordinator, TransactionId id) =>
        _step.ToLeader(new NodeMessage.Resolved(coordinator, id, _replica.Group));
}
