using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// Leader leases on interval clocks (spanner.md §3). A vote binds an acceptor to a ballot, not to a node: a restarted process never
/// goes on with its old lease. Votes of a phase-2 quorum are needed, which meets every quorum that could elect another.
/// </summary>
public sealed partial class MultiPaxos
{
    private static readonly Duration LongestLease = Duration.FromSeconds(60);

    private readonly List<RequestId> _leaseWaiters = [];
    private Timestamp _lastLeaseFrom;
    private Instant _leaseAskedAt;

    /// <summary>
    /// Whether this leader is certainly alone in all of <paramref name="now"/>. Ask after reading, with a fresh interval: validity at a
    /// later instant implies validity at the read (time.md §5).
    /// </summary>
    public bool HoldsLease(TimeInterval now) =>
        Role == PaxosRole.Leader && IsReady
        && (Mutated(MultiPaxosMutation.StaleLeaseRead) ? Lease != default : now.Before(Lease.End));

    private void OnAcquireLease(RequestId request)
    {
        Wake();
        if (Role != PaxosRole.Leader)
        {
            _out.AnswerEarly(request, new Result.NotLeader(Leader));
        }
        else if (!_options.LeasesEnabled)
        {
            _out.AnswerEarly(request, new Result.Unavailable(UnavailableReason.LeasesDisabled));
        }
        else if (!Time.IsTrusted)
        {
            _out.AnswerEarly(request, new Result.Unavailable(UnavailableReason.ClockUntrusted));
        }
        else if (HoldsLease(Time))
        {
            _out.AnswerEarly(request, new Result.LeaseHeld());
        }
        else
        {
            _leaseWaiters.Add(request);
            if (_leaseWaiters.Count == 1 && Now - _leaseAskedAt >= _options.HeartbeatInterval)
            {
                Beat(askLease: true);
            }
        }
    }

    /// <summary>The start is read before anything is sent: votes bind for at least as long as this leader counts on them.</summary>
    private (Timestamp From, Duration For) AskLease(bool now)
    {
        var due = now || _leaseWaiters.Count > 0 || Now - _leaseAskedAt >= _options.LeaseDuration / 3;
        if (!_options.LeasesEnabled || !Time.IsTrusted || !due || Time.Earliest <= Timestamp.Zero)
        {
            return default;
        }

        _leaseAskedAt = Now;
        _lastLeaseFrom = Timestamp.Max(_lastLeaseFrom, Time.Earliest);
        var from = Time.Earliest;
        VoteForLease(_promised, _options.LeaseDuration);

        // Its own vote, too, counts only when it is durable.
        _out.Send(_self, new Message.HeartbeatAck(_promised, _round, Through(_promised), from));
        return (from, _options.LeaseDuration);
    }

    private static bool IsSoundLease(Message.Heartbeat m) =>
        m.LeaseFor >= Duration.Zero && m.LeaseFor <= LongestLease && (m.LeaseFor == Duration.Zero || m.LeaseFrom > Timestamp.Zero);

    /// <summary>
    /// Binds this acceptor to the ballot it follows. An earlier vote for a lower ballot may be replaced: that this ballot has a leader
    /// means that an electing quorum waited for the lower one's lease to end, or was told that it was released.
    /// </summary>
    private bool VoteForLease(Ballot ballot, Duration length)
    {
        Invariant.Check(ballot == _promised, "LeaseVoteForPromised", $"{ballot} under {_promised}");
        if (length == Duration.Zero || !_options.LeasesEnabled || !Time.IsTrusted)
        {
            return false;
        }

        var end = Time.Latest + length;
        _voteEnd = ballot == _voteBallot ? Timestamp.Max(_voteEnd, end) : end;
        _voteBallot = ballot;
        if (!Mutated(MultiPaxosMutation.LeaseVoteNotDurable))
        {
            _out.Persist(new Record.LeaseVote(ballot, _voteEnd));
        }

        return true;
    }

    /// <summary>Whether a lease vote forbids to promise <paramref name="ballot"/>, even if the same node owns it.</summary>
    private bool IsBoundByLease(Ballot ballot, Ballot released) =>
        _voteBallot != Ballot.None && _voteBallot != ballot && _voteBallot != released && !Time.After(_voteEnd)
        && !Mutated(MultiPaxosMutation.LeaseIgnoredByAcceptor);

    private void CountLeaseVote(Peer peer, Timestamp from)
    {
        if (from <= peer.LeaseFrom || !Time.IsTrusted)
        {
            return;
        }

        peer.LeaseFrom = from;
        var votes = NodeSet.Empty;
        while (!_quorums.IsPhase2(votes))
        {
            Peer? latest = null;
            foreach (var other in _peers)
            {
                if (other.LeaseFrom > Timestamp.Zero && !votes.Contains(other.Node)
                    && (latest is null || other.LeaseFrom > latest.LeaseFrom))
                {
                    latest = other;
                }
            }

            if (latest is null)
            {
                return;
            }

            votes = votes.With(latest.Node);
            from = latest.LeaseFrom;
        }

        // The quorum lasts as long as its earliest vote.
        var end = from + _options.LeaseDuration;
        if (end > Lease.End)
        {
            Lease = new Lease(Time.Before(Lease.End) ? Lease.Start : Time.Latest, end);
        }

        GrantLeaseWaiters();
    }

    private void GrantLeaseWaiters()
    {
        if (_leaseWaiters.Count == 0 || !HoldsLease(Time))
        {
            return;
        }

        foreach (var request in _leaseWaiters)
        {
            // Early is safe: every vote counted was durable where it was given.
            _out.AnswerEarly(request, new Result.LeaseHeld());
        }

        _leaseWaiters.Clear();
    }

    private void EndLeaseWaiters(NodeId successor)
    {
        foreach (var request in _leaseWaiters)
        {
            _out.AnswerEarly(request, new Result.NotLeader(successor));
        }

        _leaseWaiters.Clear();
    }
}
