using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>The acceptor (paxos.md §3.1): promises and acceptances, each durable before it is told.</summary>
public sealed partial class MultiPaxos
{
    /// <summary>A slot further above the floor than this is not accepted: the replica needs a snapshot first.</summary>
    private const long AcceptWindow = 1 << 16;

    // How much of its report the candidate of the promised ballot has asked for.
    private Slot _pagedTo;

    private Ballot _throughBallot;
    private Slot _through;

    private void On(NodeId from, Message.Prepare m)
    {
        if (!IsOwned(m.Ballot, from) || from == _self || !IsSound(m.From))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        See(m.Ballot);
        if (m.Ballot < _promised)
        {
            Reject(from, m.Ballot);
            return;
        }

        if (m.Ballot > _promised)
        {
            if (IsBoundByLease(m.Ballot, m.Released))
            {
                _out.Refuse(Refusal.LeaseHeld);
                return;
            }

            RaisePromise(m.Ballot);
            _out.Persist(new Record.Promised(m.Ballot));
            IsQuiescent = false;
            _lastHeard = Now;
            ArmElection();
        }

        if (m.From > _pagedTo)
        {
            // The candidate gets on with a long report: let it.
            _pagedTo = m.From;
            _lastHeard = Now;
        }

        SendPromise(from, m);
    }

    private void On(NodeId from, Message.Accept m)
    {
        if (!IsOwned(m.Ballot, from) || from == _self || !IsSound(m.Slot) || !IsSound(m.Commit) || m.Slot == Slot.None)
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        See(m.Ballot);
        if (m.Ballot < _promised)
        {
            Reject(from, m.Ballot);
            return;
        }

        var known = Slot.Max(Chosen, Floor);
        if (m.Slot.Value - _log.Floor.Value > AcceptWindow)
        {
            _out.Refuse(Refusal.NotReady);
            Follow(from, m.Ballot);
            LearnCommit(m.Commit, m.Ballot);
            return;
        }

        if (m.Slot <= known)
        {
            // The slot is chosen, so its value is this one and the vote changes nothing.
            Follow(from, m.Ballot);
        }
        else
        {
            Accept(m);
            Hear(from);
        }

        SendUnlessEarly(
            MultiPaxosMutation.AcceptedBeforeDurable, from, new Message.Accepted(m.Ballot, m.Slot, Through(m.Ballot)));
        LearnCommit(m.Commit, m.Ballot);
    }

    private void Accept(Message.Accept m)
    {
        var held = _log.EntryAt(m.Slot);
        if (held?.Ballot == m.Ballot)
        {
            // Accepted before, and the record of it lies before this answer.
            Invariant.Check(held.Value.Span.SequenceEqual(m.Value.Span), "OneValuePerBallot", $"{m.Slot} {m.Ballot}");
            return;
        }

        if (m.Ballot > _promised)
        {
            RaisePromise(m.Ballot);
        }

        Invariant.Check(m.Ballot == _promised && (held is null || held.Ballot < m.Ballot), "NoAcceptBelowPromise", m.Ballot, _promised);
        _log.Set(m.Entry);
        _out.Persist(m.Entry);
    }

    /// <summary>A live leader of this ballot, not below the promise, was heard.</summary>
    private void Follow(NodeId leader, Ballot ballot)
    {
        if (ballot > _promised)
        {
            RaisePromise(ballot);
            _out.Persist(new Record.Promised(ballot));
        }

        Hear(leader);
    }

    private void Hear(NodeId leader)
    {
        if (Role != PaxosRole.Follower)
        {
            // Only a pre-candidate can get here: a candidate's or leader's own ballot is the promise.
            EndCandidacy();
        }

        WakeFollower();
        Leader = leader;
        _lastHeard = Now;
        if (_patience == Duration.Zero)
        {
            ArmElection();
        }
    }

    /// <summary>From here on no lower ballot is followed; the caller writes the record that makes it durable.</summary>
    private void RaisePromise(Ballot ballot)
    {
        Invariant.Check(ballot > _promised, "PromiseGrows", $"{ballot} under {_promised}");
        StepDown(NodeId.None);
        _promised = ballot;
        _pagedTo = Slot.None;
        See(ballot);
    }

    private void Reject(NodeId to, Ballot ballot)
    {
        _out.Refuse(Refusal.StaleBallot);
        _out.Send(to, new Message.Reject(ballot, _promised));
    }

    private void See(Ballot ballot)
    {
        if (ballot > _maxSeen)
        {
            _maxSeen = ballot;
        }
    }

    private void SendPromise(NodeId to, Message.Prepare m)
    {
        var first = Slot.Max(m.From, Floor.Next);
        var entries = Collect(first, _log.Last, out var through);
        if (IsUnderWay(to, m.Ballot, m.From, entries))
        {
            return;
        }

        var floor = Mutated(MultiPaxosMutation.FloorNotReported) ? Slot.None : Floor;
        SendUnlessEarly(
            MultiPaxosMutation.PromiseBeforeDurable,
            to,
            new Message.Promise(m.Ballot, m.From, entries, Slot.Max(through, m.From.Previous), through >= _log.Last, Chosen, floor));
    }

    /// <summary>What is filled from <paramref name="first"/> to <paramref name="last"/>, cut to a chunk.</summary>
    private List<Record.Accepted> Collect(Slot first, Slot last, out Slot through)
    {
        var entries = new List<Record.Accepted>();
        long bytes = 0;
        through = first.Previous;
        while (through < last)
        {
            var at = through.Next;
            if (_log.EntryAt(at) is { } entry)
            {
                bytes += entry.Value.Length;
                if (entries.Count == _options.ChunkEntries || (entries.Count > 0 && bytes > _options.ChunkBytes))
                {
                    break;
                }

                entries.Add(entry);
            }

            through = at;
        }

        return entries;
    }

    /// <summary>Every slot up to the result is accepted in <paramref name="ballot"/> or known to be chosen.</summary>
    private Slot Through(Ballot ballot)
    {
        if (_throughBallot != ballot)
        {
            _throughBallot = ballot;
            _through = Slot.None;
        }

        _through = Slot.Max(_through, Slot.Max(Chosen, Floor));
        while (_log.BallotAt(_through.Next) == ballot)
        {
            _through = _through.Next;
        }

        return _through;
    }
}
