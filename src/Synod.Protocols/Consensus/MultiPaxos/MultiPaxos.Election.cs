using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Becoming leader (paxos.md §3.2), with a pre-vote first (§3.3), and ceasing to be.</summary>
public sealed partial class MultiPaxos
{
    private NodeSet _votes;
    private Ballot _preBallot;
    private Slot _electedFrom;

    // How far each acceptor's report has come, and the values reported so far: per slot the one of the highest ballot.
    private readonly SortedDictionary<NodeId, Slot> _reported = [];
    private readonly SortedDictionary<NodeId, Slot> _floors = [];
    private readonly SortedDictionary<Slot, Record.Accepted> _recovered = [];

    private void ArmElection()
    {
        _patience = _context.Jitter(_options.ElectionTimeout);
        SetTimer(MultiPaxosTimer.Election, Now + _patience);
    }

    private void OnElectionTimer()
    {
        if (Role == PaxosRole.Leader || IsQuiescent)
        {
            return;
        }

        // Hearing the leader only notes the time: the timer is moved when it fires, not with every message.
        var due = _lastHeard + _patience;
        if (Role == PaxosRole.Follower && Now < due)
        {
            SetTimer(MultiPaxosTimer.Election, due);
            return;
        }

        StandForElection();
    }

    private void OnCampaign()
    {
        if (Role is PaxosRole.Follower)
        {
            IsQuiescent = false;
            StandForElection();
        }
    }

    private void StandForElection()
    {
        EndCandidacy();
        Leader = NodeId.None;
        if (IsAbsent || (_options.LeasesEnabled && !Time.IsTrusted))
        {
            _out.Refuse(IsAbsent ? Refusal.NotReady : Refusal.ClockUntrusted);
            ArmElection();
            return;
        }

        var ballot = NextBallot();
        if (IsBoundByLease(ballot, _released))
        {
            // One's own promise is a vote too. Try again as soon as the lease has passed.
            _out.Refuse(Refusal.LeaseHeld);
            var rest = Time.IsTrusted ? _voteEnd - Time.Earliest : _options.ElectionTimeout;
            SetTimer(MultiPaxosTimer.Election, Now + rest + _context.Jitter(_options.HeartbeatInterval / 4));
            return;
        }

        if (!_options.PreVoteEnabled)
        {
            StartCandidacy();
            return;
        }

        ArmElection();
        Role = PaxosRole.PreCandidate;
        _preBallot = ballot;
        _votes = NodeSet.Of(_self);
        Repeat();
        if (_quorums.IsPhase1(_votes))
        {
            StartCandidacy();
        }
    }

    // Rounds are never used twice: above everything seen, and durably promised by this node before anyone hears of it.
    private Ballot NextBallot() => (_maxSeen > _promised ? _maxSeen : _promised).Next(_self);

    private void On(NodeId from, Message.PreVote m)
    {
        if (!IsOwned(m.Ballot, from) || !IsSound(m.Chosen))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        var leads = Role == PaxosRole.Leader;
        var hears = Leader != NodeId.None && Leader != from && !_down.Contains(Leader)
            && (IsQuiescent || Now - _lastHeard < _options.ElectionTimeout);
        Wake();
        if (leads || hears)
        {
            _out.Refuse(Refusal.Unexpected);
        }
        else if (IsBoundByLease(m.Ballot, Ballot.None))
        {
            _out.Refuse(Refusal.LeaseHeld);
        }
        else if (!IsAbsent && m.Chosen < Floor)
        {
            // It would first need a snapshot from here; this replica does not.
            _out.Refuse(Refusal.NotReady);
        }
        else
        {
            _out.Send(from, new Message.PreVoteAck(m.Ballot, _promised));
        }
    }

    private void On(NodeId from, Message.PreVoteAck m)
    {
        if (!IsSound(m.Promised))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        See(m.Promised);
        if (Role != PaxosRole.PreCandidate || m.Ballot != _preBallot)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        _votes = _votes.With(from);
        if (_quorums.IsPhase1(_votes))
        {
            StartCandidacy();
        }
    }

    private void StartCandidacy()
    {
        var ballot = NextBallot();
        RaisePromise(ballot);
        EndCandidacy();
        if (!Mutated(MultiPaxosMutation.BallotReused))
        {
            _out.Persist(new Record.Promised(ballot));
        }

        Role = PaxosRole.Candidate;
        _votes = NodeSet.Empty;
        _electedFrom = Chosen.Next;
        for (var slot = _electedFrom; slot <= _log.Last; slot = slot.Next)
        {
            if (_log.EntryAt(slot) is { } entry)
            {
                _recovered[slot] = entry;
            }
        }

        // Its own values are at hand; its own vote counts like any other, when the promise is durable.
        _out.Send(_self, new Message.Promise(ballot, _electedFrom, [], _log.Last, true, Chosen, Floor));
        ArmElection();
        Repeat();
    }

