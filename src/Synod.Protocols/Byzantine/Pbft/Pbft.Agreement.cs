using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>The three phases of the normal case (pbft.md §3; Castro and Liskov 2002, §2.3.3).</summary>
public sealed partial class Pbft
{
    private void On(NodeId from, Message.PrePrepare m)
    {
        if (!MayVote(m.View, m.Slot))
        {
            return;
        }

        if (!_isActive)
        {
            _out.Refuse(Refusal.NotReady);
        }
        else if (from != Primary)
        {
            _out.Refuse(Refusal.Unexpected);
        }
        else if (m.Digest != m.Batch.Digest || !IsWellFormed(m.Batch))
        {
            _out.Refuse(Refusal.Malformed);
        }
        else if (!IsAuthentic(from, Phase.PrePrepare, m.View, m.Slot, m.Digest, m.Authenticator))
        {
            _out.Refuse(Refusal.Forged);
        }
        else if (_entries.TryGetValue(m.Slot, out var entry) && entry.Proposal is { } known)
        {
            if (known.Digest == m.Digest)
            {
                _out.Refuse(Refusal.Duplicate);
            }
            else
            {
                Accuse(from, Phase.PrePrepare, m.Slot, new(known.Digest, known.Authenticator), new(m.Digest, m.Authenticator));
            }
        }
        else if (!m.Batch.Requests.All(request => IsAuthentic(request, isRead: false)))
        {
            _out.Refuse(Refusal.Forged);
        }
        else
        {
            Accept(m.Slot, m.Batch, m.Authenticator);
            foreach (var request in m.Batch.Requests)
            {
                Wait(request);
            }

            Prepare(m.Slot, m.Digest);
            GuardOldest();
            ArmStatus();
        }
    }

    /// <summary>The rest of a batch's validity is in its requests. Primaries propose no null request: only a new view does.</summary>
    private bool IsWellFormed(Batch batch) =>
        !batch.Requests.IsEmpty && batch.Requests.Length <= _options.MaxBatch
        && batch.Requests.Select(request => request.Client).Distinct().Count() == batch.Requests.Length;

    /// <summary>
    /// Accepts a proposal in the current view. It is durable before anything is said of it, so that no restart lets this replica
    /// accept another one in its place.
    /// </summary>
    private void Accept(Slot slot, Batch batch, Authenticator proof)
    {
        Know(batch);
        _out.Persist(new Record.PrePrepared(_view, slot, batch.Digest, proof));
        Place(new Proposal(slot, batch.Digest, proof));
    }

    private void Know(Batch batch)
    {
        if (_batches.TryAdd(batch.Digest, batch))
        {
            _out.Persist(new Record.Known(batch));
        }
    }

    /// <summary>Puts a proposal of the current view into its slot.</summary>
    private void Place(Proposal proposal)
    {
        var entry = EntryOf(proposal.Slot);
        entry.Proposal = proposal;
        entry.Accept(proposal.Digest, _view, _options.MaxPrePrepared);
        _assigned = Slot.Max(_assigned, proposal.Slot);
        foreach (var request in BatchOf(proposal.Digest)?.Requests ?? [])
        {
            _ordered[request.Client] = Math.Max(_ordered.GetValueOrDefault(request.Client), request.Timestamp);
        }
    }

    private void Prepare(Slot slot, Digest digest)
    {
        var proof = Authenticate(Phase.Prepare, _view, slot, digest);
        SendUnlessEarly(PbftMutation.PrepareBeforeDurable, new Message.Prepare(_view, slot, digest, proof));

        // Counted at once: what follows from it are records and sends, which come after the record of the proposal.
        EntryOf(slot).Prepares.Add(_self, new(digest, proof));
        TryPrepare(slot);
    }

    private void On(NodeId from, Message.Prepare m)
    {
        if (!MayVote(m.View, m.Slot))
        {
            return;
        }

        if (from == Primary && !Mutated(PbftMutation.CountPrimaryPrepare))
        {
            _out.Refuse(Refusal.Unexpected);
        }
        else if (_entries.TryGetValue(m.Slot, out var entry) && entry.IsPrepared)
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else if (TryCount(from, Phase.Prepare, m.Slot, new(m.Digest, m.Authenticator)))
        {
            TryPrepare(m.Slot);
            ArmStatus();
        }
    }

