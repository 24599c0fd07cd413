using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    /// <summary>
    /// Both roles come back from one log. Promises lock their keys before anything else is served, and ask at once how they
    /// ended; commits without an end are told again; whatever else this node led is aborted by being unknown.
    /// </summary>
    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        foreach (var record in records)
        {
            Redo(record, outbox);
        }

        if (_mutation != TwoPhaseCommitMutation.RecoverWithoutLocks)
        {
            Ledger.Restore();
        }

        foreach (var id in Ledger.InDoubt)
        {
            outbox.SetTimer(ToTimer(Timer.Inquire, id), context.Now);
        }

        foreach (var (id, led) in _led)
        {
            SendCommit(id, led, outbox);
            outbox.SetTimer(ToTimer(Timer.Resend, id), context.Now + _options.Resend);
        }
    }

    private void Redo(Record record, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        switch (record)
        {
            case Record.Booted booted:
                _names.Redo(booted.Epoch);
                break;
            case Record.Prepared prepared when !Ledger.Knows(prepared.Promise.Transaction):
                Ledger.Redo(prepared.Promise);
                break;
            case Record.CommittedAlone alone when !Ledger.Knows(alone.Promise.Transaction):
                Ledger.Redo(alone.Promise);
                Ledger.Commit(alone.Promise.Transaction, outbox);
                break;
            case Record.Committed committed:
                Ledger.Redo(committed.Transaction, true, outbox);
                break;
            case Record.Aborted aborted:
                Ledger.Redo(aborted.Transaction, false, outbox);
                break;
            case Record.Prepared or Record.CommittedAlone:
                // The first records of a checkpoint may come after the older ones that they repeat.
                break;
            case Record.Decided decided:
                _led[decided.Transaction] = new Led
                {
                    Participants = decided.Voters,
                    Writers = decided.Voters,
                    Yes = decided.Voters,
                    IsCommitted = true,
                };
                break;
            case Record.Flushed flushed:
                Ledger.RedoApplied(flushed.Applied);
                break;
            case Record.Past past:
                Ledger.Redo(past.Marks);

                break;
            case Record.Ended ended:
                _led.Remove(ended.Transaction);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(record), record, "Not a record of this protocol.");
        }
    }

    public override void BeginCheckpoint() => Ledger.BeginCheckpoint();

    /// <summary>
    /// What a restart still needs: ids in use, what is over, open promises, endings that somebody may ask for, commits that not everybody has
    /// acknowledged, and writes that the flush may have missed. Writes that are in the store are gone with their log.
    /// </summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        Ledger.Checkpoint(
            applied => new Record.Flushed(applied),
            promise => promise.Members.IsEmpty ? new Record.CommittedAlone(promise) : new Record.Prepared(promise),
            (id, committed) => committed ? new Record.Committed(id) : (Record)new Record.Aborted(id),
            outbox);
        outbox.Persist(new Record.Booted(_names.Epoch));
        foreach (var (id, led) in _led.Where(pair => pair.Value.IsCommitted))
        {
            outbox.Persist(new Record.Decided(id, led.Yes));
        }

        // Last, so that what is redone above is not taken for over.
        outbox.Persist(new Record.Past([.. Ledger.Marks]));
    }
}
