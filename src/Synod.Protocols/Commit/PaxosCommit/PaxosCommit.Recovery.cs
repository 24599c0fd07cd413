using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class PaxosCommit
{
    /// <summary>
    /// Managers lock what they promised before anything else is served, and ask how it ended; acceptors know what they promised and
    /// accepted; leaders know nothing, and need not.
    /// </summary>
    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        (_context, _out) = (context, outbox);
        foreach (var record in records)
        {
            Redo(record);
        }

        if (_mutation != PaxosCommitMutation.RecoverWithoutLocks)
        {
            Ledger.Restore();
        }

        foreach (var id in Ledger.InDoubt)
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
                Ledger.Redo([prepared.Settled]);
                Ledger.Redo(prepared.Promise);
                _attempts.Add(
                    prepared.Promise.Transaction, new Attempt { Members = prepared.Promise.Members, Settled = prepared.Settled });
                break;
            case Record.Accepted accepted when _mutation == PaxosCommitMutation.ForgetAcceptances:
                _ = accepted;
                break;
            case Record.Accepted accepted:
                _acceptances[accepted.Transaction] = new Acceptance
                {
                    Members = accepted.Members,
                    Promised = accepted.Promised,
                    Voted = accepted.Voted,
                    Prepared = accepted.Yes,
                };
                break;
            case Record.Ended ended:
                Ledger.Redo(ended.Transaction, ended.Commit, _out);
                _attempts.Remove(ended.Transaction);
                break;
            case Record.Flushed flushed:
                Ledger.RedoApplied(flushed.Applied);
                break;
            case Record.Past past:
                Ledger.Redo(past.Marks);
                foreach (var settlement in past.Managers)
                {
                    Settle(settlement);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(record), record, "Not a record of this protocol.");
        }
    }

    public override void BeginCheckpoint() => Ledger.BeginCheckpoint();

    /// <summary>
    /// What a restart still needs: open promises; endings that somebody may ask for; acceptances that are not over for all managers, since the
    /// decision is nowhere but in the acceptors; and what is over. The writes go as soon as the store has them.
    /// </summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, CommitCommand, CommitResult> outbox)
    {
        (_context, _out) = (context, outbox);
        Ledger.Checkpoint(
            applied => new Record.Flushed(applied),
            promise => new Record.Prepared(promise, promise.Transaction with { Epoch = 0, Counter = 0 }),
            (id, committed) => (Record)new Record.Ended(id, committed),
            outbox);
        outbox.Persist(new Record.Booted(_names.Epoch));
        if (_mutation == PaxosCommitMutation.CheckpointWithoutAcceptances)
        {
            return;
        }

        // Votes of ballot 0 that are not all here were accepted for nobody.
        foreach (var (id, acceptance) in _acceptances.Where(pair => pair.Value.Promised != Ballot.None || pair.Value.Prepared == pair.Value.Members))
        {
            Persist(id, acceptance);
        }

        // Last, so that what is redone above is not taken for over.
        outbox.Persist(new Record.Past([.. Ledger.Marks], _settled.All));
    }
}