    private void On(NodeId from, Message.Commit m)
    {
        if (!MayVote(m.View, m.Slot))
        {
            return;
        }

        if (_entries.TryGetValue(m.Slot, out var entry) && entry.IsDecided && entry.IsPrepared)
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else if (TryCount(from, Phase.Commit, m.Slot, new(m.Digest, m.Authenticator)))
        {
            TryCommit(m.Slot);
            ArmStatus();
        }
    }

    /// <summary>Whether a vote is for this view and inside the window. A view that is only about to begin counts already.</summary>
    private bool MayVote(long view, Slot slot)
    {
        if (view == _view && IsInWindow(slot))
        {
            return true;
        }

        _out.Refuse(view < _view ? Refusal.StaleBallot : view > _view ? Refusal.NotReady : Refusal.Unexpected);
        if (view > _view || (view == _view && slot > Limit))
        {
            SuspectLag();
        }

        return false;
    }

    /// <summary>Counts a vote once for each sender.</summary>
    private bool TryCount(NodeId from, Phase phase, Slot slot, Vote vote)
    {
        if (!IsAuthentic(from, phase, _view, slot, vote.Digest, vote.Authenticator))
        {
            _out.Refuse(Refusal.Forged);
            return false;
        }

        var entry = EntryOf(slot);
        var votes = phase == Phase.Prepare ? entry.Prepares : entry.Commits;
        if (!votes.TryGet(from, out var first))
        {
            votes.Add(from, vote);
            return true;
        }

        if (Mutated(PbftMutation.CountDuplicates))
        {
            votes.Repeat();
            return true;
        }

        if (first.Digest == vote.Digest)
        {
            _out.Refuse(Refusal.Duplicate);
        }
        else
        {
            Accuse(from, phase, slot, first, vote);
        }

        return false;
    }

    private void Accuse(NodeId accused, Phase phase, Slot slot, Vote first, Vote second)
    {
        _out.Refuse(Refusal.Equivocation);
        _evidence.TryAdd(
            accused,
            new Evidence(accused, phase, _view, slot, first.Digest, first.Authenticator, second.Digest, second.Authenticator));
    }

    /// <summary>
    /// prepared(v, n, d): the pre-prepare and 2f matching prepares of distinct backups. Two such quorums share a correct replica, so no
    /// other digest prepares in the view. The proof is durable before the commit: every later view change has to show it.
    /// </summary>
    private void TryPrepare(Slot slot)
    {
        var entry = _entries[slot];
        if (entry.Proposal is not { } proposal || entry.IsPrepared
            || entry.Prepares.CountOf(proposal.Digest, Mutated(PbftMutation.OmitDigestComparison)) < PreparesNeeded)
        {
            return;
        }

        entry.IsPrepared = true;
        entry.Proof = _options.UsesCodes
            ? new Prepared(_view, slot, proposal.Digest, default, [])
            : new Prepared(
                _view,
                slot,
                proposal.Digest,
                ((Authenticator.Signed)proposal.Authenticator).Signature,
                [.. entry.Prepares.For(proposal.Digest).Take(PreparesNeeded)]);
        entry.Prepares.Clear();
        _out.Persist(new Record.Prepared(entry.Proof));
        var proof = Authenticate(Phase.Commit, _view, slot, proposal.Digest);
        SendUnlessEarly(PbftMutation.CommitBeforeDurable, new Message.Commit(_view, slot, proposal.Digest, proof));
        entry.Commits.Add(_self, new(proposal.Digest, proof));
        if (Mutated(PbftMutation.ExecutePrepared))
        {
            Decide(slot, proposal.Digest);
        }

        TryCommit(slot);
    }

    /// <summary>
    /// committed-local(v, n, d): prepared, and 2f+1 commits. Among them are f+1 correct replicas that show a proof in every view
    /// change, so no later view gives the slot another digest.
    /// </summary>
    private void TryCommit(Slot slot)
    {
        if (_entries.TryGetValue(slot, out var entry) && entry.IsPrepared
            && entry.Commits.CountOf(entry.Proposal!.Digest, Mutated(PbftMutation.OmitDigestComparison)) >= CommitsNeeded)
        {
            entry.Commits.Clear();
            Decide(slot, entry.Proposal.Digest);
        }
    }
}
