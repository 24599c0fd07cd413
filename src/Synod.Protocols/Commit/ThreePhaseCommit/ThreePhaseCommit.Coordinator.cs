using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class ThreePhaseCommit
{
    private void Begin(RequestId request, CommitCommand.Begin begin)
    {
        if (!begin.IsWellFormed)
        {
            _out.AnswerEarly(request, new CommitResult.Malformed());
            return;
        }

        ClaimEpoch();
        Collect(
            _names.Next(Ledger),
            new Led { Request = request.Value, Participants = begin.Participants, Writers = begin.Writers },
            begin.Branches,
            []);
    }

    /// <summary>All participants are known: those whose writes came with the client's command, or those that have joined.</summary>
    private void Collect(TransactionId id, Led led, ImmutableArray<Branch> branches, ImmutableArray<Enrolled> enrolled)
    {
        _led.Add(id, led);
        var settled = _settled.Of(led.Writers, _self);
        foreach (var branch in branches)
        {
            _out.Send(branch.Participant, new Message.CanCommit(id, Oldest, settled, led.Writers, 0, branch.Writes));
        }

        foreach (var (participant, life) in enrolled)
        {
            _out.Send(participant, new Message.CanCommit(id, Oldest, settled, led.Writers, life, []));
        }

        _out.SetTimer(ToTimer(Timer.Vote, id), _context.Now + _options.Vote);
    }

    private void On(NodeId from, Message.Vote vote)
    {
        var id = vote.Transaction;
        if (!_led.TryGetValue(id, out var led) || led.IsPreCommitting)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        if (!led.Participants.Contains(from))
        {
            _out.Refuse(Refusal.NotMember);
            return;
        }

        if (vote.Settled != default && !id.MayFollow(vote.Settled))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        if (_settled.Note(new Settlement(from, vote.Settled)))
        {
            ForgetWhatIsOver(_self);
        }

        switch (vote.Choice)
        {
            case Choice.No:
                // A No-voter has aborted already and does not wait to hear of it.
                led.ReadOnly = led.ReadOnly.With(from);
                DecideAbort(id, led);
                return;
            case Choice.Yes:
                led.Yes = led.Yes.With(from);
                break;
            default:
                led.ReadOnly = led.ReadOnly.With(from);
                break;
        }

        if (led.Yes.Union(led.ReadOnly) == led.Participants)
        {
            AllVotedYes(id, led);
        }
    }

    /// <summary>From here on the coordinator cannot abort any more, and until every live writer knows that, it cannot commit.</summary>
    private void AllVotedYes(TransactionId id, Led led)
    {
        _out.CancelTimer(ToTimer(Timer.Vote, id));
        if (led.Yes.IsEmpty)
        {
            _out.Answer(new RequestId(led.Request), new CommitResult.Committed(id));
            _led.Remove(id);
            return;
        }

        led.IsPreCommitting = true;
        _out.Send(led.Awaited, new Message.PreCommit(id));
        _out.SetTimer(ToTimer(Timer.Resend, id), _context.Now + _options.Resend);
        CommitIfKnownToAll(id, led);
    }

    private void AckAtCoordinator(NodeId from, TransactionId id, Led led)
    {
        if (!led.IsPreCommitting || !led.Yes.Contains(from))
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        led.Acked = led.Acked.With(from);
        CommitIfKnownToAll(id, led);
    }

    private void CommitIfKnownToAll(TransactionId id, Led led)
    {
        if (!led.Awaited.IsEmpty && _mutation != ThreePhaseCommitMutation.CommitWithoutAcks)
        {
            return;
        }

        _out.CancelTimer(ToTimer(Timer.Resend, id));
        _out.Persist(new Record.Decided(id, led.Writers));
        _out.Send(led.Yes, new Message.Decide(id, true));
        Conclude(id, led, committed: true);
    }

    /// <summary>Nobody is in P yet. No record: whoever waits hears it, or finds everyone alive in W and aborts as well.</summary>
    private void DecideAbort(TransactionId id, Led led)
    {
        _out.CancelTimer(ToTimer(Timer.Vote, id));
        _out.Send(led.Participants.Except(led.ReadOnly), new Message.Decide(id, false));
        Conclude(id, led, committed: false);
    }

    private void Conclude(TransactionId id, Led led, bool committed)
    {
        _decisions.Add(id, committed);
        _writers[id] = led.Writers;
        _out.Answer(
            new RequestId(led.Request), committed ? new CommitResult.Committed(id) : new CommitResult.Aborted(id));
        _led.Remove(id);
    }

    private void VotesAreLate(TransactionId id)
    {
        if (_led.TryGetValue(id, out var led) && !led.IsPreCommitting)
        {
            DecideAbort(id, led);
        }
    }

    private void GoOnWithout(NodeId node, TransactionId id, Led led)
    {
        led.Crashed = led.Crashed.With(node);
        if (led.IsPreCommitting)
        {
            CommitIfKnownToAll(id, led);
        }
        else if (led.Participants.Except(led.Yes.Union(led.ReadOnly)).Contains(node))
        {
            DecideAbort(id, led);
        }
    }

    private void OnReportToCoordinator(NodeId from, Message.StateRep report, Led led)
    {
        var id = report.Transaction;
        switch (report.Standing)
        {
            case Standing.Committed or Standing.Aborted:
                Overtaken(from, id, led, report.Standing == Standing.Committed);
                break;
            case Standing.WaitingSinceCrash or Standing.PreCommittedSinceCrash:
                LearnCrash(from, id);
                break;
            default:
                _out.Refuse(Refusal.Unexpected);
                break;
        }
    }

    /// <summary>Others ended what this node still leads: they took it for crashed. Their decision stands.</summary>
    private void Overtaken(NodeId from, TransactionId id, Led led, bool committed)
    {
        if (!led.Participants.Contains(from))
        {
            _out.Refuse(Refusal.NotMember);
            return;
        }

        _out.CancelTimer(ToTimer(Timer.Vote, id));
        _out.CancelTimer(ToTimer(Timer.Resend, id));
        if (committed)
        {
            _out.Persist(new Record.Decided(id, led.Writers));
        }

        Conclude(id, led, committed);
    }

    /// <summary>A transaction that this node coordinates.</summary>
    private sealed class Led
    {
        public NodeSet Participants;
        public NodeSet Writers;
        public NodeSet Yes;
        public NodeSet ReadOnly;
        public NodeSet Acked;
        public NodeSet Crashed;
        public bool IsPreCommitting;
        public long Request;

        /// <summary>Writers believed alive that may not know that everyone voted Yes.</summary>
        public NodeSet Awaited => Yes.Except(Crashed).Except(Acked);

        public void State(StateVisitor visitor)
        {
            visitor.Visit("participants", ref Participants);
            visitor.Visit("writers", ref Writers);
            visitor.Visit("yes", ref Yes);
            visitor.Visit("readOnly", ref ReadOnly);
            visitor.Visit("acked", ref Acked);
            visitor.Visit("crashed", ref Crashed);
            visitor.Visit("preCommitting", ref IsPreCommitting);
            visitor.Visit("request", ref Request);
        }
    }
}
