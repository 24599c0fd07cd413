using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>The replica's part: check proposals and vote for them.</summary>
public sealed partial class HotStuff
{
    private void On(NodeId from, Message.Proposal proposal, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var block = proposal.Block;
        if (block.View < _view)
        {
            outbox.Refuse(Refusal.StaleBallot);
            return;
        }

        if (from != _options.Leaders.LeaderOf(block.View))
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (_options.Has(HotStuffMutation.LearnBeforeChecking))
        {
            Learn(block.Justify, outbox);
        }

        if (!IsWellFormed(block))
        {
            outbox.Refuse(Refusal.Malformed);
            return;
        }

        if (!Verify(proposal.Certificates) || !block.Commands.All(IsAuthentic))
        {
            outbox.Refuse(Refusal.Forged);
            return;
        }

        Consider(from, proposal, context, outbox);
    }

    /// <summary>A proposal that was found well-formed and authentic, now or before its parent arrived.</summary>
    private void Consider(
        NodeId from, Message.Proposal proposal, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var block = proposal.Block;
        var entered = Math.Max(_view, ViewAfter(proposal.Certificates));
        if (entered != block.View && !_options.Has(HotStuffMutation.EnteredUnproven))
        {
            outbox.Refuse(entered > block.View ? Refusal.StaleBallot : Refusal.Unexpected);
            return;
        }

        // A fork below what was dropped, whose parent will never be here.
        if (block.Justify.View < _tree.Root.View)
        {
            outbox.Refuse(Refusal.Unsafe);
            return;
        }

        if (_tree.Find(block.Justify.Block) is not { } parent)
        {
            Learn(proposal.Certificates, context, outbox);
            Park(from, proposal, outbox);
            return;
        }

        // A fork below the committed tip.
        if (_tree.PathTo(parent) is null)
        {
            outbox.Refuse(Refusal.Unsafe);
            return;
        }

        // Two blocks of an equivocating leader are kept, as either may be certified, and no more.
        if (!_tree.Contains(block.Digest) && _tree.Open.Count(open => open.View == block.View) is var others and > 0)
        {
            outbox.Refuse(Refusal.Equivocation);
            if (others > 1)
            {
                return;
            }
        }

        Adopt(block, outbox);
        Learn(proposal.Certificates, context, outbox);
        if (_options.Has(HotStuffMutation.EnteredUnproven))
        {
            _view = Math.Max(_view, block.View);
        }

        if (block.View == _view)
        {
            Vote(proposal, outbox);
        }
    }

    private bool IsWellFormed(Block block) =>
        block.Justify.Phase == VotePhase.Prepare
        && block.Justify.View < block.View
        && block.Commands.Length <= _options.MaxCommands
        && block.Commands.All(command => command.Payload.Length <= _options.MaxPayload);

    private void Vote(Message.Proposal proposal, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_rules.MayVote(proposal, _locked, _tree))
        {
            Vote(VotePhase.Prepare, proposal.Block.Digest, outbox);
        }
        else
        {
            outbox.Refuse(Refusal.Unsafe);
        }
    }

    private void On(NodeId from, Message.Certified certified, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var certificate = certified.Certificate;
        if (certificate.View < _view && certificate.View <= (IsLast(certificate) ? _decision : _high).View)
        {
            outbox.Refuse(Refusal.StaleBallot);
            return;
        }

        if (_rules.VotesGoToNextLeader(certificate.Phase) || CollectorOf(certificate.Phase, certificate.View) != from)
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (!Verify(certificate))
        {
            outbox.Refuse(Refusal.Forged);
            return;
        }

        Learn(certificate, outbox);
        Advance(context, outbox);
        VoteOn(certificate, outbox);
        FetchMissing(from, outbox);
    }

    /// <summary>
    /// The vote of the next phase on the certificate of this one. Nobody vouches for a block that is not here, nor in the phase after a
    /// lock without having locked, which those cannot who missed the phase before.
    /// </summary>
    private void VoteOn(QuorumCertificate certificate, Outbox<Message, Record, Command, Result> outbox)
    {
        if (IsLast(certificate) || certificate.View != _view || !_tree.Contains(certificate.Block))
        {
            return;
        }

        if (_rules.Lock(certificate, _tree) is { } due && _locked.View < due.View)
        {
            outbox.Refuse(Refusal.NotReady);
            return;
        }

        Vote(certificate.Phase + 1, certificate.Block, outbox);
    }

    /// <summary>Invariant: one vote in each phase of each view, in growing order, none after giving the view up; durable before it is told.</summary>
    private void Vote(VotePhase phase, Digest block, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_timedOut >= _view && !_options.Has(HotStuffMutation.VoteAfterTimeout))
        {
            outbox.Refuse(Refusal.StaleBallot);
            return;
        }

        if ((_votedView, _votedPhase).CompareTo((_view, phase)) >= 0 && !_options.Has(HotStuffMutation.VoteTwice))
        {
            outbox.Refuse(Refusal.Duplicate);
            return;
        }

        (_votedView, _votedPhase) = (_view, phase);
        var vote = new Message.Vote(phase, _view, block, _scheme.Sign(_statements.Vote(phase, _view, block)));
        if (_options.Has(HotStuffMutation.VoteBeforeDurable))
        {
            outbox.SendEarly(CollectorOf(phase, _view), vote);
        }

        outbox.Persist(new Record.Voted(phase, _view, block));
        outbox.Send(CollectorOf(phase, _view), vote);
    }
}
