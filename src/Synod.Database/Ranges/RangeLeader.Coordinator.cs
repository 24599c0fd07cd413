using System.Diagnostics.CodeAnalysis;
using Synod.Core;
using Synod.Database.Locks;
using Synod.Database.Transactions;

namespace Synod.Database.Ranges;

/// <summary>
/// Committing at the coordinator: one record when one range is touched, parallel commit over groups otherwise (commit.md §5). The
/// coordinator stages the transaction while the participants prepare it; when all of these records are chosen it is committed, and the
/// client is told. That outcome is then recorded, and only after that acted upon. The first outcome that the group applies for a
/// transaction id is its outcome for ever.
/// </summary>
internal sealed partial class RangeLeader
{
    // Committed and not answered: their timestamps have not certainly passed.
    private readonly SortedSet<(Timestamp Timestamp, TransactionId Id)> _committed = [];

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
        transaction.HasReads |= own.Term is not null;
        transaction.Writes = Responses.Writes(own);
        coordination.Requests.Add(request);
        foreach (var part in body.Parts.Skip(1))
        {
            coordination.Participants.Add(part.Group, new Participant(Responses.Writes(part), Responses.Term(part.Term)));
        }

        AskAll(transaction, coordination);
        if (Lock(transaction, LockMode.Exclusive, KeysOf(transaction.Writes), transaction))
        {
            OnWriteLocked(transaction);
        }
    }

    /// <summary>Answers a request that was decided before its keys moved to another range; false if it was not.</summary>
    public bool AnswersDecided(RequestId request, Api.Commit body) => AnswerDecided(request, Responses.Identify(body.Transaction));

    /// <summary>
    /// A participant's vote. The first no decides, unless a vote can no longer be taken back: a leader that has heard all of them has
    /// told the client, and one that found the transaction staged cannot know whether another one has.
    /// </summary>
    public void OnVote(NodeMessage.Vote vote)
    {
        if (!IsUndecided(vote.Id, vote.Participant, out var transaction, out var participant))
        {
            _step.Outbox.Refuse(Refusal.Unexpected);
            return;
        }

        var coordination = transaction.Coordination!;
        if (vote.Yes)
        {
            participant.Promise = vote.Promise;
            ContinueCoordination(transaction);
        }
        else if (!coordination.IsRecovery || _options.Mutation.HasFlag(DatabaseMutation.NoMeansPrevented))
        {
            DecideAbort(transaction, coordination, "A participant could not prepare: its locks were lost.");
        }
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
        if (isFirst && !(_transactions.TryGetValue(message.Id, out var known) && known.Coordination is not null))
        {
            _replica.Propose(new RangeCommand.Abort(message.Id));
        }
    }

    /// <summary>A group has a new leader: what the old one was asked and did not answer is asked again at once.</summary>
    public void OnMoved(ulong group)
    {
        foreach (var id in _transactions.Keys)
        {
            if (IsUndecided(id, group, out var transaction, out var participant) && participant.Promise is null)
            {
                Ask(transaction, group, participant);
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

    /// <summary>Answers clients whose commit timestamps have passed; returns the next that has not.</summary>
    public Timestamp? AnswerPassed()
    {
        while (_committed.Count > 0)
        {
            var (timestamp, id) = _committed.Min;
            if (!_step.Context.TrueTime.After(timestamp) && !_options.Mutation.HasFlag(DatabaseMutation.AcknowledgeBeforePassed))
            {
                return timestamp;
            }

            _committed.Remove((timestamp, id));
            if (_transactions.TryGetValue(id, out var transaction) && transaction.Coordination is { } coordination)
            {
                AnswerAll(coordination, Responses.Committed(timestamp));
            }
        }

        return null;
    }

    private bool IsUndecided(
        TransactionId id, ulong group, [NotNullWhen(true)] out LeaderTransaction? transaction, [NotNullWhen(true)] out Participant? participant)
    {
        participant = null;
        return _transactions.TryGetValue(id, out transaction)
            && transaction is { Phase: not TransactionPhase.Resolving, Coordination: { } coordination }
            && coordination.Participants.TryGetValue(group, out participant);
    }

    private void ContinueCoordination(LeaderTransaction transaction)
    {
        var coordination = transaction.Coordination!;
        var now = _step.Context.Now;
        if (coordination.AllVoted)
        {
            if (transaction.Phase == TransactionPhase.Prepared)
            {
                Conclude(transaction, coordination);
            }
        }
        else if (now - coordination.Started > _options.VoteTimeout && !coordination.IsRecovery)
        {
            DecideAbort(transaction, coordination, "Not every participant voted in time.");
        }
        else if (now - coordination.LastSent > _options.InquiryInterval)
        {
            AskAll(transaction, coordination);
        }
    }

    /// <summary>The coordinator's own locks are held: what it has to say goes to its group, whatever the others will vote.</summary>
    private void Stage(LeaderTransaction transaction, Coordination coordination)
    {
        if (Vouch(transaction) is not { } promise)
        {
            DecideAbort(transaction, coordination, "The leader's lease is too short for a commit timestamp.");
            return;
        }

        transaction.Phase = TransactionPhase.Proposed;
        var participants = coordination.Participants.Keys;
        _replica.Propose(participants.Count == 0
            ? new RangeCommand.CommitLocal(transaction.Id, promise.Timestamp, transaction.Writes)
            : new RangeCommand.Stage(transaction.Id, transaction.Age, promise, transaction.Writes, [.. participants]));
    }

    private void OnStaged(TransactionId id, CommandEffect effect)
    {
        if (effect.Kind != EffectKind.None)
        {
            // Somebody asked for it before it came, and was told that it is aborted.
            OnDecided(id, effect);
        }
        else if (_transactions.TryGetValue(id, out var transaction) && transaction.Phase == TransactionPhase.Proposed)
        {
            transaction.Phase = TransactionPhase.Prepared;
            if (_options.Mutation.HasFlag(DatabaseMutation.AcknowledgeStage))
            {
                AnswerAll(transaction.Coordination!, Responses.Committed(transaction.Promise.Timestamp));
            }

            ContinueCoordination(transaction);
        }
    }

    /// <summary>
    /// The Stage and every Prepare are chosen, so this is committed at the largest of their timestamps, whoever finds them (commit.md
    /// §5.3, rule 3); unless that is above what some read locks were vouched for, which whoever finds them sees as well. The client is
    /// told when the timestamp has passed. Others wait for the record of it: nobody may act on what only the sum of the records says.
    /// </summary>
    private void Conclude(LeaderTransaction transaction, Coordination coordination)
    {
        var promise = transaction.Promise;
        foreach (var participant in coordination.Participants.Values)
        {
            promise = promise.With(participant.Promise!.Value);
        }

        var timestamp = _options.Mutation.HasFlag(DatabaseMutation.IgnorePrepareTimestamps)
            ? transaction.Promise.Timestamp
            : promise.Timestamp;
        if (timestamp > promise.ValidUntil && !_options.Mutation.HasFlag(DatabaseMutation.IgnoreVoteValidity))
        {
            DecideAbort(transaction, coordination, "The votes took so long that read locks could have been lost.");
            return;
        }

        transaction.Phase = TransactionPhase.Resolving;
        transaction.Timestamp = timestamp;
        _lastAssigned = Timestamp.Max(_lastAssigned, timestamp);
        _committed.Add((timestamp, transaction.Id));
        ProposeOutcome(transaction, new RangeCommand.Commit(transaction.Id, timestamp));
        if (_options.Mutation.HasFlag(DatabaseMutation.ResolveImplicitCommit))
        {
            TellAll(coordination.Participants.Keys, transaction.Id, Outcome.Commit(timestamp));
        }
    }

    /// <summary>
    /// Decides to abort. The outcome is agreed on before anyone is told, or a request that was delayed or sent twice could commit it
    /// later. Before it was to be staged its locks are free at once: nobody else can commit it. After that the next leader could, if
    /// this one's Abort is lost.
    /// </summary>
    private void DecideAbort(LeaderTransaction transaction, Coordination coordination, string reason)
    {
        Invariant.Check(transaction.Phase != TransactionPhase.Resolving, "AbortOnlyBeforeConclusion");
        var isStaged = transaction.Phase != TransactionPhase.Active && !_options.Mutation.HasFlag(DatabaseMutation.FreeStagedLocksEarly);
        transaction.Phase = TransactionPhase.Resolving;
        coordination.AbortReason = reason;
        _replica.Propose(new RangeCommand.Abort(transaction.Id));
        if (!isStaged)
        {
            ReleaseLocks(transaction);
        }
    }

    private void OnDecided(TransactionId id, CommandEffect effect)
    {
        _inquirers.Remove(id, out var told);
        if (_transactions.TryGetValue(id, out var transaction) && transaction.Coordination is { } coordination)
        {
            if (coordination.Participants.Count > 0)
            {
                (told ??= []).UnionWith(coordination.Participants.Keys);
            }

            AnswerAll(coordination, Responses.Decided(effect, coordination.AbortReason));
            Remove(transaction);
        }

        if (_replica.State.Unresolved.TryGetValue(id, out var committed))
        {
            _finishing.TryAdd(id, new Finishing(Outcome.Commit(committed.Timestamp), new(committed.Participants), _step.Context.Now));
        }

        if (told is not null && effect.Outcome is { } outcome)
        {
            TellAll(told, id, outcome);
        }
    }

    private void AnswerAll(Coordination coordination, Api.Response response)
    {
        foreach (var request in coordination.Requests)
        {
            _step.Answer(request, response);
        }

        coordination.Requests.Clear();
    }

    private void TickFinishing(Instant now)
    {
        foreach (var (id, finishing) in _finishing)
        {
            if (now - finishing.LastSent > _options.InquiryInterval)
            {
                finishing.LastSent = now;
                TellAll(finishing.Waiting, id, finishing.Outcome);
            }
        }

        if (_forgettable.Count > 0)
        {
            _replica.Propose(new RangeCommand.Forget([.. _forgettable]));
            _forgettable.Clear();
        }
    }

    private void AskAll(LeaderTransaction transaction, Coordination coordination)
    {
        coordination.LastSent = _step.Context.Now;
        foreach (var (group, participant) in coordination.Participants)
        {
            if (participant.Promise is null)
            {
                Ask(transaction, group, participant);
            }
        }
    }

    private void Ask(LeaderTransaction transaction, ulong group, Participant participant) =>
        _step.ToLeader(transaction.Coordination!.IsRecovery
            ? new NodeMessage.QueryPrepare(group, transaction.Id, _replica.Group)
            : new NodeMessage.Prepare(
                group, transaction.Id, transaction.Age, _replica.Group, participant.ReadTerm, participant.Writes));

    private void TellAll(IEnumerable<ulong> participants, TransactionId id, Outcome outcome)
    {
        foreach (var participant in participants)
        {
            Tell(participant, id, outcome);
        }
    }

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
