using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>The leader: proposing, counting, beating (paxos.md §3.3).</summary>
public sealed partial class MultiPaxos
{
    /// <summary>What the leader knows of a member in its ballot. Its own entry counts like any other.</summary>
    private sealed class Peer(NodeId node)
    {
        public readonly NodeId Node = node;

        /// <summary>Every slot up to here is accepted in this ballot, or known to be chosen there.</summary>
        public Slot Match;

        /// <summary>The highest round acknowledged.</summary>
        public long Round;

        /// <summary>The start of the latest lease vote, on the leader's clock.</summary>
        public Timestamp LeaseFrom;

        public Instant LastHeard;

        /// <summary>Until when the last message with a large value is given time to arrive; and which one it was.</summary>
        public Instant LargeUntil;

        public Ballot LargeBallot;

        public Slot LargeFrom;
    }

    private const int ResendAtMost = 256;

    private readonly Peer[] _peers;
    private Slot _next;
    private Slot _barrier;
    private long _round;
    private Slot _resendThrough;
    private int _idleBeats;

    private NodeId _transferTo;
    private RequestId _transferRequest;
    private Instant _transferDeadline;

    private void BecomeLeader()
    {
        var values = new List<Record.Accepted>(_recovered.Values);
        var last = values.Count == 0 ? Chosen : Slot.Max(Chosen, values[^1].Slot);
        EndCandidacy();
        Role = PaxosRole.Leader;
        Leader = _self;
        IsQuiescent = false;
        _round = 0;
        _idleBeats = 0;
        _resendThrough = Slot.None;
        _patientUntil = Now;
        foreach (var peer in _peers)
        {
            (peer.Match, peer.Round, peer.LeaseFrom, peer.LastHeard) = (Slot.None, 0, Timestamp.Zero, Now);
        }

        CancelTimer(MultiPaxosTimer.Election);
        _next = Chosen.Next;
        _barrier = last.Next;
        IsReady = Mutated(MultiPaxosMutation.NoBarrier);
        var index = 0;
        while (_next <= last)
        {
            while (values[index].Slot < _next)
            {
                index++;
            }

            // Nothing can have been chosen in a slot that no member of the quorum reports: a NoOp fills the gap.
            var known = values[index].Slot == _next && !Mutated(MultiPaxosMutation.IgnorePromisedValues);
            ProposeNext(known ? values[index].Proposal : Command.Propose.NoOp);
        }

        ProposeNext(Command.Propose.NoOp);
        Beat(askLease: true);
        SetTimer(MultiPaxosTimer.Heartbeat, Now + _options.HeartbeatInterval);
    }

    private void OnPropose(RequestId request, Command.Propose c)
    {
        Wake();
        if (Role != PaxosRole.Leader)
        {
            // Refusals depend on no record: nothing was proposed.
            _out.AnswerEarly(request, new Result.NotLeader(Leader));
        }
        else if (_transferTo != NodeId.None)
        {
            _out.AnswerEarly(request, new Result.Unavailable(UnavailableReason.Transferring));
        }
        else if (IsFull)
        {
            _out.AnswerEarly(request, new Result.Unavailable(UnavailableReason.PipelineFull));
        }
        else
        {
            _idleBeats = 0;
            ProposeNext(c);
        }
    }

    private bool IsFull => _next.Value - Chosen.Value > _options.MaxInFlight;

    private void ProposeNext(Command.Propose proposal)
    {
        var slot = _next;
        Invariant.Check(slot > Chosen && _log.BallotAt(slot) < _promised, "OneValuePerBallot", slot, _promised);
        _next = slot.Next;
        var entry = new Record.Accepted(slot, _promised, proposal);
        _log.Set(entry);
        _out.Persist(entry);
        var accept = new Message.Accept(entry, Chosen);
        foreach (var node in _others)
        {
            // Early is safe: the ballot is durably promised, and if this node forgets the value in a crash it never uses the
            // ballot again, so no second value can follow. Only its own acceptance must wait (paxos.md §2).
            _out.SendEarly(node, accept);
        }

        NoteProposed(entry);
        SendUnlessEarly(
            MultiPaxosMutation.OwnVoteBeforeDurable, _self, new Message.Accepted(_promised, slot, Through(_promised)));
    }

    private void On(NodeId from, Message.Accepted m)
    {
        if (Role != PaxosRole.Leader || (m.Ballot != _promised && !Mutated(MultiPaxosMutation.OldBallotCounted)))
        {
            _out.Refuse(m.Ballot < _promised ? Refusal.StaleBallot : Refusal.Unexpected);
            return;
        }

        if (m.Slot >= _next || !IsSound(m.Slot) || !IsSound(m.Through))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        var peer = PeerOf(from)!;
        peer.LastHeard = Now;
        if (m.Slot > Chosen)
        {
            _log.AddVote(m.Slot, from);
        }

        Advance(peer, m.Through);
        AdvanceChosen();
        TryTransfer();
    }

    /// <summary>Counts a cumulative acknowledgement: lost messages are made up for.</summary>
    private void Advance(Peer peer, Slot through)
    {
        var last = through < _next ? through : _next.Previous;
        for (var slot = Slot.Max(peer.Match, Chosen).Next; slot <= last; slot = slot.Next)
        {
            _log.AddVote(slot, peer.Node);
        }

        peer.Match = Slot.Max(peer.Match, last);
        if (peer.LargeFrom <= peer.Match)
        {
            peer.LargeUntil = Now;
        }
    }

