using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>Starting again from the durable records, and writing anew those that are still needed (pbft.md §2).</summary>
public sealed partial class Pbft
{
    /// <summary>
    /// A replica comes back knowing everything it signed above the stable checkpoint, so it contradicts none of it. What it only heard
    /// is gone, and its status asks for it.
    /// </summary>
    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        (_context, _out) = (context, outbox);
        var proven = _stable;
        foreach (var record in records)
        {
            Replay(record);
            proven = record is Record.Entered entered ? Later(proven, entered.NewView) : proven;
        }

        Redo();

        if (proven.Slot > Stable)
        {
            // The view began above a checkpoint whose own record was lost.
            Stabilise(proven);
        }

        RecoverVotes();
        if (_executed < Stable && _fetch is null)
        {
            BeginFetch();
        }

        GuardOldest();
        MeetViewChanges();
        _suspectsLag = true;
        ArmStatus();
    }

    /// <summary>Writes the state of the log anew. Older records can then be dropped; replayed after them, these change nothing.</summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var (slot, tree) in _saved)
        {
            outbox.Persist(new Record.Saved(slot, tree.State));
        }

        if (Stable > Slot.None)
        {
            outbox.Persist(new Record.Stable(_stable));
        }

        // After the water mark: in passing it, recovery forgets every batch that nothing above it needs.
        foreach (var batch in _batches.Values)
        {
            outbox.Persist(new Record.Known(batch));
        }

        foreach (var (slot, entry) in _entries)
        {
            foreach (var (digest, view) in entry.Accepted)
            {
                if (view < _view || !_isActive)
                {
                    outbox.Persist(new Record.PrePrepared(view, slot, digest, new Authenticator.Signed(default)));
                }
            }

            if (entry.Proof is not null)
            {
                outbox.Persist(new Record.Prepared(entry.Proof));
            }

            if (entry.IsDecided && slot <= _executed)
            {
                outbox.Persist(new Record.Executed(slot, entry.Decision));
            }
        }

        if (!_isActive)
        {
            outbox.Persist(new Record.Changing(_viewChanges[_self]));
        }
        else if (_newView is not null)
        {
            outbox.Persist(new Record.Entered(_newView));
        }

        foreach (var (slot, entry) in _entries)
        {
            if (entry.Proposal is { } proposal)
            {
                outbox.Persist(new Record.PrePrepared(_view, slot, proposal.Digest, proposal.Authenticator));
            }
        }
    }

    /// <summary>Executes again, from the last state that was saved, what was executed before. Who lost a reply asks for it.</summary>
    private void Redo()
    {
        var saved = _saved.Keys.LastOrDefault();
        if (saved > Slot.None)
        {
            LoadState(_saved[saved].State);
            _executed = saved;
        }

        while (_entries.TryGetValue(_executed.Next, out var entry) && entry.IsDecided && BatchOf(entry.Decision) is { } batch)
        {
            _executed = _executed.Next;
            Execute(batch, tells: false);
            if (_executed.Value % _options.CheckpointPeriod == 0)
            {
                SaveCheckpoint();
            }
        }
    }

    private void Replay(Record record)
    {
        switch (record)
        {
            case Record.Known r:
                _batches[r.Batch.Digest] = r.Batch;
                break;
            case Record.PrePrepared r when r.Slot > Stable:
                Replay(r);
                break;
            case Record.Prepared { Proof: var proof } when proof.Slot > Stable:
                var entry = EntryOf(proof.Slot);
                entry.Proof = entry.Proof is null || entry.Proof.View < proof.View ? proof : entry.Proof;
                break;
            case Record.Executed r when r.Slot > Stable:
                (EntryOf(r.Slot).IsDecided, EntryOf(r.Slot).Decision) = (true, r.Digest);
                break;
            case Record.Changing { ViewChange: var change } when change.View > _view:
                (_view, _isActive, _newView) = (change.View, false, null);
                _viewChanges[_self] = change;
                foreach (var left in _entries.Values)
                {
                    left.LeaveView();
                }

                break;
            case Record.Entered { NewView: var begun } when begun.View > _view || (begun.View == _view && !_isActive):
                Begin(begun);
                break;
            case Record.Saved r when r.Slot >= Stable:
                _saved[r.Slot] = TreeOf(r.State);
                break;
            case Record.Stable r when r.Proof.Slot > Stable:
                _stable = r.Proof;
                Forget();
                break;
        }
    }

    private void Replay(Record.PrePrepared r)
    {
        if (r.View == _view && _isActive)
        {
            Place(new Proposal(r.Slot, r.Digest, r.Authenticator));
            return;
        }

        EntryOf(r.Slot).Accept(r.Digest, r.View, _options.MaxPrePrepared);
    }

    private static CheckpointProof Later(CheckpointProof known, Message.NewView begun)
    {
        var told = begun.ViewChanges.MaxBy(change => change.Stable.Slot)!.Stable;
        return told.Slot > known.Slot ? told : known;
    }

    /// <summary>This replica's own votes follow from what it accepted and what prepared; it counts them again and waits for its requests.</summary>
    private void RecoverVotes()
    {
        foreach (var (slot, entry) in _entries)
        {
            if (entry.Proposal is not { } proposal)
            {
                continue;
            }

            entry.IsPrepared = entry.Proof?.View == _view;
            if (entry.IsPrepared)
            {
                entry.Commits.Add(_self, new(proposal.Digest, Authenticate(Phase.Commit, _view, slot, proposal.Digest)));
            }
            else if (Primary != _self)
            {
                entry.Prepares.Add(_self, new(proposal.Digest, Authenticate(Phase.Prepare, _view, slot, proposal.Digest)));
            }

            foreach (var request in BatchOf(proposal.Digest)?.Requests ?? [])
            {
                Wait(request);
            }
        }

        foreach (var (slot, tree) in _saved.Where(pair => pair.Key > Stable).ToList())
        {
            CountCheckpoint(_self, slot, new(tree.Root, new Authenticator.Signed(_signer.Sign(_statements.Checkpoint(slot, tree.Root)))));
        }
    }
}
