using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    private void On(NodeId from, Message.Prepare prepare, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var id = prepare.Transaction;
        if (from != id.Coordinator)
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        if (!FitsTimer(id) || prepare.Writers.Contains(_self) != prepare.Writes.Length > 0)
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        if (_prepared.ContainsKey(id) || _ended.ContainsKey(id))
        {
            outbox.Refuse(Refusal.Duplicate);
            outbox.Send(from, new Message.Vote(id, EndingOf(id) == Ending.Aborted ? Choice.No : Choice.Yes));
            return;
        }

        if (prepare.Writes.IsEmpty)
        {
            outbox.Send(from, new Message.Vote(id, Choice.ReadOnly));
            return;
        }

        if (prepare.Writes.Any(write => _locks.ContainsKey(write.Key)))
        {
            Bury(id, outbox);
            outbox.Send(from, new Message.Vote(id, Choice.No));
            return;
        }

        VoteYes(prepare, context, outbox);
    }

    /// <summary>Rule 1: the promise is durable before anyone hears of it, and the keys are locked from now on.</summary>
    private void VoteYes(Message.Prepare prepare, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var id = prepare.Transaction;
        var promise = new Record.Prepared(id, prepare.Writers, prepare.Writes);
        _prepared.Add(id, promise);
        Lock(promise);
        outbox.Persist(promise);
        outbox.SetTimer(ToTimer(Timer.Inquire, id), context.Now + _options.Inquire);
        if (_mutation == TwoPhaseCommitMutation.VoteBeforeDurable)
        {
            outbox.SendEarly(id.Coordinator, new Message.Vote(id, Choice.Yes));
            return;
        }

        outbox.Send(id.Coordinator, new Message.Vote(id, Choice.Yes));
    }

    private void On(NodeId from, Message.Decide decide, Outbox<Message, Record, Command, Result> outbox)
    {
        if (from != decide.Transaction.Coordinator)
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        End(decide.Transaction, decide.Commit, outbox);
    }

    private void On(NodeId from, Message.Outcome outcome, Outbox<Message, Record, Command, Result> outbox)
    {
        // An answer may be older than what has happened here since the question: only a promise still open listens to it.
        if (!_prepared.TryGetValue(outcome.Transaction, out var promise))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (from != outcome.Transaction.Coordinator && !promise.Writers.Contains(from))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        if (outcome.Ending != Ending.Unknown)
        {
            End(outcome.Transaction, outcome.Ending == Ending.Committed, outbox);
        }
    }

    private void End(TransactionId id, bool commit, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_ended.TryGetValue(id, out var committed))
        {
            outbox.Refuse(committed == commit ? Refusal.Duplicate : Refusal.Unexpected);
        }
        else if (!_prepared.ContainsKey(id))
        {
            // A commit without our vote can only come from a peer that broke its word; an abort may overtake the Prepare.
            if (commit)
            {
                outbox.Refuse(Refusal.Unexpected);
                return;
            }

            Bury(id, outbox);
        }
        else if (commit)
        {
            Commit(id, outbox);
        }
        else
        {
            Abort(id, outbox);
        }

        if (commit && EndingOf(id) == Ending.Committed)
        {
            Acknowledge(id, outbox);
        }
    }

    /// <summary>Rule 3: durable, applied, unlocked, and only then acknowledged.</summary>
    private void Commit(TransactionId id, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.Persist(new Record.Committed(id));
        Apply(id, outbox);
        outbox.CancelTimer(ToTimer(Timer.Inquire, id));
    }

    private void Acknowledge(TransactionId id, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_mutation == TwoPhaseCommitMutation.AckBeforeDurable)
        {
            outbox.SendEarly(id.Coordinator, new Message.Ack(id));
            return;
        }

        outbox.Send(id.Coordinator, new Message.Ack(id));
    }

    private void Apply(TransactionId id, Outbox<Message, Record, Command, Result> outbox)
    {
        var writes = _prepared[id].Writes;
        Release(id);
        _ended.Add(id, true);
        _applied = _applied.Next;
        outbox.Execute(_applied, new Command.Apply(id, writes));
    }

    /// <summary>Ends a promise as told. Not forced by anything: a restart finds the promise again and asks again.</summary>
    private void Abort(TransactionId id, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.Persist(new Record.Aborted(id));
        Release(id);
        _ended.Add(id, false);
        outbox.CancelTimer(ToTimer(Timer.Inquire, id));
    }

    /// <summary>Aborts what was never voted on, with a tombstone that refuses a Prepare still under way.</summary>
    private void Bury(TransactionId id, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_mutation == TwoPhaseCommitMutation.NoTombstone)
        {
            return;
        }

        _ended.Add(id, false);
        if (_mutation != TwoPhaseCommitMutation.TombstoneBeforeDurable)
        {
            outbox.Persist(new Record.Aborted(id));
        }
    }

    /// <summary>A prepared participant never decides alone: it asks the coordinator and the other writers, for as long as it takes.</summary>
    private void Inquire(TransactionId id, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_prepared.TryGetValue(id, out var promise))
        {
            return;
        }

        if (_mutation == TwoPhaseCommitMutation.TimeoutMeansAbort)
        {
            Abort(id, outbox);
            return;
        }

        outbox.Send(promise.Writers.Without(_self).With(id.Coordinator), new Message.Inquire(id));
        outbox.SetTimer(ToTimer(Timer.Inquire, id), context.Now + _options.Inquire);
    }

    /// <summary>Cooperative termination: who has not voted aborts first, and then says so.</summary>
    private void On(NodeId from, Message.Inquire inquire, Outbox<Message, Record, Command, Result> outbox)
    {
        var id = inquire.Transaction;
        if (id.Coordinator == _self)
        {
            outbox.Send(from, new Message.Outcome(id, EndingAsCoordinator(id)));
            return;
        }

        if (!_prepared.ContainsKey(id) && !_ended.ContainsKey(id))
        {
            Bury(id, outbox);
            outbox.Send(from, new Message.Outcome(id, Ending.Aborted));
            return;
        }

        outbox.Send(from, new Message.Outcome(id, EndingOf(id)));
    }

    /// <summary>Rule 5: before the vote a participant may abort on its own, after a Yes never.</summary>
    private void Veto(RequestId request, TransactionId id, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_prepared.ContainsKey(id) && _mutation == TwoPhaseCommitMutation.MindChange)
        {
            Abort(id, outbox);
        }

        if (_prepared.ContainsKey(id) || EndingOf(id) == Ending.Committed)
        {
            outbox.Answer(request, new Result.TooLate(id));
            return;
        }

        if (!_ended.ContainsKey(id))
        {
            Bury(id, outbox);
        }

        outbox.Answer(request, new Result.Vetoed(id));
    }

    private void Lock(Record.Prepared promise)
    {
        foreach (var write in promise.Writes)
        {
            _locks[write.Key] = promise.Transaction;
        }
    }

    private void Release(TransactionId id)
    {
        foreach (var write in _prepared[id].Writes)
        {
            _locks.Remove(write.Key);
        }

        _prepared.Remove(id);
    }
}