    private void AdvanceChosen()
    {
        var before = Chosen;
        while (Chosen.Next < _next && _quorums.IsPhase2(_log.VotesAt(Chosen.Next)))
        {
            Chosen = Chosen.Next;
        }

        if (Chosen == before)
        {
            return;
        }

        ExecuteChosen();
        if (!IsReady && Executed >= _barrier)
        {
            IsReady = true;
            GrantLeaseWaiters();
        }

        CompleteReads();
    }

    /// <summary>One heartbeat round. A host coalesces those of many groups.</summary>
    private void Beat(bool askLease)
    {
        _round++;
        var (leaseFrom, leaseFor) = AskLease(askLease);
        var beat = new Message.Heartbeat(_promised, Chosen, _round, leaseFrom, leaseFor);
        foreach (var node in _others)
        {
            // Early is safe: it tells of a durable ballot and of what others' durable acceptances made chosen.
            _out.SendEarly(node, beat);
        }
    }

    private void On(NodeId from, Message.Heartbeat m)
    {
        if (!IsOwned(m.Ballot, from) || from == _self || !IsSound(m.Commit) || m.Round <= 0 || !IsSoundLease(m))
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

        Follow(from, m.Ballot);
        LearnCommit(m.Commit, m.Ballot);
        var leaseFrom = VoteForLease(m.Ballot, m.LeaseFor) ? m.LeaseFrom : Timestamp.Zero;
        _out.Send(from, new Message.HeartbeatAck(m.Ballot, m.Round, Through(m.Ballot), leaseFrom));
    }

    private void On(NodeId from, Message.HeartbeatAck m)
    {
        if (Role != PaxosRole.Leader || m.Ballot != _promised)
        {
            _out.Refuse(m.Ballot < _promised ? Refusal.StaleBallot : Refusal.Unexpected);
            return;
        }

        if (m.Round > _round || !IsSound(m.Through) || m.LeaseFrom > _lastLeaseFrom)
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        var peer = PeerOf(from)!;
        peer.LastHeard = Now;
        peer.Round = Math.Max(peer.Round, m.Round);
        Advance(peer, m.Through);
        AdvanceChosen();
        CountLeaseVote(peer, m.LeaseFrom);
        CompleteReads();
        TryTransfer();
    }

    private void OnHeartbeatTimer()
    {
        if (Role is PaxosRole.PreCandidate or PaxosRole.Candidate)
        {
            Repeat();
            return;
        }

        if (Role != PaxosRole.Leader || IsQuiescent)
        {
            return;
        }

        if ((!IsHeardByQuorum() && Now >= _patientUntil) || (_options.LeasesEnabled && !Time.IsTrusted))
        {
            // It may be alone without knowing: the others must be free to elect, and clients to look elsewhere.
            StepDown(NodeId.None);
            return;
        }

        AbandonLateTransfer();
        Trim();
        if (TryQuiesce())
        {
            return;
        }

        Resend();
        Beat(askLease: false);
        SetTimer(MultiPaxosTimer.Heartbeat, Now + _options.HeartbeatInterval);
    }

    /// <summary>Whether the members heard within an election timeout meet every electing quorum.</summary>
    private bool IsHeardByQuorum()
    {
        var heard = NodeSet.Of(_self);
        foreach (var peer in _peers)
        {
            if (Now - peer.LastHeard <= _options.ElectionTimeout)
            {
                heard = heard.With(peer.Node);
            }
        }

        return _quorums.IsPhase2(heard);
    }

    /// <summary>Sends again what was in flight a beat ago and is not acknowledged. Chosen slots are the learner's to fetch.</summary>
    private void Resend()
    {
        foreach (var peer in _peers)
        {
            if (peer.Node == _self || _down.Contains(peer.Node) || Now < peer.LargeUntil)
            {
                continue;
            }

            var (count, bytes) = (0, 0L);
            for (var slot = Slot.Max(peer.Match, Chosen).Next; slot <= _resendThrough; slot = slot.Next)
            {
                if (_log.VotesAt(slot).Contains(peer.Node))
                {
                    continue;
                }

                var entry = _log.EntryAt(slot)!;
                bytes += entry.Value.Length;
                if (count == ResendAtMost || (count > 0 && bytes > _options.ChunkBytes))
                {
                    break;
                }

                // Early is safe as it was the first time.
                _out.SendEarly(peer.Node, new Message.Accept(entry, Chosen));
                NoteSent(peer, entry.Ballot, slot, entry);
                count++;
            }
        }

        _resendThrough = _next.Previous;
    }

    private void EndLeadership(NodeId successor)
    {
        _log.ClearVotes(Chosen);
        IsReady = false;
        Lease = default;
        _lastLeaseFrom = default;
        _barrier = _next = _resendThrough = Slot.None;
        EndReads(successor);
        EndLeaseWaiters(successor);
        if (_transferTo != NodeId.None)
        {
            _out.AnswerEarly(_transferRequest, new Result.NotLeader(successor));
            EndTransfer();
        }
    }

    private Peer? PeerOf(NodeId node)
    {
        foreach (var peer in _peers)
        {
            if (peer.Node == node)
            {
                return peer;
            }
        }

        return null;
    }
}
