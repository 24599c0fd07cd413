using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>Transactions that are opened, joined and closed: the coordinator knows who takes part when it is asked to commit, and not before.</summary>
public sealed partial class TwoPhaseCommit
{
    private void Enlist(
        RequestId request, CommitCommand.Enlist enlist, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (_enlistments.IsNew(request, enlist, outbox))
        {
            ClaimEpoch(outbox);
            _enlistments.Add(request, enlist, _names.Epoch, outbox);
            AskToJoin(enlist.Transaction, context, outbox);
        }
    }

    /// <summary>
    /// One that enlisted asks until it is asked to prepare, or told that it need not wait. It has promised nothing and holds no locks. The life in
    /// which it joins is durable before anyone hears of it: no later one joins as if it were the same.
    /// </summary>
    private void AskToJoin(TransactionId id, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (_enlistments.TryGetWaiting(id, out var enlistment))
        {
            outbox.Send(id.Coordinator, new Message.Join(id, enlistment.Life, !enlistment.Writes.IsEmpty));
            outbox.SetTimer(ToTimer(Timer.Inquire, id), context.Now + _options.Inquire);
        }
    }

    private void On(NodeId from, Message.Join join, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        var id = join.Transaction;
        var members = _led.TryGetValue(id, out var led) ? led.Participants : NodeSet.Empty;
        _registrar.Answer(
            id, new Enrolled(from, join.Life), join.Writes, members, new Message.Joined(id, join.Life), new Message.Closed(id), outbox);
    }

    private void On(NodeId from, Message.Closed closed, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (_enlistments.Closes(from, closed.Transaction, outbox))
        {
            outbox.CancelTimer(ToTimer(Timer.Inquire, closed.Transaction));
        }
    }

    /// <summary>Closes the set and asks all who are in it. One that joined alone and writes decides alone.</summary>
    private void Close(
        RequestId request, TransactionId id, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (!_registrar.Closes(request, id, new Message.Decide(id, false), outbox, out var roll))
        {
            return;
        }

        var led = new Led { Request = request.Value, Participants = roll.Joined, Writers = roll.Writers };
        if (roll.Enrolled is [var only] && roll.Writers.Contains(only.Participant))
        {
            (led.Alone, led.AloneLife) = (new Branch(only.Participant, []), only.Life);
        }

        _led.Add(id, led);
        foreach (var (participant, life) in roll.Enrolled)
        {
            Ask(id, led, roll.Writers, life, new Branch(participant, []), outbox);
        }

        outbox.SetTimer(ToTimer(Timer.Vote, id), context.Now + _options.Vote);
    }

    /// <summary>
    /// The writes that came along, or those that are enlisted in the life that joined. Who has lost them votes No; a writer with a tombstone, while
    /// a reader may have said that it read before it crashed, and the rest have committed.
    /// </summary>
    private bool HasLost(
        TransactionId id, long life, bool writer, ref ImmutableArray<Write> writes, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        if (life == 0 || _enlistments.TryFind(id, life, out writes))
        {
            return false;
        }

        if (writer)
        {
            Bury(id, outbox);
        }

        return true;
    }
}
