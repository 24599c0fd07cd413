using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    private void On(NodeId from, Message.Prepare prepare, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        var id = prepare.Transaction;
        if (from != id.Coordinator)
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        var writes = prepare.Writes;
        if (!id.FitsTimerKey || prepare.Life < 0 || (prepare.Life > 0 ? !writes.IsEmpty : prepare.Writers.Contains(_self) == writes.IsEmpty)
            || !id.MayFollow(prepare.Oldest))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        Ledger.ForgetBefore(prepare.Oldest);
        _enlistments.ForgetBefore(prepare.Oldest, outbox);
        if (Ledger.Knows(id))
        {
            outbox.Refuse(Refusal.Duplicate);
            outbox.Send(from, new Message.Vote(
                id, Ledger.EndingOf(id) == Ending.Aborted || Ledger.IsForgotten(id) ? Choice.No : Choice.Yes));
            return;
        }

        if (HasLost(id, prepare.Life, prepare.Writers.Contains(_self), ref writes, outbox))
        {
            outbox.Send(from, new Message.Vote(id, Choice.No));
            return;
        }

        if (writes.IsEmpty)
        {
            _enlistments.Read(id, prepare.Life, outbox);
            outbox.Send(from, new Message.Vote(id, Choice.ReadOnly));
            return;
        }

        if (!prepare.Writers.Contains(_self))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        var promise = new Promise(id, prepare.Writers, writes);
        if (!Ledger.TryPromise(promise))
        {
            Bury(id, outbox);
            outbox.Send(from, new Message.Vote(id, Choice.No));
            return;
        }

        _enlistments.Promise(id, prepare.Life, outbox);
        VoteYes(promise, context, outbox);
    }

    /// <summary>
    /// One-phase commit: with nobody to agree with, the promise is its own decision. The coordinator asks again if the answer is
    /// lost, and hears the same.
    /// </summary>
    private void On(NodeId from, Message.CommitAlone alone, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        var id = alone.Transaction;
        if (from != id.Coordinator)
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        var writes = alone.Writes;
        if (!id.FitsTimerKey || alone.Life < 0 || writes.IsEmpty != alone.Life > 0 || !id.MayFollow(alone.Oldest))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        Ledger.ForgetBefore(alone.Oldest);
        _enlistments.ForgetBefore(alone.Oldest, outbox);
        if (Ledger.Knows(id))
        {
            outbox.Refuse(Refusal.Duplicate);
        }
        else if (HasLost(id, alone.Life, writer: true, ref writes, outbox))
        {
            outbox.Refuse(Refusal.Unknown);
        }
        else if (Ledger.TryPromise(new Promise(id, NodeSet.Empty, writes)))
        {
            _enlistments.Promise(id, alone.Life, outbox);
            outbox.CancelTimer(ToTimer(Timer.Inquire, id));
            outbox.Persist(new Record.CommittedAlone(new Promise(id, NodeSet.Empty, writes)));
            outbox.Send(_self, new Message.DecidedAlone(id));
            if (_mutation == TwoPhaseCommitMutation.AnswerAloneBeforeDurable)
            {
                outbox.SendEarly(from, new Message.Outcome(id, Ending.Committed));
            }
        }
        else
        {
            Bury(id, outbox);
        }

        if (Ledger.EndingOf(id) is var ending and not Ending.Unknown)
        {
            outbox.Send(from, new Message.Outcome(id, ending));
        }
    }

    private void On(NodeId from, Message.DecidedAlone decided, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        var id = decided.Transaction;
        if (from != _self || !IsDecidedAlone(id))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        Ledger.Commit(id, outbox);
        outbox.Send(id.Coordinator, new Message.Outcome(id, Ending.Committed));
    }

    /// <summary>A promise without members is one that nobody else has a word in.</summary>
    private bool IsDecidedAlone(TransactionId id) => Ledger.TryGetPromise(id, out var promise) && promise.Members.IsEmpty;

    /// <summary>Rule 1: the promise is durable before anyone hears of it, and the keys are locked from now on.</summary>
    private void VoteYes(Promise promise, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        var id = promise.Transaction;
        outbox.Persist(new Record.Prepared(promise));
        outbox.SetTimer(ToTimer(Timer.Inquire, id), context.Now + _options.Inquire);
        if (_mutation == TwoPhaseCommitMutation.VoteBeforeDurable)
        {
            outbox.SendEarly(id.Coordinator, new Message.Vote(id, Choice.Yes));
            return;
        }

        outbox.Send(id.Coordinator, new Message.Vote(id, Choice.Yes));
    }

    private void On(NodeId from, Message.Decide decide, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (from != decide.Transaction.Coordinator)
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        End(decide.Transaction, decide.Commit, outbox);
    }

    private void On(NodeId from, Message.Outcome outcome, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (_led.TryGetValue(outcome.Transaction, out var led) && led.IsAlone)
        {
            DecidedAlone(from, outcome, led, outbox);
            return;
        }

        // An answer may be older than what has happened here since the question: only a promise still open listens to it.
        if (!Ledger.TryGetPromise(outcome.Transaction, out var promise))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (from != outcome.Transaction.Coordinator && !promise.Members.Contains(from))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        if (outcome.Ending != Ending.Unknown)
        {
            End(outcome.Transaction, outcome.Ending == Ending.Committed, outbox);
        }
    }

    private void End(TransactionId id, bool commit, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (Ledger.EndingOf(id) is var ending and not Ending.Unknown)
        {
            outbox.Refuse(ending == Ending.Committed == commit ? Refusal.Duplicate : Refusal.Unexpected);
        }
        else if (Ledger.IsForgotten(id))
        {
            outbox.Refuse(Refusal.Duplicate);
            return;
        }
        else if (IsDecidedAlone(id))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }
        else if (!Ledger.IsPrepared(id))
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

        if (commit && Ledger.EndingOf(id) == Ending.Committed)
        {
            Acknowledge(id, outbox);
        }
    }

    /// <summary>Rule 3: durable, applied, unlocked, and only then acknowledged.</summary>
    private void Commit(TransactionId id, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        outbox.Persist(new Record.Committed(id));
        Ledger.Commit(id, outbox);
        outbox.CancelTimer(ToTimer(Timer.Inquire, id));
    }

    private void Acknowledge(TransactionId id, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (_mutation == TwoPhaseCommitMutation.AckBeforeDurable)
        {
            outbox.SendEarly(id.Coordinator, new Message.Ack(id));
            return;
        }

        outbox.Send(id.Coordinator, new Message.Ack(id));
    }

    /// <summary>Ends a promise as told. Not forced by anything: a restart finds the promise again and asks again.</summary>
    private void Abort(TransactionId id, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        outbox.Persist(new Record.Aborted(id));
        Ledger.Abort(id);
        outbox.CancelTimer(ToTimer(Timer.Inquire, id));
    }

    /// <summary>Aborts what was never voted on, with a tombstone that refuses a Prepare still under way.</summary>
    private void Bury(TransactionId id, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (_enlistments.End(id, new CommitResult.Aborted(id), outbox))
        {
            outbox.CancelTimer(ToTimer(Timer.Inquire, id));
        }

        if (_mutation == TwoPhaseCommitMutation.NoTombstone)
        {
            return;
        }

        Ledger.Note(id, committed: false);
        if (_mutation != TwoPhaseCommitMutation.TombstoneBeforeDurable)
        {
            outbox.Persist(new Record.Aborted(id));
        }
    }

    /// <summary>A prepared participant never decides alone: it asks the coordinator and the other writers, for as long as it takes.</summary>
    private void Inquire(TransactionId id, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (!Ledger.TryGetPromise(id, out var promise))
        {
            AskToJoin(id, context, outbox);
            return;
        }

        if (_mutation == TwoPhaseCommitMutation.TimeoutMeansAbort)
        {
            Abort(id, outbox);
            return;
        }

        Ask(promise, context, outbox);
    }

    private void Ask(Promise promise, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        var id = promise.Transaction;
        outbox.Send(promise.Members.Without(_self).With(id.Coordinator), new Message.Inquire(id));
        outbox.SetTimer(ToTimer(Timer.Inquire, id), context.Now + _options.Inquire);
    }

    /// <summary>Cooperative termination: who has not voted aborts first, and then says so.</summary>
    private void On(NodeId from, Message.Inquire inquire, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        var id = inquire.Transaction;
        if (id.Coordinator == _self)
        {
            outbox.Send(from, new Message.Outcome(id, EndingAsCoordinator(id)));
            return;
        }

        if (!Ledger.Knows(id))
        {
            Bury(id, outbox);
            outbox.Send(from, new Message.Outcome(id, Ending.Aborted));
            return;
        }

        outbox.Send(from, new Message.Outcome(id, Ledger.IsForgotten(id) ? Ending.Aborted : Ledger.EndingOf(id)));
    }

    /// <summary>
    /// Rule 5: before the vote a participant may abort on its own, after a Yes never. A coordinator rolls back what is open, and has no say in what
    /// it has asked others to vote on; what it leads no more may have committed. Nor may one that only reads: it has no second word.
    /// </summary>
    private void Veto(RequestId request, TransactionId id, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (_registrar.RollsBack(request, id, new Message.Decide(id, false), outbox))
        {
            return;
        }

        if (_enlistments.Withdraws(request, id, outbox))
        {
            outbox.CancelTimer(ToTimer(Timer.Inquire, id));
            return;
        }

        if (_led.TryGetValue(id, out var led) ? !led.Writers.Contains(_self) : !Ledger.Knows(id) && _names.MayHaveGiven(id))
        {
            outbox.Answer(request, led is null ? new CommitResult.NotOpen(id) : new CommitResult.TooLate(id));
            return;
        }

        if (Ledger.IsPrepared(id) && _mutation == TwoPhaseCommitMutation.MindChange)
        {
            Abort(id, outbox);
        }

        if (!Ledger.Knows(id))
        {
            Bury(id, outbox);
        }

        outbox.Answer(request, Ledger.AnswerToVeto(id));
    }

    /// <summary>Promises to a coordinator that seems to be away are asked about now instead of at the next time-out.</summary>
    private void Suspect(NodeId node, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        foreach (var promise in Ledger.Promises.Where(promise => promise.Transaction.Coordinator == node && !promise.Members.IsEmpty))
        {
            Ask(promise, context, outbox);
        }
    }
}
