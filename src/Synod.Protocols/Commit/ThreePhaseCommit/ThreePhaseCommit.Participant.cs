using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class ThreePhaseCommit
{
    private void On(NodeId from, Message.CanCommit canCommit)
    {
        var id = canCommit.Transaction;
        if (from != id.Coordinator)
        {
            _out.Refuse(Refusal.NotMember);
            return;
        }

        if (canCommit.Life < 0
            || (canCommit.Life > 0 ? !canCommit.Writes.IsEmpty : canCommit.Writers.Contains(_self) == canCommit.Writes.IsEmpty) || !id.MayFollow(canCommit.Oldest)
            || !canCommit.Settled.All(settlement => id.MayFollow(settlement.Mark)))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        var mark = Settle(canCommit);
        if (Ledger.Knows(id))
        {
            _out.Refuse(Refusal.Duplicate);
            _out.Send(from, new Message.Vote(
                id, Ledger.EndingOf(id) == Ending.Aborted || Ledger.IsForgotten(id) ? Choice.No : Choice.Yes));
        }
        else if (HasLost(canCommit, out var writes))
        {
            _out.Send(from, new Message.Vote(id, Choice.No));
        }
        else if (writes.IsEmpty)
        {
            _enlistments.Read(id, canCommit.Life, _out);
            _out.Send(from, new Message.Vote(id, Choice.ReadOnly));
        }
        else if (!canCommit.Writers.Contains(_self))
        {
            _out.Refuse(Refusal.Malformed);
        }
        else
        {
            Vote(new Promise(id, canCommit.Writers, writes), canCommit.Life, mark);
        }
    }

    /// <summary>Q to W, with the promise, and the mark that goes with it, durable before anyone hears of them; or Q to A.</summary>
    private void Vote(Promise promise, long life, TransactionId mark)
    {
        var id = promise.Transaction;
        if (!Ledger.TryPromise(promise))
        {
            Bury(id);
            _out.Send(id.Coordinator, new Message.Vote(id, Choice.No));
            return;
        }

        _enlistments.Promise(id, life, _out);
        _stands.Add(id, new Stand());
        _out.Persist(new Record.Prepared(promise, mark));
        _out.SetTimer(ToTimer(Timer.Inquire, id), _context.Now + _options.Inquire);
        if (_mutation == ThreePhaseCommitMutation.VoteBeforeDurable)
        {
            _out.SendEarly(id.Coordinator, new Message.Vote(id, Choice.Yes, mark));
            return;
        }

        _out.Send(id.Coordinator, new Message.Vote(id, Choice.Yes, mark));
    }

    /// <summary>W to P, with P durable before the acknowledgement. Who crashed since its vote stays out of it, and says so.</summary>
    private void On(NodeId from, Message.PreCommit preCommit)
    {
        var id = preCommit.Transaction;
        if (!_stands.TryGetValue(id, out var stand))
        {
            Report(from, id);
            return;
        }

        if (!IsOfTransaction(from, id))
        {
            _out.Refuse(Refusal.NotMember);
        }
        else if (stand.IsRecovering)
        {
            Report(from, id);
        }
        else if (!Obey(from, id, stand))
        {
            _out.Refuse(Refusal.StaleBallot);
        }
        else
        {
            EnterPreCommitted(id, stand);
            _out.Send(from, new Message.AckPre(id));
        }
    }

    private void EnterPreCommitted(TransactionId id, Stand stand)
    {
        if (!stand.IsPreCommitted)
        {
            stand.IsPreCommitted = true;
            _out.Persist(new Record.PreCommitted(id));
        }
    }

    /// <summary>
    /// Leaders follow one another in the order coordinator, lowest participant, next participant. Once a later one has been
    /// answered, an earlier one is not obeyed any more: its message is older than the crash that it was believed to have had.
    /// </summary>
    private bool Obey(NodeId leader, TransactionId id, Stand stand)
    {
        if (Rank(leader, id) < Rank(stand.Obeys, id) && _mutation != ThreePhaseCommitMutation.ObeysTheOld)
        {
            return false;
        }

        stand.Obeys = leader;
        if (leader != _self && stand.Stage != Stage.None)
        {
            stand.Stage = Stage.None;
            _out.CancelTimer(ToTimer(Timer.Resend, id));
        }

        return true;
    }

    private static int Rank(NodeId leader, TransactionId id) => leader == id.Coordinator ? 0 : leader.Value;

    private bool IsOfTransaction(NodeId node, TransactionId id) =>
        node == id.Coordinator || (Ledger.TryGetPromise(id, out var promise) && promise.Members.Contains(node));

    private void On(NodeId from, Message.Decide decide)
    {
        var id = decide.Transaction;
        if (Ledger.EndingOf(id) is var ending and not Ending.Unknown)
        {
            // The second case is how a split is discovered once everyone can talk again (commit.md §2.3).
            _out.Refuse(ending == Ending.Committed == decide.Commit ? Refusal.Duplicate : Refusal.Unsafe);
        }
        else if (Ledger.IsForgotten(id))
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else if (_led.TryGetValue(id, out var led) && from != _self)
        {
            Overtaken(from, id, led, decide.Commit);
        }
        else if (_stands.ContainsKey(id))
        {
            if (!IsOfTransaction(from, id))
            {
                _out.Refuse(Refusal.NotMember);
                return;
            }

            End(id, decide.Commit);
        }
        else if (decide.Commit || from != id.Coordinator)
        {
            // A commit without our vote comes from a peer that broke its word; only the coordinator's abort may overtake its question.
            _out.Refuse(Refusal.Unexpected);
        }
        else
        {
            Bury(id);
        }
    }

    private void End(TransactionId id, bool commit)
    {
        var writers = PromiseOf(id).Members;
        Ledger.End(id, commit, new Record.Ended(id, commit, writers), _out);
        _writers[id] = writers;
        _stands.Remove(id);
        _out.CancelTimer(ToTimer(Timer.Inquire, id));
        _out.CancelTimer(ToTimer(Timer.Resend, id));
    }

    /// <summary>Aborts what was never voted on, with a tombstone that refuses a CanCommit still under way.</summary>
    private void Bury(TransactionId id)
    {
        if (_enlistments.End(id, new CommitResult.Aborted(id), _out))
        {
            _out.CancelTimer(ToTimer(Timer.Inquire, id));
        }

        if (_mutation == ThreePhaseCommitMutation.NoTombstone)
        {
            return;
        }

        Ledger.Note(id, committed: false);
        _out.Persist(new Record.Ended(id, false, NodeSet.Empty));
    }

    /// <summary>
    /// What is open here is rolled back. What others are voting on is not this node's to veto, though it asked them: a tombstone would be taken
    /// for the word of who coordinates, also of what it has decided and of what its earlier life began.
    /// </summary>
    private void Veto(RequestId request, TransactionId id)
    {
        if (_registrar.RollsBack(request, id, new Message.Decide(id, false), _out))
        {
            return;
        }

        if (_enlistments.Withdraws(request, id, _out))
        {
            _out.CancelTimer(ToTimer(Timer.Inquire, id));
            return;
        }

        if (_led.TryGetValue(id, out var led) ? !led.Writers.Contains(_self) : !Ledger.Knows(id) && _names.MayHaveGiven(id))
        {
            _out.Answer(request, led is null ? new CommitResult.NotOpen(id) : new CommitResult.TooLate(id));
            return;
        }

        if (!Ledger.Knows(id))
        {
            Bury(id);
        }

        _out.Answer(request, Ledger.AnswerToVeto(id));
    }
}
