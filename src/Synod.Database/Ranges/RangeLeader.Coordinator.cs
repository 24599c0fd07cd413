using Synod.Core;
using Synod.Database.Locks;
using Synod.Database.Transactions;

namespace Synod.Database.Ranges;

/// <summary>
/// Committing at the coordinator: one record when one range is touched, two-phase commit over groups otherwise (commit.md §4.2).
/// The first outcome that the group applies for a transaction id is its outcome for ever.
/// </summary>
internal sealed partial class RangeLeader
{
    /// <summary>A commit request. The caller has checked the lease, the limits and that the range serves the first part's keys.</summary>
    public void Commit(RequestId request, Api.Commit body)
    {
        var (id, age) = Responses.Identify(body.Transaction, body.Age);
        if (AnswerDecided(request, id))
        {
            return;
        }

        if (_transactions.TryGetValue(id, out var known) && known.Coordination is { } running)
        {
            running.Requests.Add(request);
            return;
        }

        var own = body.Parts[0];
        if (own.Term is not null && !HoldsReadLocks(known, Responses.Term(own.Term)))
        {
            _step.Answer(request, Responses.Aborted("The read locks were lost: the transaction was wounded or the range's leader changed."));
            return;
        }

        if (Closing is { } why && known is null)
        {
            _step.Answer(request, Responses.Unavailable(why));
            return;
        }

        var transaction = Begin(id, age);
        var coordination = new Coordination(_step.Context.Now);
        transaction.Coordination = coordination;
        transaction.Writes = Responses.Writes(own);
        coordination.Requests.Add(request);
        foreach (var part in body.Parts.Skip(1))
        {
            coordination.Participants.Add(part.Group, new Participant(Responses.Writes(part), Responses.Term(part.Term)));
        }

        SendPrepares(transaction, coordination);
        if (Lock(transaction, LockMode.Exclusive, KeysOf(transaction.Writes), transaction))
        {
            OnWriteLocked(transaction);
        }
    }

    /// <summary>Answers a request that was decided before its keys moved to another range; false if it was not.</summary>
    public bool AnswersDecided(RequestId request, Api.Commit body) => AnswerDecided(request, Responses.Identify(body.Transaction));

