using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class PaxosCommit
{
    private void On(NodeId from, Message.Prepare prepare)
    {
        var id = prepare.Transaction;
        if (from != _options.LeaderOf(id))
        {
            _out.Refuse(Refusal.NotMember);
            return;
        }

        if (!prepare.Members.Contains(_self) || !id.MayFollow(prepare.Oldest) || prepare.Life < 0
            || (prepare.Life > 0 && !prepare.Writes.IsEmpty))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        if (_registrar.Ids.Contains(id))
        {
            // It is open here, and nobody was told to ask.
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        if (TryVote(prepare))
        {
            SendVote(id);
            return;
        }

        if (Ledger.EndingOf(id) is var ending and not Ending.Unknown)
        {
            _out.Send(from, new Message.Decide(id, ending == Ending.Committed));
        }
    }

    /// <summary>The mark that goes with the next vote.</summary>
    private TransactionId Settle(TransactionId oldest)
    {
        var settled = Ledger.Settle(oldest);
        _enlistments.ForgetBefore(settled, _out);
        return _mutation == PaxosCommitMutation.SettleInDoubt ? oldest : settled;
    }

    /// <summary>
    /// Prepares: the promise comes before the vote, and so does what the vote says to be over. If the promise cannot be made, the instance can
    /// choose nothing but Aborted.
    /// </summary>
    private bool TryVote(Message.Prepare prepare)
    {
        var id = prepare.Transaction;
        var settled = Settle(prepare.Oldest);
        if (Ledger.Knows(id))
        {
            _out.Refuse(Refusal.Duplicate);
            return false;
        }

        if (!CanPromise(prepare, out var writes) || !Ledger.TryPromise(new Promise(id, prepare.Members, writes)))
        {
            Bury(id);
            return false;
        }

        _enlistments.Promise(id, prepare.Life, _out);
        _out.Persist(new Record.Prepared(new Promise(id, prepare.Members, writes), settled));
        _attempts.TryAdd(id, new Attempt { Members = prepare.Members });
        _attempts[id].Settled = settled;
        _out.SetTimer(ToTimer(Timer.Inquire, id), _context.Now + _context.Jitter(_options.Inquire));
        return true;
    }

    private void SendVote(TransactionId id)
    {
        foreach (var acceptor in _options.FirstAcceptors(id))
        {
            if (_mutation == PaxosCommitMutation.VoteBeforeDurable)
            {
                _out.SendEarly(acceptor, OwnVote(id, _attempts[id]));
                continue;
            }

            _out.Send(acceptor, OwnVote(id, _attempts[id]));
        }
    }

    private Message.Phase2a OwnVote(TransactionId id, Attempt attempt) =>
        new(id, Ballot.None, attempt.Members, NodeSet.Of(_self), attempt.Settled);

    /// <summary>
    /// A prepared manager that waits asks everyone who may know, and repeats its vote, now to all acceptors. If that was not
    /// enough, it leads a ballot itself: a majority of acceptors is all that it needs.
    /// </summary>
    private void Inquire(TransactionId id, Attempt attempt)
    {
        if (!Ledger.IsPrepared(id))
        {
            return;
        }

        if (_mutation == PaxosCommitMutation.TimeoutMeansAbort)
        {
            Learn(id, false);
            return;
        }

        if (attempt.Asked >= _options.Patience && !attempt.IsLeading)
        {
            LeadBallot(id, attempt);
        }

        attempt.Asked = Math.Min(attempt.Asked + 1, _options.Patience);
        var others = attempt.Members.With(id.Coordinator).With(_options.LeaderOf(id)).Without(_self);
        _out.Send(others, new Message.Inquire(id, attempt.Members));
        _out.Send(Asked(id), OwnVote(id, attempt));
        _out.SetTimer(ToTimer(Timer.Inquire, id), _context.Now + _context.Jitter(_options.Inquire));
    }

    /// <summary>
    /// Who has not voted aborts first, and then says so. Who does not know says nothing; nor does one that is no manager say that it aborted,
    /// unless it began: a veto of what it takes no part in is nobody's vote.
    /// </summary>
    private void On(NodeId from, Message.Inquire inquire)
    {
        var id = inquire.Transaction;
        if (!Ledger.Knows(id) && inquire.Members.Contains(_self))
        {
            Bury(id);
        }

        if (Ledger.EndingOf(id) is var ending and not Ending.Unknown
            && (ending == Ending.Committed || inquire.Members.Contains(_self) || id.Coordinator == _self))
        {
            _out.Send(from, new Message.Decide(id, ending == Ending.Committed));
        }
    }

    private void On(NodeId from, Message.Decide decide)
    {
        var id = decide.Transaction;
        if (!decide.Commit && _registrar.Dooms(id, from))
        {
            return;
        }

        // A leader whose own vote was No knows the ending and has not told it yet: its own word makes it do so.
        if (Ledger.EndingOf(id) is var ending and not Ending.Unknown
            && (ending == Ending.Committed != decide.Commit || !_attempts.ContainsKey(id)))
        {
            _out.Refuse(ending == Ending.Committed == decide.Commit ? Refusal.Duplicate : Refusal.Unsafe);
        }
        else if (Ledger.IsForgotten(id))
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else if (_attempts.TryGetValue(id, out var attempt))
        {
            if (!attempt.Members.Union(_options.AllAcceptors).With(id.Coordinator).With(_options.LeaderOf(id)).Contains(from))
            {
                _out.Refuse(Refusal.NotMember);
                return;
            }

            Conclude(id, attempt, decide.Commit, tell: true);
        }
        else if (decide.Commit || (from != id.Coordinator && from != _options.LeaderOf(id)))
        {
            _out.Refuse(Refusal.Unexpected);
        }
        else
        {
            Bury(id);
        }
    }

    private void End(TransactionId id, bool commit)
    {
        Ledger.End(id, commit, new Record.Ended(id, commit), _out);
        _out.CancelTimer(ToTimer(Timer.Inquire, id));
    }

    /// <summary>Aborts what was never voted on, with a tombstone that refuses a Prepare still under way.</summary>
    private void Bury(TransactionId id)
    {
        Withdraw(id, new CommitResult.Aborted(id));
        if (_mutation == PaxosCommitMutation.NoTombstone)
        {
            return;
        }

        Ledger.Note(id, committed: false);
        _out.Persist(new Record.Ended(id, false));
    }

    /// <summary>
    /// What is open here is rolled back. What others are voting on is not this node's to veto, though it asked them: a tombstone would be taken
    /// for the word of who began, also of what its earlier life began.
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

        if (_attempts.TryGetValue(id, out var attempt)
            ? !attempt.Members.IsEmpty && !attempt.Members.Contains(_self)
            : !Ledger.Knows(id) && _names.MayHaveGiven(id))
        {
            _out.Answer(request, attempt is null ? new CommitResult.NotOpen(id) : new CommitResult.TooLate(id));
            return;
        }

        if (!Ledger.Knows(id))
        {
            Bury(id);
        }

        _out.Answer(request, Ledger.AnswerToVeto(id));
    }

    /// <summary>The lowest manager takes over at once from a leader that seems to have crashed; the others wait for their time-out.</summary>
    private void Suspect(NodeId node)
    {
        foreach (var id in Ledger.InDoubt.Where(id => _options.LeaderOf(id) == node).ToArray())
        {
            var attempt = _attempts[id];
            if (!attempt.IsLeading && attempt.Members.Without(node).First() == _self)
            {
                LeadBallot(id, attempt);
            }
        }
    }
}