    /// <summary>Asks again whoever has not answered in full.</summary>
    private void Repeat()
    {
        Message? preVote = Role == PaxosRole.PreCandidate ? new Message.PreVote(_preBallot, Chosen) : null;
        foreach (var node in _others.Except(_votes))
        {
            _out.Send(node, preVote ?? new Message.Prepare(_promised, _reported.GetValueOrDefault(node, _electedFrom), _released));
        }

        SetTimer(MultiPaxosTimer.Heartbeat, Now + _options.HeartbeatInterval);
    }

    private void On(NodeId from, Message.Promise m)
    {
        if (Role != PaxosRole.Candidate || m.Ballot != _promised)
        {
            _out.Refuse(Refusal.Unexpected);
            return;
        }

        if (_votes.Contains(from) || m.From != _reported.GetValueOrDefault(from, _electedFrom))
        {
            _out.Refuse(Refusal.Duplicate);
            return;
        }

        if (!IsSound(m))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        Merge(m);
        _knownCommit = Slot.Max(_knownCommit, Slot.Max(m.Chosen, m.Floor));
        _floors[from] = Slot.Max(m.Floor, _floors.GetValueOrDefault(from));
        if (m.IsLast)
        {
            _votes = _votes.With(from);
            TryLead();
        }
        else
        {
            _reported[from] = m.Through.Next;
            ArmElection();
            _out.Send(from, new Message.Prepare(_promised, m.Through.Next, _released));
        }
    }

    private static bool IsSound(Message.Promise m)
    {
        if (!IsSound(m.Chosen) || !IsSound(m.Floor) || !IsSound(m.Through) || (!m.IsLast && m.Through < m.From))
        {
            return false;
        }

        var last = m.From.Previous;
        foreach (var entry in m.Report)
        {
            if (entry.Slot <= last || entry.Slot > m.Through || entry.Ballot >= m.Ballot || entry.Ballot.Round <= 0)
            {
                return false;
            }

            last = entry.Slot;
        }

        return true;
    }

    private void Merge(Message.Promise m)
    {
        foreach (var entry in m.Report)
        {
            if (entry.Slot == Chosen.Next && entry.Slot <= m.Chosen && !IsAbsent)
            {
                // What a replier knows to be chosen is learned, not proposed again.
                LearnChosen(entry);
            }
            else if (entry.Slot > Chosen
                && (!_recovered.TryGetValue(entry.Slot, out var known) || known.Ballot < entry.Ballot
                    || Mutated(MultiPaxosMutation.LatestReportedValueWins)))
            {
                _recovered[entry.Slot] = entry;
            }
        }

        ExecuteChosen();
    }

    private void TryLead()
    {
        if (Role != PaxosRole.Candidate || IsAbsent || !_quorums.IsPhase1(_votes))
        {
            return;
        }

        // A promise says nothing about slots that its giver dropped: it counts once this replica knows those to be chosen.
        var complete = _votes;
        var source = NodeId.None;
        foreach (var (node, floor) in _floors)
        {
            if (floor > Chosen && _votes.Contains(node))
            {
                complete = complete.Without(node);
                source = node;
            }
        }

        if (_quorums.IsPhase1(complete))
        {
            BecomeLeader();
        }
        else if (!_installing)
        {
            FetchNext(source);
        }
    }

    private void On(Message.Reject m)
    {
        if (!IsSound(m.Promised))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        See(m.Promised);
        if (m.Ballot == _promised && m.Promised > _promised && Role is PaxosRole.Candidate or PaxosRole.Leader)
        {
            StepDown(NodeId.None);
        }
    }

    private void On(NodeId from, Message.TimeoutNow m)
    {
        if (!IsOwned(m.Ballot, from) || m.Ballot != _promised || Role != PaxosRole.Follower || from == _self)
        {
            _out.Refuse(Refusal.StaleBallot);
            return;
        }

        // The sender leads this ballot no more, so its lease binds nobody, now and for ever.
        _released = m.Ballot;
        if (IsAbsent || (_options.LeasesEnabled && !Time.IsTrusted) || IsBoundByLease(NextBallot(), _released))
        {
            _out.Refuse(Refusal.NotReady);
            return;
        }

        IsQuiescent = false;
        StartCandidacy();
    }

    /// <summary>Ends a leadership or candidacy; whoever waits for it is told who may lead.</summary>
    private void StepDown(NodeId successor)
    {
        Leader = successor;
        if (Role == PaxosRole.Follower)
        {
            return;
        }

        if (Role == PaxosRole.Leader)
        {
            EndLeadership(successor);
        }

        EndCandidacy();
        Role = PaxosRole.Follower;
        IsQuiescent = false;
        _lastHeard = Now;
        CancelTimer(MultiPaxosTimer.Heartbeat);
        ArmElection();
    }

    private void EndCandidacy()
    {
        if (Role is PaxosRole.Candidate or PaxosRole.PreCandidate)
        {
            Role = PaxosRole.Follower;
            CancelTimer(MultiPaxosTimer.Heartbeat);
        }

        _votes = NodeSet.Empty;
        _preBallot = Ballot.None;
        _electedFrom = Slot.None;
        _floors.Clear();
        _reported.Clear();
        _recovered.Clear();
    }
}
