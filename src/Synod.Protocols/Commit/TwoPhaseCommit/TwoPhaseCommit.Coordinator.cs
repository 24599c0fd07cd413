using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    private void Begin(
        RequestId request, CommitCommand.Begin begin, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (!begin.IsWellFormed)
        {
            outbox.AnswerEarly(request, new CommitResult.Malformed());
            return;
        }

        ClaimEpoch(outbox);
        var id = _names.Next(Ledger);
        var led = new Led { Request = request.Value, Participants = begin.Participants, Writers = begin.Writers };
        if (begin.Branches is [{ Writes.IsEmpty: false } only])
        {
            led.Alone = only;
        }

        _led.Add(id, led);
        foreach (var branch in begin.Branches)
        {
            Ask(id, led, begin.Writers, 0, branch, outbox);
        }

        outbox.SetTimer(ToTimer(Timer.Vote, id), context.Now + _options.Vote);
    }

    private void Ask(
        TransactionId id, Led led, NodeSet writers, long life, Branch branch, Outbox<Message, Record, CommitCommand, CommitResult> outbox) =>
        outbox.Send(branch.Participant, led.IsAlone
            ? new Message.CommitAlone(id, Oldest(id), life, branch.Writes)
            : new Message.Prepare(id, Oldest(id), writers, life, branch.Writes));

    /// <summary>What is before it was forgotten here: committed by all who wrote, or aborted, by its absence if not by a record.</summary>
    private TransactionId Oldest(TransactionId id) =>
        _mutation == TwoPhaseCommitMutation.ForgetTooEarly ? id : _registrar.Oldest(_led.Keys.First());

    private void On(NodeId from, Message.Vote vote, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (!_led.TryGetValue(vote.Transaction, out var led) || led.IsCommitted || led.IsAlone)
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (!led.Participants.Contains(from))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        switch (vote.Choice)
        {
            case Choice.No:
                // A No-voter has aborted already and does not wait to hear of it.
                led.ReadOnly = led.ReadOnly.With(from);
                DecideAbort(vote.Transaction, led, outbox);
                return;
            case Choice.Yes:
                led.Yes = led.Yes.With(from);
                break;
            default:
                led.ReadOnly = led.ReadOnly.With(from);
                break;
        }

        if (led.Yes.Union(led.ReadOnly) == led.Participants || _mutation == TwoPhaseCommitMutation.FirstYesDecides)
        {
            DecideCommit(vote.Transaction, led, context, outbox);
        }
    }

    /// <summary>Rule 2: the record comes before anybody hears of the commit, the client included.</summary>
    private void DecideCommit(
        TransactionId id, Led led, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        outbox.CancelTimer(ToTimer(Timer.Vote, id));
        if (led.Yes.IsEmpty)
        {
            outbox.Answer(new RequestId(led.Request), new CommitResult.Committed(id));
            _led.Remove(id);
            return;
        }

        led.IsCommitted = true;
        outbox.Persist(new Record.Decided(id, led.Yes));
        SendCommit(id, led, outbox);
        outbox.Answer(new RequestId(led.Request), new CommitResult.Committed(id));
        if (_mutation == TwoPhaseCommitMutation.ForgetBeforeAcks)
        {
            Forget(id, outbox);
            return;
        }

        outbox.SetTimer(ToTimer(Timer.Resend, id), context.Now + _options.Resend);
    }

    private void SendCommit(TransactionId id, Led led, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        foreach (var voter in led.Yes.Except(led.Acked))
        {
            if (_mutation == TwoPhaseCommitMutation.DecideBeforeDurable)
            {
                outbox.SendEarly(voter, new Message.Decide(id, true));
                continue;
            }

            outbox.Send(voter, new Message.Decide(id, true));
        }
    }

    /// <summary>Presumed abort: nothing is recorded and nobody acknowledges, since what is unknown here is aborted.</summary>
    private void DecideAbort(TransactionId id, Led led, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        outbox.CancelTimer(ToTimer(Timer.Vote, id));
        outbox.Send(led.Participants.Except(led.ReadOnly), new Message.Decide(id, false));
        outbox.Answer(new RequestId(led.Request), new CommitResult.Aborted(id));
        _led.Remove(id);
    }

    private void VotesAreLate(TransactionId id, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (!_led.TryGetValue(id, out var led) || led.IsCommitted)
        {
            return;
        }

        if (!led.IsAlone)
        {
            DecideAbort(id, led, outbox);
            return;
        }

        // The decision was given away: whether it was taken is known to the participant only, which repeats it when asked again.
        if (_mutation == TwoPhaseCommitMutation.AbortWhatIsAlone)
        {
            DecideAbort(id, led, outbox);
            return;
        }

        outbox.Send(led.Participants, new Message.CommitAlone(id, Oldest(id), led.AloneLife, led.Alone.Writes));
        outbox.SetTimer(ToTimer(Timer.Vote, id), context.Now + _options.Vote);
    }

    /// <summary>What the only participant decided.</summary>
    private void DecidedAlone(NodeId from, Message.Outcome outcome, Led led, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        var id = outcome.Transaction;
        if (!led.Participants.Contains(from) || outcome.Ending == Ending.Unknown)
        {
            outbox.Refuse(led.Participants.Contains(from) ? Refusal.Malformed : Refusal.NotMember);
            return;
        }

        outbox.CancelTimer(ToTimer(Timer.Vote, id));
        outbox.Answer(
            new RequestId(led.Request),
            outcome.Ending == Ending.Committed ? new CommitResult.Committed(id) : new CommitResult.Aborted(id));
        _led.Remove(id);
    }

    private void Resend(TransactionId id, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (_led.TryGetValue(id, out var led) && led.IsCommitted)
        {
            SendCommit(id, led, outbox);
            outbox.SetTimer(ToTimer(Timer.Resend, id), context.Now + _options.Resend);
        }
    }

    /// <summary>Rule 4: a commit is remembered until every Yes-voter has made it durable, or an inquiry would hear "aborted".</summary>
    private void On(NodeId from, Message.Ack ack, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (!_led.TryGetValue(ack.Transaction, out var led) || !led.IsCommitted)
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (!led.Yes.Contains(from))
        {
            outbox.Refuse(Refusal.NotMember);
            return;
        }

        led.Acked = led.Acked.With(from);
        if (led.Acked == led.Yes)
        {
            outbox.CancelTimer(ToTimer(Timer.Resend, ack.Transaction));
            Forget(ack.Transaction, outbox);
        }
    }

    private void Forget(TransactionId id, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        _led.Remove(id);
        outbox.Persist(new Record.Ended(id));
    }

    /// <summary>What a coordinator says of its own transaction. Undecided is not unknown: only the latter means aborted.</summary>
    private Ending EndingAsCoordinator(TransactionId id) =>
        !_led.TryGetValue(id, out var led) ? Ending.Aborted
        : led.IsCommitted ? Ending.Committed
        : _mutation == TwoPhaseCommitMutation.PresumeAbortWhileCollecting ? Ending.Aborted
        : Ending.Unknown;

    /// <summary>A transaction that this node coordinates.</summary>
    private sealed class Led
    {
        public NodeSet Participants;
        public NodeSet Writers;
        public NodeSet Yes;
        public NodeSet ReadOnly;
        public NodeSet Acked;
        public Branch Alone = new(NodeId.None, []);
        public long AloneLife;
        public bool IsCommitted;
        public long Request;

        /// <summary>Whether the only participant decides.</summary>
        public bool IsAlone => !Alone.Writes.IsEmpty || AloneLife > 0;

        public void State(StateVisitor visitor)
        {
            visitor.Visit("participants", ref Participants);
            visitor.Visit("writers", ref Writers);
            visitor.Visit("yes", ref Yes);
            visitor.Visit("readOnly", ref ReadOnly);
            visitor.Visit("acked", ref Acked);
            visitor.Visit("alone", ref Alone, CommitFields.Branches);
            visitor.Visit("aloneLife", ref AloneLife);
            visitor.Visit("committed", ref IsCommitted);
            visitor.Visit("request", ref Request);
        }
    }
}
