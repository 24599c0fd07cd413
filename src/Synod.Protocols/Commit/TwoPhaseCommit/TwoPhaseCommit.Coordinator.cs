using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    private void Begin(
        RequestId request, Command.Begin begin, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!IsWellFormed(begin))
        {
            outbox.AnswerEarly(request, new Result.Malformed());
            return;
        }

        ClaimEpoch(outbox);
        var id = new TransactionId(_self, _epoch, ++_counter);
        var led = new Led { Request = request.Value };
        var writers = NodeSet.Empty;
        foreach (var branch in begin.Branches)
        {
            led.Participants = led.Participants.With(branch.Participant);
            writers = branch.Writes.Length > 0 ? writers.With(branch.Participant) : writers;
        }

        _led.Add(id, led);
        foreach (var branch in begin.Branches)
        {
            outbox.Send(branch.Participant, new Message.Prepare(id, writers, branch.Writes));
        }

        outbox.SetTimer(ToTimer(Timer.Vote, id), context.Now + _options.Vote);
    }

    /// <summary>
    /// Ids carry an epoch that no earlier life of this node used. The record comes before the first Prepare, so no message holds
    /// an id of an epoch that a restart could claim again.
    /// </summary>
    private void ClaimEpoch(Outbox<Message, Record, Command, Result> outbox)
    {
        if (_isEpochOwn)
        {
            return;
        }

        _isEpochOwn = true;
        _epoch = _mutation == TwoPhaseCommitMutation.ReuseIds ? 1 : _epoch + 1;
        outbox.Persist(new Record.Booted(_epoch));
    }

    private void On(NodeId from, Message.Vote vote, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!_led.TryGetValue(vote.Transaction, out var led) || led.IsCommitted)
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
        TransactionId id, Led led, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.CancelTimer(ToTimer(Timer.Vote, id));
        if (led.Yes.IsEmpty)
        {
            outbox.Answer(new RequestId(led.Request), new Result.Committed(id));
            _led.Remove(id);
            return;
        }

        led.IsCommitted = true;
        outbox.Persist(new Record.Decided(id, led.Yes));
        SendCommit(id, led, outbox);
        outbox.Answer(new RequestId(led.Request), new Result.Committed(id));
        if (_mutation == TwoPhaseCommitMutation.ForgetBeforeAcks)
        {
            Forget(id, outbox);
            return;
        }

        outbox.SetTimer(ToTimer(Timer.Resend, id), context.Now + _options.Resend);
    }

    private void SendCommit(TransactionId id, Led led, Outbox<Message, Record, Command, Result> outbox)
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
    private void DecideAbort(TransactionId id, Led led, Outbox<Message, Record, Command, Result> outbox)
    {
        outbox.CancelTimer(ToTimer(Timer.Vote, id));
        outbox.Send(led.Participants.Except(led.ReadOnly), new Message.Decide(id, false));
        outbox.Answer(new RequestId(led.Request), new Result.Aborted(id));
        _led.Remove(id);
    }

    private void VotesAreLate(TransactionId id, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_led.TryGetValue(id, out var led) && !led.IsCommitted)
        {
            DecideAbort(id, led, outbox);
        }
    }

    private void Resend(TransactionId id, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_led.TryGetValue(id, out var led) && led.IsCommitted)
        {
            SendCommit(id, led, outbox);
            outbox.SetTimer(ToTimer(Timer.Resend, id), context.Now + _options.Resend);
        }
    }

    /// <summary>Rule 4: a commit is remembered until every Yes-voter has made it durable, or an inquiry would hear "aborted".</summary>
    private void On(NodeId from, Message.Ack ack, Outbox<Message, Record, Command, Result> outbox)
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

    private void Forget(TransactionId id, Outbox<Message, Record, Command, Result> outbox)
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

    private static bool IsWellFormed(Command.Begin begin)
    {
        var seen = NodeSet.Empty;
        foreach (var branch in begin.Branches)
        {
            if (branch.Participant.Value is <= 0 or >= NodeSet.Capacity || seen.Contains(branch.Participant))
            {
                return false;
            }

            seen = seen.With(branch.Participant);
        }

        return !seen.IsEmpty;
    }

    /// <summary>A transaction that this node coordinates.</summary>
    private sealed class Led
    {
        public NodeSet Participants;
        public NodeSet Yes;
        public NodeSet ReadOnly;
        public NodeSet Acked;
        public bool IsCommitted;
        public long Request;

        public void State(StateVisitor visitor)
        {
            visitor.Visit("participants", ref Participants);
            visitor.Visit("yes", ref Yes);
            visitor.Visit("readOnly", ref ReadOnly);
            visitor.Visit("acked", ref Acked);
            visitor.Visit("committed", ref IsCommitted);
            visitor.Visit("request", ref Request);
        }
    }
}
