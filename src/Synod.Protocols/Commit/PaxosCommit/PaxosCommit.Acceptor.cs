using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class PaxosCommit
{
    private void On(NodeId from, Message.Phase1a ask)
    {
        if (Refuses(from, ask.Transaction, ask.Ballot, ask.Members, NodeSet.Empty) || ask.Ballot == Ballot.None)
        {
            return;
        }

        if (IsOver(ask.Transaction, ask.Members, from) && _mutation != PaxosCommitMutation.ReportForgotten)
        {
            TooLate(from, ask.Transaction);
            return;
        }

        var acceptance = AcceptanceOf(ask.Transaction, ask.Members);
        if (ask.Ballot < acceptance.Promised)
        {
            TooLate(from, ask.Transaction, acceptance);
            return;
        }

        if (ask.Ballot > acceptance.Promised)
        {
            // Votes of ballot 0 that are not all here yet have not been accepted for anyone; from now on they count.
            acceptance.Promised = ask.Ballot;
            Persist(ask.Transaction, acceptance);
        }

        var answer = new Message.Phase1b(ask.Transaction, ask.Ballot, acceptance.Voted, acceptance.Members, acceptance.Prepared);
        if (_mutation == PaxosCommitMutation.PromiseBeforeDurable)
        {
            _out.SendEarly(from, answer);
            return;
        }

        _out.Send(from, answer);
    }

    private void On(NodeId from, Message.Phase2a vote)
    {
        var id = vote.Transaction;
        if (Refuses(from, id, vote.Ballot, vote.Members, vote.Prepared))
        {
            return;
        }

        if (vote.Ballot == Ballot.None)
        {
            if (!id.MayFollow(vote.Settled))
            {
                _out.Refuse(Refusal.Malformed);
                return;
            }

            Settle(new Settlement(from, vote.Settled));
        }

        if (IsOver(id, vote.Members, from) && _mutation != PaxosCommitMutation.ReportForgotten)
        {
            TooLate(from, id);
            return;
        }

        var acceptance = AcceptanceOf(id, vote.Members);
        if (vote.Ballot < acceptance.Promised && !(_mutation == PaxosCommitMutation.AcceptStale && vote.Ballot == Ballot.None))
        {
            TooLate(from, id, acceptance);
        }
        else if (vote.Ballot == Ballot.None)
        {
            AcceptVote(id, acceptance, from);
        }
        else
        {
            (acceptance.Promised, acceptance.Voted) = (vote.Ballot, vote.Ballot);
            (acceptance.Members, acceptance.Prepared) = (vote.Members, vote.Prepared);
            Persist(id, acceptance);
            Tell(id, acceptance, NodeSet.Of(from));
        }
    }

    /// <summary>
    /// A manager's own vote in ballot 0. All votes of a transaction are written down together and told together, once the last one
    /// is here: one forced write and one message for all instances.
    /// </summary>
    private void AcceptVote(TransactionId id, Acceptance acceptance, NodeId manager)
    {
        var isNew = !acceptance.Prepared.Contains(manager);
        acceptance.Prepared = acceptance.Prepared.With(manager);
        if (acceptance.Prepared != acceptance.Members)
        {
            return;
        }

        if (isNew)
        {
            acceptance.Voted = Ballot.None;
            Persist(id, acceptance);
        }

        Tell(id, acceptance, NodeSet.Of(_options.LeaderOf(id)));
    }

    private void Tell(TransactionId id, Acceptance acceptance, NodeSet leader)
    {
        var settled = acceptance.Members.IsEmpty ? default : acceptance.Members.Min(manager => _settled.MarkOf(manager, id.Coordinator));
        var accepted = new Message.Phase2b(id, acceptance.Voted, acceptance.Members, acceptance.Prepared, settled);
        foreach (var learner in _options.IsFaster ? leader.Union(acceptance.Members).With(id.Coordinator) : leader)
        {
            if (_mutation == PaxosCommitMutation.AcceptBeforeDurable)
            {
                _out.SendEarly(learner, accepted);
                continue;
            }

            _out.Send(learner, accepted);
        }
    }

    /// <summary>
    /// A transaction is forgotten when it is over for all its managers: none of them is in doubt about it or will vote on it, and whoever
    /// began it waits for it no more. A leader that still does is told so and never an empty report: another majority would take that for Aborted.
    /// Where the set is not known, only a leader that joined and does not vote any more has been here; it cannot commit, and is over with that one.
    /// </summary>
    private bool IsOver(TransactionId id, NodeSet managers, NodeId leader) => _mutation == PaxosCommitMutation.FirstSettledForgets
        ? managers.Any(manager => _settled.IsOver(id, manager))
        : managers.IsEmpty ? _settled.IsOver(id, leader)
        : managers.All(manager => _settled.IsOver(id, manager));

    /// <summary>
    /// Notes a manager's mark, and forgets what is over for all by it. Where the set is not known, or none was accepted, any mark will do: its
    /// coordinator waits for nothing before it, and one that joined has led and will not vote, whatever acceptors remember.
    /// </summary>
    private void Settle(Settlement settlement)
    {
        var mark = settlement.Mark;
        var before = _settled.MarkOf(settlement.Participant, mark.Coordinator);
        if (!_settled.Note(settlement))
        {
            return;
        }

        foreach (var (id, acceptance) in _acceptances.Where(item =>
            item.Key.Coordinator == mark.Coordinator && item.Key.CompareTo(before) >= 0 && item.Key.CompareTo(mark) < 0).ToList())
        {
            if (acceptance.Members.IsEmpty || IsOver(id, acceptance.Members, NodeId.None))
            {
                _acceptances.Remove(id);
            }
        }
    }

    private void TooLate(NodeId from, TransactionId id)
    {
        _out.Refuse(Refusal.Duplicate);
        _out.Send(from, new Message.Over(id));
    }

    private void TooLate(NodeId from, TransactionId id, Acceptance acceptance)
    {
        _out.Refuse(Refusal.StaleBallot);
        _out.Send(from, new Message.Outbid(id, acceptance.Promised));
    }

    /// <summary>
    /// In ballot 0 a manager votes for itself only, and brings the set; a higher ballot belongs to the node in it, which may know of none. The
    /// set of managers never differs from the first one heard of.
    /// </summary>
    private bool Refuses(NodeId from, TransactionId id, Ballot ballot, NodeSet members, NodeSet prepared)
    {
        if (!_options.AllAcceptors.Contains(_self) || (ballot == Ballot.None ? !members.Contains(from) : ballot.Node != from))
        {
            _out.Refuse(Refusal.NotMember);
            return true;
        }

        if (!prepared.IsSubsetOf(members) || ballot.Round < 0
            || (ballot == Ballot.None && prepared != NodeSet.Of(from))
            || (_acceptances.TryGetValue(id, out var acceptance) && Differ(acceptance.Members, members)))
        {
            _out.Refuse(Refusal.Malformed);
            return true;
        }

        return false;
    }

    /// <summary>A registrar proposes one set, so there are no two; that there is none is another value, which a leader may have proposed.</summary>
    private static bool Differ(NodeSet one, NodeSet other) => one != other && !one.IsEmpty && !other.IsEmpty;

    /// <summary>The registrar's instance chose a set, and the instances of all in it Prepared.</summary>
    private static bool IsCommit(NodeSet managers, NodeSet prepared) => !managers.IsEmpty && prepared == managers;

    private Acceptance AcceptanceOf(TransactionId id, NodeSet members)
    {
        if (!_acceptances.TryGetValue(id, out var acceptance))
        {
            acceptance = new Acceptance();
            _acceptances.Add(id, acceptance);
        }

        if (acceptance.Voted == Ballot.None)
        {
            acceptance.Members = acceptance.Members.Union(members);
        }

        return acceptance;
    }

    private void Persist(TransactionId id, Acceptance acceptance)
    {
        Invariant.Check(
            acceptance.Voted <= acceptance.Promised && acceptance.Prepared.IsSubsetOf(acceptance.Members), VotesAreKept, $"{id}");
        _out.Persist(new Record.Accepted(id, acceptance.Members, acceptance.Promised, acceptance.Voted, acceptance.Prepared));
    }

    /// <summary>An acceptor's part in all instances of a transaction. They share one ballot: a higher one covers them all.</summary>
    private sealed class Acceptance
    {
        /// <summary>
        /// The registrar's instance: the set, or none. As long as no higher ballot was accepted, it is the set that the registrar proposes in
        /// ballot 0 as soon as anyone brought it.
        /// </summary>
        public NodeSet Members;
        public Ballot Promised;
        public Ballot Voted;
        public NodeSet Prepared;

        public void State(StateVisitor visitor)
        {
            visitor.Visit("members", ref Members);
            visitor.Visit("promised", ref Promised);
            visitor.Visit("voted", ref Voted);
            visitor.Visit("prepared", ref Prepared);
        }
    }
}
