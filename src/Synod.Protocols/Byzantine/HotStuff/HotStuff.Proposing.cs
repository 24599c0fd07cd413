using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>The leader's part: collect reports and votes, make certificates, propose.</summary>
public sealed partial class HotStuff
{
    /// <summary>Proposes, once in a view that this replica leads, as soon as the rules allow and there is something to say.</summary>
    private void TryPropose(Outbox<Message, Record, Command, Result> outbox)
    {
        if (Leader != _self || _proposed >= _view || _timedOut >= _view || !IsOpen || !IsWorthProposing)
        {
            return;
        }

        if (_tree.Find(_high.Block) is not { } parent || _tree.PathTo(parent) is not { } open)
        {
            return;
        }

        var block = new Block(_view, _high, Pick(open));
        _owes = false;
        Adopt(block, outbox);
        var proposal = new Message.Proposal(block, _decision, Shown.Timeout);
        outbox.Send(_options.Members.Without(_self), proposal);
        Vote(proposal, outbox);
    }

    private bool IsOpen => _rules.Opening(_isAfterTimeout) switch
    {
        Opening.AtOnce => true,
        Opening.AfterReports => _reports.Count >= _options.Quorum,
        _ => _isDelayOver,
    };

    /// <summary>
    /// An idle group is silent. Blocks without commands are for those that wait to be committed, for a commit that this leader alone
    /// knows of, and after a failed view, which others gave up because something waits there.
    /// </summary>
    private bool IsWorthProposing => _options.Has(HotStuffMutation.NoEmptyBlocks)
        ? _tree.Find(_high.Block) is { } parent && _tree.PathTo(parent) is { } open && Pick(open).Length > 0
        : _mempool.Count > 0 || _options.ProposesWhenIdle || _isAfterTimeout || _owes;

    /// <summary>Commands for a child of the last of <paramref name="open"/>: none that the chain holds already.</summary>
    private ImmutableArray<Command> Pick(List<Block> open)
    {
        var taken = new SortedDictionary<NodeId, long>();
        foreach (var command in open.SelectMany(block => block.Commands))
        {
            taken[command.Client] = Math.Max(taken.GetValueOrDefault(command.Client), command.Sequence);
        }

        return [.. _mempool.Pick(_options.MaxCommands, _view, taken)];
    }

    private void On(NodeId from, Message.Vote vote, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (vote.View < _view)
        {
            outbox.Refuse(Refusal.StaleBallot);
            return;
        }

        if ((int)vote.Phase >= _rules.Phases || CollectorOf(vote.Phase, vote.View) != _self)
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (!_options.Has(HotStuffMutation.VotesUnchecked)
            && !_scheme.Verify(from, _statements.Vote(vote.Phase, vote.View, vote.Block), vote.Signature))
        {
            outbox.Refuse(Refusal.Forged);
            return;
        }

        if (Count(from, vote) is { } refusal)
        {
            outbox.Refuse(refusal);
            return;
        }

        var same = _votes[(int)vote.Phase].Where(item => item.Value.View == vote.View && item.Value.Block == vote.Block).ToList();
        if (same.Count == _options.Quorum)
        {
            var votes = same.ConvertAll(item => new Endorsement(item.Key, item.Value.Signature));
            var proof = _scheme.Aggregate(_statements.Vote(vote.Phase, vote.View, vote.Block), votes);
            Form(new QuorumCertificate(vote.Phase, vote.View, vote.Block, proof), context, outbox);
        }
    }

    /// <summary>
    /// Notes a vote, the last one of each member: a correct one votes in growing views, and a faulty one cannot fill the memory. Of two
    /// in one view the first counts.
    /// </summary>
    private Refusal? Count(NodeId from, Message.Vote vote)
    {
        var votes = _votes[(int)vote.Phase];
        if (_options.Has(HotStuffMutation.DuplicatesCount))
        {
            votes[new NodeId(votes.Count)] = vote;
            return null;
        }

        if (votes.TryGetValue(from, out var other) && other.View >= vote.View)
        {
            return other.View == vote.View && other.Block != vote.Block ? Refusal.Equivocation : Refusal.Duplicate;
        }

        votes[from] = vote;
        return null;
    }

    /// <summary>A certificate that nobody else has yet.</summary>
    private void Form(QuorumCertificate certificate, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var executed = _executed;
        Learn(certificate, outbox);
        if (_rules.VotesGoToNextLeader(certificate.Phase))
        {
            // Nobody but this replica's own proposal tells the others what was committed now.
            _owes |= _executed > executed;
        }
        else
        {
            outbox.Send(_options.Members.Without(_self), new Message.Certified(certificate));
            VoteOn(certificate, outbox);
        }

        Advance(context, outbox);
        FetchMissing(_self, outbox);
    }

    private void On(NodeId from, Message.NewView report, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!Hear(from, report.Certificates, context, outbox))
        {
            return;
        }

        if (report.View != _view || Leader != _self)
        {
            outbox.Refuse(report.View < _view ? Refusal.StaleBallot : Refusal.Unexpected);
            return;
        }

        if (_options.Has(HotStuffMutation.LatestReportWins))
        {
            _high = report.Certificates.High;
        }

        _reports = _reports.With(from);
        TryPropose(outbox);
    }
}
