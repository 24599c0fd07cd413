using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// A restart takes in what was durable in the order in which it became so: the last state that was proven, and the chain above it, whose
/// commands are executed again. A cut log says the same in fewer records.
/// </summary>
public sealed partial class HotStuff
{
    /// <summary>Within the step of a restart: what was due then is not due again.</summary>
    private bool _isRecovering;

    protected override void OnRecover(
        IEnumerable<Record> records, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        _isRecovering = true;
        foreach (var record in records)
        {
            Recover(record, outbox);
        }

        _isRecovering = false;
        Forget();

        // Those who were away may still lack this word.
        foreach (var saved in _saved.Values.Where(saved => saved.Checkpoint.Height > _stable.Height).ToList())
        {
            Tell(saved.Checkpoint, outbox);
        }

        Advance(context, outbox);
        FetchMissing(_self, outbox);
        Rearm(context, outbox);
    }

    /// <summary>Known mistakes: what a restart loses.</summary>
    private void Forget()
    {
        if (_options.Has(HotStuffMutation.CertificatesForgotten))
        {
            (_high, _locked) = (Genesis.Certificate, Genesis.Certificate);
        }

        _votedView = _options.Has(HotStuffMutation.VoteForgotten) ? 0 : _votedView;
        _timedOut = _options.Has(HotStuffMutation.TimeoutForgotten) ? 0 : _timedOut;
        _proposed = _options.Has(HotStuffMutation.ProposalForgotten) ? 0 : _proposed;
    }

    private void Recover(Record record, Outbox<Message, Record, Command, Result> outbox)
    {
        switch (record)
        {
            case Record.Stored { Block: var block } when !_tree.Contains(block.Digest):
                Take(block, outbox);
                break;
            case Record.Learned learned:
                Note(learned.Certificate);
                Commit(learned.Certificate, outbox);
                break;
            case Record.Voted voted:
                (_votedView, _votedPhase) = (voted.View, voted.Phase);
                break;
            case Record.TimedOut timedOut:
                _timedOut = timedOut.View;
                break;
            case Record.Entered entered:
                _timeout = entered.Timeout;
                break;
            case Record.Saved saved:
                Recover(saved.Checkpoint, outbox);
                Keep(saved.Checkpoint, TreeOf(saved.State));
                break;
            case Record.Stable stable:
                Stabilise(stable.Proven);
                break;
            case Record.Based { Proven: var stable } based when stable.Height > _stable.Height:
                if (stable.Height > _tree.Height)
                {
                    Load(stable.Checkpoint, based.State, outbox);
                }

                Keep(stable.Checkpoint, TreeOf(based.State));
                Stabilise(stable);
                break;
            case Record.Stands stands:
                Recover(stands, outbox);
                break;
        }
    }

    /// <summary>What a checkpoint shows to have been executed here, whatever it was that had shown it to be committed.</summary>
    private void Recover(ChainCheckpoint checkpoint, Outbox<Message, Record, Command, Result> outbox)
    {
        if (checkpoint.Height > _tree.Height)
        {
            Commit(_tree.Find(checkpoint.Block)!, outbox);
        }
    }

    /// <summary>Nothing goes back: these are also replayed after the records that they stand for, if a crash came before those were dropped.</summary>
    private void Recover(Record.Stands stands, Outbox<Message, Record, Command, Result> outbox)
    {
        if ((stands.VotedView, stands.VotedPhase).CompareTo((_votedView, _votedPhase)) > 0)
        {
            (_votedView, _votedPhase) = (stands.VotedView, stands.VotedPhase);
        }

        _timedOut = Math.Max(_timedOut, stands.TimedOutView);
        _proposed = Math.Max(_proposed, stands.ProposedView);
        _timeout = stands.Certificates.Timeout.View > _timeout.View ? stands.Certificates.Timeout : _timeout;
        Note(stands.Certificates.High);
        Note(stands.Certificates.Decision);
        _locked = stands.Locked.View > _locked.View ? stands.Locked : _locked;
        if (_tree.Find(stands.Committed) is { } tip && tip.View > _tree.Committed.View)
        {
            Commit(tip, outbox);
        }
    }

    /// <summary>
    /// Writes anew what older records are needed for: the proven state, the chain above it, and what this replica stands by. States that
    /// are not proven yet come last, since they are of blocks that are committed by then.
    /// </summary>
    public override void Checkpoint(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_stable.Height > 0)
        {
            outbox.Persist(new Record.Based(_stable, _saved[_stable.Height].Tree.State));
        }

        foreach (var block in _tree.AboveRoot())
        {
            outbox.Persist(new Record.Stored(block));
        }

        var forgets = _options.Has(HotStuffMutation.CutForgetsWords);
        outbox.Persist(new Record.Stands(
            _votedPhase,
            forgets ? 0 : _votedView,
            forgets ? 0 : _timedOut,
            _proposed,
            new Certificates(_high, _decision, _timeout),
            _locked,
            _tree.Committed.Digest));
        foreach (var saved in _saved.Values.Where(saved => saved.Checkpoint.Height > _stable.Height))
        {
            outbox.Persist(new Record.Saved(saved.Checkpoint, saved.Tree.State));
        }
    }
}
