using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// The registrar beside the coordinator, and who joins it. Its value in consensus is the set of all that joined, proposed once, when the
/// transaction is closed; it goes along with the managers' votes, since in ballot 0 nobody else proposes a set.
/// </summary>
public sealed partial class PaxosCommit
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

    /// <summary>The life in which this node joins is durable before anyone hears of it: no later one joins as if it were the same.</summary>
    private void AskToJoin(TransactionId id)
    {
        if (_enlistments.TryGetWaiting(id, out var enlistment))
        {
            _out.Send(id.Coordinator, new Message.Join(id, enlistment.Life, !enlistment.Writes.IsEmpty));
            _out.SetTimer(ToTimer(Timer.Inquire, id), _context.Now + _context.Jitter(_options.Inquire));
        }
    }

    private void On(NodeId from, Message.Join join)
    {
        var id = join.Transaction;
        var members = _attempts.TryGetValue(id, out var attempt) ? attempt.Members : NodeSet.Empty;
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

    /// <summary>Closes the set, and has it agreed on together with the votes of all who are in it.</summary>
    private void Close(RequestId request, TransactionId id)
    {
        if (_registrar.Closes(request, id, new Message.Decide(id, false), _out, out var roll))
        {
            BeginAgreement(id, new Attempt { Request = request.Value, Members = roll.Joined }, [], roll.Enrolled);
        }
    }

    /// <summary>
    /// One that joined and hears nothing keeps asking. If the registrar is silent it leads a ballot: it need not know the set, since acceptors
    /// report it if anybody has voted; and if nobody has, no set is chosen, and so nothing commits. A registrar here is not silent, only late.
    /// </summary>
    private void AskAgain(TransactionId id, Enlistments.Enlistment enlistment)
    {
        if (id.Coordinator != _self && enlistment.IsJoined && enlistment.Asked >= _options.Patience && !_attempts.ContainsKey(id))
        {
            var attempt = new Attempt();
            _attempts.Add(id, attempt);
            LeadBallot(id, attempt);
        }

        enlistment.Asked = Math.Min(enlistment.Asked + 1, _options.Patience);
        AskToJoin(id);
    }

    /// <summary>What is enlisted comes to nothing, as the ledger says from here on.</summary>
    private void Withdraw(TransactionId id, CommitResult answer)
    {
        if (_enlistments.End(id, answer, _out))
        {
            _out.CancelTimer(ToTimer(Timer.Inquire, id));
        }
    }

    /// <summary>
    /// What is to be promised: the writes that came along, or what is enlisted in the life that joined. Another life has lost that. Nor does one
    /// vote that has led a ballot without knowing the set: acceptors forget such a ballot when it is over for its leader, whoever else was in it.
    /// </summary>
    private bool CanPromise(Message.Prepare prepare, out ImmutableArray<Write> writes)
    {
        writes = prepare.Writes;
        return (prepare.Life == 0 || _enlistments.TryFind(prepare.Transaction, prepare.Life, out writes))
            && !(_attempts.TryGetValue(prepare.Transaction, out var attempt) && attempt.Members.IsEmpty);
    }
}
