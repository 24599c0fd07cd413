using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    /// <summary>
    /// Both roles come back from one log. Promises lock their keys before anything else is served, and ask at once how they
    /// ended; commits without an end are told again; whatever else this node led is aborted by being unknown.
    /// </summary>
    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var record in records)
        {
            Redo(record, outbox);
        }

        foreach (var (id, promise) in _prepared)
        {
            if (_mutation != TwoPhaseCommitMutation.RecoverWithoutLocks)
            {
                Lock(promise);
            }

            outbox.SetTimer(ToTimer(Timer.Inquire, id), context.Now);
        }

        foreach (var (id, led) in _led)
        {
            SendCommit(id, led, outbox);
            outbox.SetTimer(ToTimer(Timer.Resend, id), context.Now + _options.Resend);
        }
    }

    private void Redo(Record record, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (record)
        {
            case Record.Booted booted:
                _epoch = Math.Max(_epoch, booted.Epoch);
                break;
            case Record.Prepared prepared:
                _prepared.Add(prepared.Transaction, prepared);
                break;
            case Record.Committed committed:
                Apply(committed.Transaction, outbox);
                break;
            case Record.Aborted aborted:
                _prepared.Remove(aborted.Transaction);
                _ended.Add(aborted.Transaction, false);
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
