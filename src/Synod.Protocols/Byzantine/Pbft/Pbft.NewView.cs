using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Beginning a view: its primary computes what must be proposed again, and everybody checks it (pbft.md §4).</summary>
public sealed partial class Pbft
{
    /// <summary>Why the current view began; null in view 0 and while a view changes.</summary>
    private Message.NewView? _newView;

    /// <summary>The primary of a view that a quorum wants begins it, if what was told decides every slot.</summary>
    private void TryBegin()
    {
        ImmutableArray<Message.ViewChange> changes = [.. _viewChanges.Values.Where(change => change.View == _view)];
        if (Choose(changes) is not { } chosen)
        {
            return;
        }

        ImmutableArray<Proposal> proposals =
            [.. chosen.Select(item => new Proposal(item.Slot, item.Digest, Authenticate(Phase.PrePrepare, _view, item.Slot, item.Digest)))];
        var signature = _signer.Sign(_statements.NewView(_view, changes, proposals));
        var begun = new Message.NewView(_view, changes, proposals, signature);
        Enter(begun);
        _out.Send(_others, begun);
        Propose();
    }

    private void On(NodeId from, Message.NewView m)
    {
        if (m.View < _view || (m.View == _view && _isActive))
        {
            _out.Refuse(Refusal.StaleBallot);
            return;
        }

        var primary = _group.PrimaryOf(m.View);
        if (primary == _self || !_signer.Verify(primary, _statements.NewView(m.View, m.ViewChanges, m.Proposals), m.Signature))
        {
            _out.Refuse(Refusal.Forged);
        }
        else if (!IsJustified(m, primary))
        {
            // From its primary there is no better one to wait for. Whoever passes it on may have damaged what the signature does not cover.
            _out.Refuse(Refusal.Forged);
            if (m.View == _view && from == primary)
            {
                ChangeView(_view + 1);
            }
        }
        else
        {
            Enter(m);
        }
    }

    /// <summary>Whether a quorum's valid view changes are there and lead to exactly these proposals.</summary>
    private bool IsJustified(Message.NewView m, NodeId primary)
    {
        var senders = NodeSet.Empty;
        foreach (var change in m.ViewChanges)
        {
            if (change.View != m.View || senders.Contains(change.Sender) || !(IsKnown(change) || IsValid(change)))
            {
                return false;
            }

            senders = senders.With(change.Sender);
        }

        return senders.Count >= _group.Quorum
            && (Mutated(PbftMutation.BelieveNewView)
                || (Choose(m.ViewChanges) is { } chosen
                    && chosen.SequenceEqual(m.Proposals.Select(item => (item.Slot, item.Digest)))))
            && m.Proposals.All(item =>
                IsAuthentic(primary, Phase.PrePrepare, m.View, item.Slot, item.Digest, item.Authenticator));
    }

    /// <summary>A view change that was checked when it came by itself. Its signature stands for its content.</summary>
    private bool IsKnown(Message.ViewChange change) =>
        _viewChanges.TryGetValue(change.Sender, out var known) && known.View == change.View && known.Signature == change.Signature
        && _statements.ViewChange(known).ToArray().AsSpan().SequenceEqual(_statements.ViewChange(change));

    /// <summary>
    /// What a set of view changes makes the primary propose: for each slot from the highest stable checkpoint to the last that
    /// prepared anywhere, the digest that may have been committed, or null. Null instead of a list: they do not say enough yet.
    /// </summary>
    internal ImmutableArray<(Slot Slot, Digest Digest)>? Choose(ImmutableArray<Message.ViewChange> changes)
    {
        var first = changes.Max(change => change.Stable.Slot);
        var last = Slot.Max(first, changes.SelectMany(change => change.Prepared).Select(item => item.Slot).DefaultIfEmpty(first).Max());
        var chosen = ImmutableArray.CreateBuilder<(Slot, Digest)>();
        for (var slot = first.Next; slot <= last; slot = slot.Next)
        {
            var prepared = changes.SelectMany(change => change.Prepared).Where(item => item.Slot == slot).ToImmutableArray();
            var digest = _options.UsesCodes ? ChooseByClaims(changes, prepared, slot) : ChooseByProofs(prepared);
            if (digest is null)
            {
                return null;
            }

            if (digest != Digest.None || !Mutated(PbftMutation.LeaveGaps))
            {
                chosen.Add((slot, digest.Value));
            }
        }

        return chosen.ToImmutable();
    }

