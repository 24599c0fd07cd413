using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class PaxosCommit
{
    private void Begin(RequestId request, CommitCommand.Begin begin)
    {
        if (!begin.IsWellFormed)
        {
            _out.AnswerEarly(request, new CommitResult.Malformed());
            return;
        }

        ClaimEpoch();
        BeginAgreement(
            _names.Next(Ledger), new Attempt { Request = request.Value, Members = begin.Participants }, begin.Branches, []);
    }

    /// <summary>All managers are known: those whose writes came with the client's command, or those that have joined.</summary>
    private void BeginAgreement(TransactionId id, Attempt attempt, ImmutableArray<Branch> branches, ImmutableArray<Enrolled> enrolled)
    {
        _attempts.Add(id, attempt);
        if (_options.LeaderOf(id) == _self)
        {
            LeadFirst(id, Oldest(id), attempt, branches, enrolled);
        }
        else
        {
            Start(id, attempt, branches, enrolled);
        }
    }

    /// <summary>Ballot 0 belongs to the managers: there is no phase 1, and the leader only asks them.</summary>
    private void LeadFirst(
        TransactionId id, TransactionId oldest, Attempt attempt, ImmutableArray<Branch> branches, ImmutableArray<Enrolled> enrolled)
    {
        attempt.IsLeading = true;
        foreach (var branch in branches)
        {
            _out.Send(branch.Participant, new Message.Prepare(id, oldest, attempt.Members, 0, branch.Writes));
        }

        foreach (var (participant, life) in enrolled)
        {
            _out.Send(participant, new Message.Prepare(id, oldest, attempt.Members, life, []));
        }

        _out.SetTimer(ToTimer(Timer.Ballot, id), _context.Now + _options.Vote);
    }

    /// <summary>The first transaction of the same coordinator that is open here, or whose outcome this node waits for, or else this one.</summary>
    private TransactionId Oldest(TransactionId id)
    {
        var oldest = id.Coordinator == _self ? _registrar.Oldest(id) : id;
        foreach (var open in _attempts.Keys)
        {
            if (open.Coordinator == id.Coordinator && open.CompareTo(oldest) < 0)
            {
                return open;
            }
        }

        return oldest;
    }

    /// <summary>The leader is elsewhere: this node prepares first, if it takes part, and its vote goes along.</summary>
    private void Start(TransactionId id, Attempt attempt, ImmutableArray<Branch> branches, ImmutableArray<Enrolled> enrolled)
    {
        var leader = _options.LeaderOf(id);
        Message.Prepare[] own =
        [
            .. branches.Where(branch => branch.Participant == _self)
                .Select(branch => new Message.Prepare(id, Oldest(id), attempt.Members, 0, branch.Writes)),
            .. enrolled.Where(who => who.Participant == _self).Select(who => new Message.Prepare(id, Oldest(id), attempt.Members, who.Life, [])),
        ];
        foreach (var prepare in own)
        {
            if (!TryVote(prepare))
            {
                Learn(id, false);
                return;
            }

            _out.Send(_options.FirstAcceptors(id).Without(leader), OwnVote(id, attempt));
        }

        _out.Send(leader, new Message.BeginCommit(
            id,
            Oldest(id),
            attempt.Settled,
            attempt.Members,
            branches.RemoveAll(branch => branch.Participant == _self),
            enrolled.RemoveAll(who => who.Participant == _self)));
        _out.SetTimer(ToTimer(Timer.Ballot, id), _context.Now + (_options.Vote * 2));
    }

    private void On(NodeId from, Message.BeginCommit begin)
    {
        var id = begin.Transaction;
        var others = NodeSet.Of([.. begin.Asked.Where(begin.Members.Contains)]);
        if (from != id.Coordinator || _options.Leader != _self)
        {
            _out.Refuse(Refusal.NotMember);
        }
        else if (others.Count != begin.Branches.Length + begin.Enrolled.Length || !begin.Enrolled.All(who => who.CanJoin)
            || !begin.Members.Except(others).IsSubsetOf(NodeSet.Of(from)) || begin.Members.IsEmpty
            || !id.MayFollow(begin.Oldest) || (begin.Members.Contains(from) && !id.MayFollow(begin.Settled)))
        {
            _out.Refuse(Refusal.Malformed);
        }
        else if (_attempts.ContainsKey(id) || Ledger.Knows(id))
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else
        {
            var attempt = new Attempt { Members = begin.Members };
            _attempts.Add(id, attempt);
            LeadFirst(id, begin.Oldest, attempt, begin.Branches, begin.Enrolled);
            if (begin.Members.Contains(from) && !others.Contains(from) && _options.FirstAcceptors(id).Contains(_self))
            {
                On(from, new Message.Phase2a(id, Ballot.None, begin.Members, NodeSet.Of(from), begin.Settled));
            }
        }
    }

    /// <summary>
    /// Recovery by anyone: a ballot of one's own, above every one seen, put to all acceptors. It carries the boot epoch, so that no
    /// two proposals are ever made in one ballot, although a leader writes nothing down.
    /// </summary>
    private void LeadBallot(TransactionId id, Attempt attempt)
    {
        ClaimEpoch();
        var epoch = _mutation == PaxosCommitMutation.ReuseBallots ? 0 : _names.Epoch;
        attempt.Seen = new Ballot(((attempt.Seen.Round >> 24) + 1) << 24 | epoch, _self);
        attempt.Ballot = attempt.Seen;
        attempt.IsLeading = true;
        attempt.IsProposed = false;
        attempt.Promises = attempt.Found = attempt.FoundSet = NodeSet.Empty;
        attempt.FoundAt = Ballot.None;
        _out.Send(Asked(id), new Message.Phase1a(id, attempt.Ballot, attempt.Members));
        _out.SetTimer(ToTimer(Timer.Ballot, id), _context.Now + _context.Jitter(_options.Vote));
    }

    /// <summary>In a higher ballot the thrifty choice of acceptors is over.</summary>
    private NodeSet Asked(TransactionId id) =>
        _mutation == PaxosCommitMutation.NoFallback ? _options.FirstAcceptors(id) : _options.AllAcceptors;

    /// <summary>
    /// With a majority of reports: in each instance the value of the highest ballot, and Aborted where there is none. Prepared is
    /// never proposed for a manager that no acceptor heard of: it may not have prepared. In the registrar's instance, where nothing is reported,
    /// that is the set if the leader has it from the registrar, and otherwise none.
    /// </summary>
    private void On(NodeId from, Message.Phase1b report)
    {
        var id = report.Transaction;
        if (!_options.AllAcceptors.Contains(from))
        {
            _out.Refuse(Refusal.NotMember);
            return;
        }

        if (!_attempts.TryGetValue(id, out var attempt) || attempt.Ballot != report.Ballot || attempt.IsProposed)
        {
            _out.Refuse(Refusal.StaleBallot);
            return;
        }

        if (!report.Prepared.IsSubsetOf(report.Members) || Differ(report.Members, attempt.Members))
        {
            _out.Refuse(Refusal.Malformed);
            return;
        }

        attempt.Add(from, report);
        if (attempt.Promises.Count < (_mutation == PaxosCommitMutation.OneReportSuffices ? 1 : _options.Majority))
        {
            return;
        }

        attempt.IsProposed = true;
        var set = attempt.FoundSet.IsEmpty && attempt.FoundAt == Ballot.None ? attempt.Members : attempt.FoundSet;
        if (_mutation == PaxosCommitMutation.SetFromVotes && attempt.Members.IsEmpty)
        {
            set = attempt.Found;
        }

        var proposal = _mutation switch
        {
            PaxosCommitMutation.DefaultToCommit when attempt.FoundAt == Ballot.None => set,
            PaxosCommitMutation.LazyInstances when !attempt.Found.IsEmpty => set,
            PaxosCommitMutation.IgnoreReports => NodeSet.Empty,
            _ => attempt.Found,
        };
        _out.Send(Asked(id), new Message.Phase2a(id, attempt.Ballot, set, proposal));
    }

    private void On(NodeId from, Message.Outbid outbid)
    {
        if (!_options.AllAcceptors.Contains(from))
        {
            _out.Refuse(Refusal.NotMember);
        }
        else if (!_attempts.TryGetValue(outbid.Transaction, out var attempt) || outbid.Ballot <= attempt.Seen)
        {
            _out.Refuse(Refusal.StaleBallot);
        }
        else
        {
            attempt.Seen = outbid.Ballot;
        }
    }

    /// <summary>A value is chosen if a majority accepted it in one ballot, not if a majority accepted something in some ballot.</summary>
    private void On(NodeId from, Message.Phase2b accepted)
    {
        var id = accepted.Transaction;
        if (!_options.AllAcceptors.Contains(from))
        {
            _out.Refuse(Refusal.NotMember);
        }
        else if (!_attempts.TryGetValue(id, out var attempt))
        {
            _out.Refuse(Refusal.Unexpected);
        }
        else if (Differ(accepted.Members, attempt.Members) || !accepted.Prepared.IsSubsetOf(accepted.Members)
            || (accepted.Members.IsEmpty && accepted.Ballot == Ballot.None)
            || (accepted.Settled != default && !id.MayFollow(accepted.Settled)))
        {
            _out.Refuse(Refusal.Malformed);
        }
        else if (!attempt.Count(from, accepted, _mutation == PaxosCommitMutation.CountAcrossBallots))
        {
            _out.Refuse(Refusal.StaleBallot);
        }
        else if (attempt.Accepted.Count >= (_mutation == PaxosCommitMutation.OneAcceptorDecides ? 1 : _options.Majority))
        {
            ForgetBefore(id, accepted.Settled);
            attempt.Members = attempt.Members.Union(accepted.Members);

            // With the faster variant every manager counts ballot 0 for itself.
            Conclude(id, attempt, IsCommit(accepted.Members, accepted.Prepared), tell: !_options.IsFaster || accepted.Ballot != Ballot.None);
        }
    }

    /// <summary>What the managers know to have ended, they do not ask this node about. If one does, acceptors will tell it.</summary>
    private void ForgetBefore(TransactionId id, TransactionId settled)
    {
        if (settled != default && (id.Coordinator == _self || _options.LeaderOf(id) == _self))
        {
            var oldest = Oldest(id);
            Ledger.Settle(settled.CompareTo(oldest) < 0 ? settled : oldest);
        }
    }

    /// <summary>All managers have ended it before this node, which led it for one of them, learned how. Nobody waits for it any more.</summary>
    private void On(NodeId from, Message.Over over)
    {
        var id = over.Transaction;
        if (!_options.AllAcceptors.Contains(from))
        {
            _out.Refuse(Refusal.NotMember);
        }
        else if (Ledger.IsPrepared(id) || !_attempts.Remove(id))
        {
            _out.Refuse(Refusal.Unexpected);
        }
        else
        {
            _out.CancelTimer(ToTimer(Timer.Ballot, id));
            _enlistments.End(id, new CommitResult.NotOpen(id), _out);
        }
    }

    /// <summary>Ends it here, and tells everyone if this node leads: the decision is in the acceptors' logs, not in the leader's.</summary>
    private void Conclude(TransactionId id, Attempt attempt, bool commit, bool tell)
    {
        if (attempt.IsLeading && tell)
        {
            _out.Send(attempt.Members.With(id.Coordinator).Without(_self), new Message.Decide(id, commit));
        }

        Learn(id, commit);
    }

    /// <summary>The client need not wait for what this node writes about it: the outcome is durable in the acceptors.</summary>
    private void Learn(TransactionId id, bool commit)
    {
        if (_attempts.Remove(id, out var attempt))
        {
            _out.CancelTimer(ToTimer(Timer.Ballot, id));
            if (attempt.Request > 0)
            {
                _out.Answer(
                    new RequestId(attempt.Request), commit ? new CommitResult.Committed(id) : new CommitResult.Aborted(id));
            }
        }

        if (Ledger.IsPrepared(id))
        {
            End(id, commit);
        }
        else if (!Ledger.Knows(id))
        {
            Ledger.Note(id, commit);
        }

        // What commits without it was led here for others, and this node came too late to join them.
        Withdraw(id, commit ? new CommitResult.NotOpen(id) : new CommitResult.Aborted(id));
    }

    /// <summary>What a node knows of an agreement that it leads, or whose outcome it waits for.</summary>
    private sealed class Attempt
    {
        /// <summary>All managers; none for one that joined and has not been asked to prepare.</summary>
        public NodeSet Members;

        /// <summary>What goes with the own vote: the mark before which all is over here.</summary>
        public TransactionId Settled;

        /// <summary>The client's request, if it is here; 0 otherwise.</summary>
        public long Request;

        /// <summary>How often the outcome was asked for.</summary>
        public int Asked;

        public bool IsLeading;

        /// <summary>The own ballot; none while the managers' ballot 0 is all there is.</summary>
        public Ballot Ballot;

        /// <summary>The highest ballot heard of.</summary>
        public Ballot Seen;

        // Phase 1 of the own ballot.
        public NodeSet Promises;
        public Ballot FoundAt;
        public NodeSet FoundSet;
        public NodeSet Found;
        public bool IsProposed;

        // Phase 2: acceptors by the highest ballot that any told of.
        public Ballot Counted;
        public NodeSet Accepted;

        public void Add(NodeId acceptor, Message.Phase1b report)
        {
            Promises = Promises.With(acceptor);
            if (report.Voted > FoundAt)
            {
                (FoundAt, FoundSet, Found) = (report.Voted, report.Members, report.Prepared);
            }
            else if (report.Voted == FoundAt)
            {
                FoundSet = FoundSet.Union(report.Members);
                Found = Found.Union(report.Prepared);
            }
        }

        /// <summary>Counts an acceptance; false if it is of a lower ballot than others.</summary>
        public bool Count(NodeId acceptor, Message.Phase2b accepted, bool acrossBallots)
        {
            if (!acrossBallots && accepted.Ballot < Counted)
            {
                return false;
            }

            Accepted = !acrossBallots && accepted.Ballot > Counted ? NodeSet.Of(acceptor) : Accepted.With(acceptor);
            Counted = accepted.Ballot;
            return true;
        }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("members", ref Members);
            CommitFields.VisitId(visitor, ref Settled);
            visitor.Visit("request", ref Request);
            visitor.Visit("asked", ref Asked);
            visitor.Visit("leading", ref IsLeading);
            visitor.Visit("ballot", ref Ballot);
            visitor.Visit("seen", ref Seen);
            visitor.Visit("promises", ref Promises);
            visitor.Visit("foundAt", ref FoundAt);
            visitor.Visit("foundSet", ref FoundSet);
            visitor.Visit("found", ref Found);
            visitor.Visit("proposed", ref IsProposed);
            visitor.Visit("counted", ref Counted);
            visitor.Visit("accepted", ref Accepted);
        }
    }
}