    /// <summary>A participant's vote. The first no decides.</summary>
    public void OnVote(NodeMessage.Vote vote)
    {
        if (!_transactions.TryGetValue(vote.Id, out var transaction)
            || transaction is not { Phase: TransactionPhase.Active, Coordination: { } coordination }
            || !coordination.Participants.TryGetValue(vote.Participant, out var participant))
        {
            _step.Outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (!vote.Yes)
        {
            DecideAbort(transaction, coordination, "A participant could not prepare: its locks were lost.");
            return;
        }

        participant.Voted = true;
        participant.PrepareTimestamp = vote.PrepareTimestamp;
        participant.ValidUntil = vote.ValidUntil;
        ContinueCoordination(transaction);
    }

    /// <summary>A participant has applied the outcome.</summary>
    public void OnResolvedBy(NodeMessage.Resolved message)
    {
        if (_finishing.TryGetValue(message.Id, out var finishing)
            && finishing.Waiting.Remove(message.Participant)
            && finishing.Waiting.Count == 0)
        {
            _finishing.Remove(message.Id);
            _forgettable.Add(message.Id);
        }
    }

    /// <summary>
    /// A participant asks for an outcome. If there is none and nobody is at work on one, an abort is agreed on first: a bare "not
    /// found, so abort" could overtake a commit record still in flight.
    /// </summary>
    public void OnInquire(NodeMessage.Inquire message)
    {
        if (_replica.State.OutcomeOf(message.Id) is { } outcome)
        {
            Tell(message.Participant, message.Id, outcome);
            return;
        }

        if (_options.Mutation.HasFlag(DatabaseMutation.NoTombstone))
        {
            Tell(message.Participant, message.Id, Outcome.Abort);
            return;
        }

        var isFirst = !_inquirers.ContainsKey(message.Id);
        if (isFirst)
        {
            _inquirers.Add(message.Id, []);
        }

        _inquirers[message.Id].Add(message.Participant);
        if (isFirst && !_transactions.ContainsKey(message.Id))
        {
            _replica.Propose(new RangeCommand.Abort(message.Id));
        }
    }

    /// <summary>A group has a new leader: what the old one was asked and did not answer is asked again at once.</summary>
    public void OnMoved(ulong group)
    {
        foreach (var transaction in _transactions.Values)
        {
            if (transaction is { Phase: TransactionPhase.Active, Coordination: { } coordination }
                && coordination.Participants.TryGetValue(group, out var participant)
                && !participant.Voted)
            {
                SendPrepare(transaction, group, participant);
            }
        }

        foreach (var (id, finishing) in _finishing)
        {
            if (finishing.Waiting.Contains(group))
            {
                Tell(group, id, finishing.Outcome);
            }
        }
    }

    private void ContinueCoordination(LeaderTransaction transaction)
    {
        var coordination = transaction.Coordination!;
        var now = _step.Context.Now;
        if (transaction.Phase != TransactionPhase.Active)
        {
            return;
        }

        if (!coordination.AllVoted)
        {
            if (now - coordination.Started > _options.VoteTimeout)
            {
                DecideAbort(transaction, coordination, "Not every participant voted in time.");
            }
            else if (now - coordination.LastSent > _options.InquiryInterval)
            {
                SendPrepares(transaction, coordination);
            }

            return;
        }

        if (coordination.IsLocked)
        {
            DecideCommit(transaction, coordination);
        }
    }

    private void DecideCommit(LeaderTransaction transaction, Coordination coordination)
    {
        var participants = coordination.Participants;
        var prepared = _options.Mutation.HasFlag(DatabaseMutation.IgnorePrepareTimestamps)
            ? Timestamp.Zero
            : participants.Values.Aggregate(Timestamp.Zero, (max, item) => Timestamp.Max(max, item.PrepareTimestamp));
        if (Assign(prepared) is not { } timestamp)
        {
            DecideAbort(transaction, coordination, "The leader's lease is too short for a commit timestamp.");
            return;
        }

        // Up to ValidUntil nobody else can lead the participant's range, so its read locks hold at the commit timestamp.
        if (participants.Values.Any(participant => timestamp > participant.ValidUntil)
            && !_options.Mutation.HasFlag(DatabaseMutation.IgnoreVoteValidity))
        {
            DecideAbort(transaction, coordination, "The votes took so long that read locks could have been lost.");
            return;
        }

        transaction.Phase = TransactionPhase.Proposed;
        transaction.Timestamp = timestamp;
        _replica.Propose(participants.Count == 0
            ? new RangeCommand.CommitLocal(transaction.Id, timestamp, transaction.Writes)
            : new RangeCommand.Commit(transaction.Id, timestamp, transaction.Writes, [.. participants.Keys]));
    }

    /// <summary>
    /// Decides to abort. The outcome is agreed on before anyone is told, or a request that was delayed or sent twice could
    /// commit it later. The locks are free at once: nobody else can commit it.
    /// </summary>
    private void DecideAbort(LeaderTransaction transaction, Coordination coordination, string reason)
    {
        Invariant.Check(transaction.Phase == TransactionPhase.Active, "AbortOnlyBeforeProposal");
        transaction.Phase = TransactionPhase.Proposed;
        transaction.Timestamp = null;
        coordination.AbortReason = reason;
        _replica.Propose(new RangeCommand.Abort(transaction.Id));
        ReleaseLocks(transaction);
    }

    private void OnDecided(TransactionId id, CommandEffect effect, IReadOnlyList<ulong> participants)
    {
        var told = new SortedSet<ulong>(_inquirers.Remove(id, out var inquirers) ? inquirers : []);
        if (_transactions.TryGetValue(id, out var transaction) && transaction.Coordination is { } coordination)
        {
            told.UnionWith(coordination.Participants.Keys);
            foreach (var request in coordination.Requests)
            {
                _step.Answer(request, Responses.Decided(effect, coordination.AbortReason));
            }

            Remove(transaction);
        }

        if (effect.Outcome is { IsCommit: true } commit && participants.Count > 0 && !_finishing.ContainsKey(id))
        {
            _finishing.Add(id, new Finishing(commit, new(participants), _step.Context.Now));
        }

        if (effect.Outcome is { } outcome)
        {
            foreach (var participant in told)
            {
                Tell(participant, id, outcome);
            }
        }
    }

    private void TickFinishing(Instant now)
    {
        foreach (var (id, finishing) in _finishing)
        {
            if (now - finishing.LastSent > _options.InquiryInterval)
            {
                finishing.LastSent = now;
                foreach (var participant in finishing.Waiting)
                {
                    Tell(participant, id, finishing.Outcome);
                }
            }
        }

        if (_forgettable.Count > 0)
        {
            _replica.Propose(new RangeCommand.Forget([.. _forgettable]));
            _forgettable.Clear();
        }
    }

    private void SendPrepares(LeaderTransaction transaction, Coordination coordination)
    {
        coordination.LastSent = _step.Context.Now;
        foreach (var (group, participant) in coordination.Participants)
        {
            if (!participant.Voted)
            {
                SendPrepare(transaction, group, participant);
            }
        }
    }

    private void SendPrepare(LeaderTransaction transaction, ulong group, Participant participant) =>
        _step.ToLeader(new NodeMessage.Prepare(
            group, transaction.Id, transaction.Age, _replica.Group, participant.ReadTerm, participant.Writes));

    private void Tell(ulong participant, TransactionId id, Outcome outcome) =>
        _step.ToLeader(new NodeMessage.Resolve(participant, id, _replica.Group, outcome));

    private bool AnswerDecided(RequestId request, TransactionId id)
    {
        if (_options.Mutation.HasFlag(DatabaseMutation.ForgetSessions))
        {
            return false;
        }

        switch (_replica.State.SessionOf(id))
        {
            case { Kind: EffectKind.None }:
                return false;
            case var effect:
                _step.Answer(request, Responses.Decided(effect, "The transaction was aborted before."));
                return true;
        }
    }

    /// <summary>Read locks live in the leader's memory: they count only in the term, and for the transaction, that took them.</summary>
    private bool HoldsReadLocks(LeaderTransaction? transaction, Ballot term) =>
        _options.Mutation.HasFlag(DatabaseMutation.IgnoreReadTerm)
        || (term == Term && transaction is { HasReads: true, Phase: TransactionPhase.Active } && !WasWounded(transaction.Id));
}
