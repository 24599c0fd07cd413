using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class ThreePhaseCommit
{
    /// <summary>
    /// Promises lock their keys before anything else is served, and ask how they ended: neither W nor P allows a guess after a
    /// crash, since the others may have ended without this node.
    /// </summary>
    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        (_context, _out) = (context, outbox);
        foreach (var record in records)
        {
            Redo(record);
        }

        if (_mutation != ThreePhaseCommitMutation.RecoverWithoutLocks)
        {
            Ledger.Restore();
        }

        foreach (var id in _stands.Keys)
        {
            outbox.SetTimer(ToTimer(Timer.Inquire, id), context.Now);
        }
    }

    private void Redo(Record record)
    {
        switch (record)
        {
            case Record.Booted booted:
                _names.Redo(booted.Epoch);
                break;
            case Record.Prepared prepared when Ledger.Knows(prepared.Promise.Transaction):
                // The first records of a checkpoint may come after the older ones that they repeat.
                break;
            case Record.Prepared prepared:
                Redo(prepared.Settled);
                Ledger.Redo(prepared.Promise);
                _stands.Add(
                    prepared.Promise.Transaction,
                    new Stand { IsRecovering = _mutation != ThreePhaseCommitMutation.RecoveredTakesPart });
                break;
            case Record.PreCommitted preCommitted:
                _stands[preCommitted.Transaction].IsPreCommitted = true;
                break;
            case Record.Ended ended:
                Ledger.Redo(ended.Transaction, ended.Commit, _out);
                _stands.Remove(ended.Transaction);
                if (!ended.Writers.IsEmpty)
                {
                    _writers[ended.Transaction] = ended.Writers;
                }

                break;
            case Record.Decided decided:
                _decisions[decided.Transaction] = true;
                _writers[decided.Transaction] = decided.Writers;
                break;
            case Record.Past past:
                foreach (var mark in past.Marks)
                {
                    Redo(mark);
                }

                break;
            case Record.Flushed flushed:
                Ledger.RedoApplied(flushed.Applied);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(record), record, "Not a record of this protocol.");
        }
    }

    /// <summary>Endings before a mark stay: other writers may still ask for them.</summary>
    private void Redo(TransactionId mark) => _settled.Note(new Settlement(_self, Ledger.Bar(mark)));

    public override void BeginCheckpoint() => Ledger.BeginCheckpoint();

    /// <summary>
    /// What a restart still needs: ids in use, open promises and their phase, endings and decisions that a writer may ask for, and the marks
    /// that stand for what is forgotten. The writes go as soon as the store has them.
    /// </summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        Ledger.Checkpoint(
            applied => new Record.Flushed(applied),
            promise => new Record.Prepared(promise, promise.Transaction with { Epoch = 0, Counter = 0 }),
            (id, committed) => _mutation == ThreePhaseCommitMutation.CheckpointWithoutEndings
                ? new Record.Booted(_names.Epoch)
                : (Record)new Record.Ended(id, committed, _writers.GetValueOrDefault(id)),
            outbox);
        outbox.Persist(new Record.Booted(_names.Epoch));
        foreach (var (id, _) in _stands.Where(pair => pair.Value.IsPreCommitted))
        {
            outbox.Persist(new Record.PreCommitted(id));
        }

        foreach (var (id, _) in _decisions.Where(pair => pair.Value))
        {
            outbox.Persist(new Record.Decided(id, _writers[id]));
        }

        // Last, so that what is redone above is not taken for forgotten.
        if (_mutation != ThreePhaseCommitMutation.CheckpointWithoutMarks)
        {
            outbox.Persist(new Record.Past([.. Ledger.Marks]));
        }
    }

    /// <summary>
    /// Total failure: when every process of the transaction is back and none has decided, what they stand at cannot change any
    /// more, and everyone sees the same. Until then the first ones back wait, since one that is missing may have decided.
    /// </summary>
    private void NoteBack(NodeId node, Standing standing, TransactionId id)
    {
        if (!_stands.TryGetValue(id, out var stand) || !stand.IsRecovering)
        {
            return;
        }

        stand.Back = stand.Back.With(node);
        stand.BackInP = standing == Standing.PreCommittedSinceCrash ? stand.BackInP.With(node) : stand.BackInP;
        var everyone = PromiseOf(id).Members.With(id.Coordinator);
        if (everyone == stand.Back.With(_self) || _mutation == ThreePhaseCommitMutation.FirstBackDecides)
        {
            End(id, stand.IsPreCommitted || !stand.BackInP.IsEmpty);
        }
    }
}
