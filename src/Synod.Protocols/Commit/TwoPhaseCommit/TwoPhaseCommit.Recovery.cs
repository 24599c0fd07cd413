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
            case Record.Prepared prepared:
                Ledger.Redo(prepared.Promise);
                break;
            case Record.CommittedAlone alone:
                Ledger.Redo(alone.Promise);
                Ledger.Commit(alone.Promise.Transaction, outbox);
                break;
            case Record.Committed committed:
                Ledger.Redo(committed.Transaction, true, outbox);
                break;
            case Record.Aborted aborted:
                Ledger.Redo(aborted.Transaction, false, outbox);
                break;
            case Record.Decided decided:
                _led.Add(decided.Transaction, new Led { Participants = decided.Voters, Yes = decided.Voters, IsCommitted = true });
                break;
            case Record.Ended ended:
                _led.Remove(ended.Transaction);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(record), record, "Not a record of this protocol.");
        }
    }
}
