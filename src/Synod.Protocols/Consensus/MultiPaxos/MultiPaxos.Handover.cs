using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>Giving leadership to another, and falling silent when there is nothing to lead.</summary>
public sealed partial class MultiPaxos
{
    private void OnTransfer(RequestId request, Command.Transfer c)
    {
        if (Role != PaxosRole.Leader)
        {
            _out.AnswerEarly(request, new Result.NotLeader(Leader));
            return;
        }

        if (_transferTo != NodeId.None)
        {
            _out.AnswerEarly(request, new Result.Unavailable(UnavailableReason.Transferring));
            return;
        }

        if (!_others.Contains(c.To))
        {
            _out.AnswerEarly(request, new Result.Unavailable(UnavailableReason.TransferAbandoned));
            return;
        }

        Wake();
        _transferTo = c.To;
        _transferRequest = request;
        _transferDeadline = Now + _options.ElectionTimeout;
        TryTransfer();
    }

    /// <summary>Hands over once the successor holds everything proposed and nothing is in flight.</summary>
    private void TryTransfer()
    {
        if (_transferTo == NodeId.None || Chosen.Next != _next || PeerOf(_transferTo)!.Match < Chosen)
        {
            return;
        }

        var (successor, request) = (_transferTo, _transferRequest);
        _out.Send(successor, new Message.TimeoutNow(_promised));
        _out.AnswerEarly(request, new Result.Transferred(successor));
        EndTransfer();

        // From here on this node never acts as the leader of this ballot again, so its lease is over whatever the votes say.
        StepDown(successor);
    }

    private void AbandonLateTransfer()
    {
        if (_transferTo != NodeId.None && Now >= _transferDeadline)
        {
            _out.AnswerEarly(_transferRequest, new Result.Unavailable(UnavailableReason.TransferAbandoned));
            EndTransfer();
        }
    }

    private void EndTransfer()
    {
        _transferTo = NodeId.None;
        _transferRequest = default;
        _transferDeadline = default;
    }

    /// <summary>Stops the group's timers if nothing is going on and every live member has everything.</summary>
    private bool TryQuiesce()
    {
        _idleBeats++;
        if (_options.IdleHeartbeats == 0 || _idleBeats <= _options.IdleHeartbeats || !IsReady || Chosen.Next != _next
            || _reads.Count > 0 || _leaseWaiters.Count > 0 || _transferTo != NodeId.None)
        {
            return false;
        }

        foreach (var peer in _peers)
        {
            if (peer.Match < Chosen && !_down.Contains(peer.Node))
            {
                return false;
            }
        }

        var quiesce = new Message.Quiesce(_promised, Chosen);
        foreach (var node in _others)
        {
            // Early is safe as for a heartbeat.
            _out.SendEarly(node, quiesce);
        }

        IsQuiescent = true;
        CancelTimer(MultiPaxosTimer.Heartbeat);
        return true;
    }

    private void On(NodeId from, Message.Quiesce m)
    {
        if (!IsOwned(m.Ballot, from) || from == _self || !IsSound(m.Commit))
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
        if (IsCaughtUp)
        {
            IsQuiescent = true;
            CancelTimer(MultiPaxosTimer.Election);
        }
    }

    private void WakeLeader()
    {
        _idleBeats = 0;
        if (!IsQuiescent)
        {
            return;
        }

        IsQuiescent = false;
        foreach (var peer in _peers)
        {
            peer.LastHeard = Now;
        }

        Beat(askLease: true);
        SetTimer(MultiPaxosTimer.Heartbeat, Now + _options.HeartbeatInterval);
    }

    private void OnPeerDown(NodeId node)
    {
        if (!_quorums.Members.Contains(node) || node == _self)
        {
            return;
        }

        _down = _down.With(node);
        if (Role == PaxosRole.Follower && Leader == node)
        {
            IsQuiescent = false;
            _patience = Duration.Zero;
            SetTimer(MultiPaxosTimer.Election, Now + _context.Jitter(_options.HeartbeatInterval));
        }
    }

    private void OnPeerUp(NodeId node)
    {
        _down = _down.Without(node);
        if (Role == PaxosRole.Leader)
        {
            Wake();
        }
    }

    /// <summary>Something goes on in a group that had fallen silent.</summary>
    private void Wake()
    {
        if (Role == PaxosRole.Leader)
        {
            WakeLeader();
        }
        else
        {
            WakeFollower();
        }
    }

    private void WakeFollower()
    {
        if (IsQuiescent)
        {
            IsQuiescent = false;
            _lastHeard = Now;
            ArmElection();
        }
    }
}