    /// <summary>With proofs, any one is enough, and the one of the highest view counts: what was committed prepared again above it.</summary>
    private Digest? ChooseByProofs(ImmutableArray<Prepared> prepared) =>
        prepared.IsEmpty ? Digest.None
        : Mutated(PbftMutation.LowestPreparedView) ? prepared.MinBy(item => item.View)!.Digest
        : prepared.MaxBy(item => item.View)!.Digest;

    /// <summary>
    /// With mere claims, a digest is chosen if (A1) a quorum has prepared nothing that contradicts it in the same view or above, and
    /// (A2) f+1 pre-prepared it in that view or above, so that a correct one vouches for it; null if a quorum prepared nothing.
    /// </summary>
    private Digest? ChooseByClaims(ImmutableArray<Message.ViewChange> changes, ImmutableArray<Prepared> prepared, Slot slot)
    {
        foreach (var candidate in prepared.OrderByDescending(item => item.View).ThenBy(item => item.Digest))
        {
            var compatible = changes.Count(change => change.Prepared.All(item =>
                item.Slot != slot || item.View < candidate.View || (item.View == candidate.View && item.Digest == candidate.Digest)));
            var vouching = changes.Count(change => change.PrePrepared.Any(item =>
                item.Slot == slot && item.Digest == candidate.Digest && item.View >= candidate.View));
            if (compatible >= _group.Quorum && vouching >= _group.Weak)
            {
                return candidate.Digest;
            }
        }

        return changes.Count(change => change.Prepared.All(item => item.Slot != slot)) >= _group.Quorum ? Digest.None : null;
    }

    /// <summary>
    /// Begins the view. Its proposals are pre-prepares of its primary; the record of them comes before anything said in the view.
    /// </summary>
    private void Enter(Message.NewView m)
    {
        if (m.View > _view)
        {
            _failedViews++;
        }

        _out.Persist(new Record.Entered(m));
        Begin(m);
        CheckDecided(m);
        var proven = m.ViewChanges.MaxBy(change => change.Stable.Slot)!.Stable;
        if (proven.Slot > Stable)
        {
            Stabilise(proven);
        }

        if (Primary != _self)
        {
            foreach (var proposal in m.Proposals.Where(item => IsInWindow(item.Slot)))
            {
                Prepare(proposal.Slot, proposal.Digest);
            }
        }

        GuardOldest();
        ArmStatus();
    }

    /// <summary>What holds from the beginning of a view, also after a restart in it.</summary>
    private void Begin(Message.NewView m)
    {
        (_view, _isActive, _newView) = (m.View, true, m);
        (_awaitsNewView, _guarded) = (false, 0);
        CancelTimer(Timer.NewView);
        CancelTimer(Timer.Request);
        foreach (var entry in _entries.Values)
        {
            entry.LeaveView();
        }

        foreach (var sender in _viewChanges.Where(pair => pair.Value.View <= m.View).Select(pair => pair.Key).ToList())
        {
            _viewChanges.Remove(sender);
        }

        _ordered.Clear();
        _assigned = Slot.Max(Stable, m.ViewChanges.Max(change => change.Stable.Slot));
        foreach (var proposal in m.Proposals.Where(item => item.Slot > Stable))
        {
            Place(proposal);
        }
    }

    /// <summary>What is decided here was committed in a lower view, or in this one before it was heard of here: it is proposed again.</summary>
    private void CheckDecided(Message.NewView m)
    {
        foreach (var (slot, entry) in _entries)
        {
            Invariant.Check(
                !entry.IsDecided || entry.Proposal is null || entry.Decision == entry.Proposal.Digest,
                CommittedStays,
                $"{slot}: {entry.Decision} decided here, {entry.Proposal} proposed in view {m.View}");
        }
    }
}
