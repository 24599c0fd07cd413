using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>A restart takes in what was durable in the order in which it became so. The committed commands are handed up again.</summary>
public sealed partial class HotStuff
{
    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        foreach (var record in records)
        {
            Recover(record, outbox);
        }

        if (_options.Has(HotStuffMutation.CertificatesForgotten))
        {
            (_high, _locked) = (Genesis.Certificate, Genesis.Certificate);
        }

        Advance(context, outbox);
        FetchMissing(_self, outbox);
        Rearm(context, outbox);
    }

    private void Recover(Record record, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (record)
        {
            case Record.Stored stored:
                Take(stored.Block, outbox);
                _proposed = _options.Has(HotStuffMutation.ProposalForgotten) ? 0 : _proposed;
                break;
            case Record.Learned learned:
                Note(learned.Certificate);
                Commit(learned.Certificate, outbox);
                break;
            case Record.Voted voted when !_options.Has(HotStuffMutation.VoteForgotten):
                (_votedView, _votedPhase) = (voted.View, voted.Phase);
                break;
            case Record.TimedOut timedOut when !_options.Has(HotStuffMutation.TimeoutForgotten):
                _timedOut = timedOut.View;
                break;
            case Record.Entered entered:
                _timeout = entered.Timeout;
                break;
        }
    }
}
