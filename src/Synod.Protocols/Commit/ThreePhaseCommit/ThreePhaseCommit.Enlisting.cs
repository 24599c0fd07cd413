using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>Transactions that are opened, joined and closed: the coordinator knows who takes part when it is asked to commit, and not before.</summary>
public sealed partial class ThreePhaseCommit
{
    private void Enlist(RequestId request, CommitCommand.Enlist enlist)
    {
        if (_enlistments.IsNew(request, enlist, _out))
        {
            ClaimEpoch();
            _enlistments.Add(request, enlist, _names.Epoch, _out);
            AskToJoin(enlist.Transaction);
        }
    }

    /// <summary>
    /// One that enlisted is in Q and asks until it is asked to vote, or told that it need not wait. It has promised nothing and holds no locks. The
    /// life in which it joins is durable before anyone hears of it: no later one joins as if it were the same.
    /// </summary>
    private void AskToJoin(TransactionId id)
    {
        if (_enlistments.TryGetWaiting(id, out var enlistment))
        {
            _out.Send(id.Coordinator, new Message.Join(id, enlistment.Life, !enlistment.Writes.IsEmpty));
            _out.SetTimer(ToTimer(Timer.Inquire, id), _context.Now + _options.Inquire);
        }
    }

    private void On(NodeId from, Message.Join join)
    {
        var id = join.Transaction;
        var members = _led.TryGetValue(id, out var led) ? led.Participants : NodeSet.Empty;
        _registrar.Answer(
            id, new Enrolled(from, join.Life), join.Writes, members, new Message.Joined(id, join.Life), new Message.Closed(id), _out);
    }

    private void On(NodeId from, Message.Closed closed)
    {
        if (_enlistments.Closes(from, closed.Transaction, _out))
        {
            _out.CancelTimer(ToTimer(Timer.Inquire, closed.Transaction));
        }
    }

    /// <summary>Closes the set and asks all who are in it.</summary>
    private void Close(RequestId request, TransactionId id)
    {
        if (_registrar.Closes(request, id, new Message.Decide(id, false), _out, out var roll))
        {
            Collect(id, new Led { Request = request.Value, Participants = roll.Joined, Writers = roll.Writers }, [], roll.Enrolled);
        }
    }

    /// <summary>From Q to A, if the coordinator has crashed: nobody asks for a vote any more. What never joined was never in Q.</summary>
    private void AbortWhatJoined(NodeId crashed)
    {
        foreach (var id in _enlistments.Waiting.Where(id => id.Coordinator == crashed))
        {
            if (_enlistments.TryGetWaiting(id, out var enlistment) && enlistment.IsJoined)
            {
                Bury(id);
            }
        }
    }

    /// <summary>
    /// The writes that came along, or those that are enlisted in the life that joined. Who has lost them votes No; a writer with a tombstone, while
    /// a reader may have said that it read before it crashed, and the rest have committed.
    /// </summary>
    private bool HasLost(Message.CanCommit canCommit, out ImmutableArray<Write> writes)
    {
        var id = canCommit.Transaction;
        writes = canCommit.Writes;
        if (canCommit.Life == 0 || _enlistments.TryFind(id, canCommit.Life, out writes))
        {
            return false;
        }

        if (canCommit.Writers.Contains(_self))
        {
            Bury(id);
        }

        return true;
    }
}
