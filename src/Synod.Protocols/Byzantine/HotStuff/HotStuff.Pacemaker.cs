using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>View synchronisation (hotstuff.md §6): views are entered by certificates, and left by their closing or by time-outs.</summary>
public sealed partial class HotStuff
{
    /// <summary>
    /// A replica for which nothing is left to do lets no view time out. What waits anywhere is known to f + 1 correct replicas at
    /// least, since clients turn to all, and these make the others give up with them.
    /// </summary>
    private bool IsBusy =>
        _mempool.Count > 0 || _missing != Digest.None || _download is not null || _timedOut >= _view || _options.ProposesWhenIdle;

    /// <summary>The view that certificates let one enter. A certificate of an early phase shows that its own view was entered by many.</summary>
    private long ViewAfter(Certificates shown)
    {
        var closing = _rules.Phases == 1 ? shown.High : shown.Decision;
        return Math.Max(Math.Max(closing.View, shown.Timeout.View) + 1, shown.High.View);
    }

    /// <summary>Enters the view that this replica's certificates allow, if it is above the current one.</summary>
    private void Advance(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var entered = ViewAfter(new(_high, _decision, _timeout));
        if (entered <= _view)
        {
            return;
        }

        _view = entered;
        _isAfterTimeout = Closing.View + 1 < entered && _timeout.View + 1 == entered;
        _failures = _isAfterTimeout ? _failures + 1 : 0;
        _attempts = 0;
        _isDelayOver = false;
        _reports = NodeSet.Empty;
        _late = NodeSet.Of([.. _shares.Keys]);
        _shares.Clear();
        foreach (var votes in _votes)
        {
            foreach (var stale in votes.Where(item => item.Value.View < _view).Select(item => item.Key).ToList())
            {
                votes.Remove(stale);
            }
        }

        if (_isArmed)
        {
            outbox.SetTimer(new TimerId((int)Timer.View), context.Now + ViewTimeout);
        }

        if (_view - _since >= _options.MaxFetched)
        {
            KeepPace(outbox);
        }

        Open(context, outbox);
    }

    private void Open(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var opening = _rules.Opening(_isAfterTimeout);
        if (opening != Opening.AtOnce)
        {
            outbox.Send(Leader, new Message.NewView(_view, Shown));
        }

        if (opening == Opening.AfterDelay && Leader == _self)
        {
            outbox.SetTimer(new TimerId((int)Timer.Open, _view), context.Now + _options.ReportDelay);
        }

        TryPropose(outbox);
    }

    private Duration ViewTimeout
    {
        get
        {
            var wait = _options.ViewTimeout;
            for (var failure = 0; failure < _failures && wait < _options.LongestTimeout; failure++)
            {
                wait = wait * 3 / 2;
            }

            return wait < _options.LongestTimeout ? wait : _options.LongestTimeout;
        }
    }

    private void Rearm(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (IsBusy == _isArmed)
        {
            return;
        }

        _isArmed = IsBusy;
        if (_isArmed)
        {
            outbox.SetTimer(new TimerId((int)Timer.View), context.Now + ViewTimeout);
        }
        else
        {
            outbox.CancelTimer(new TimerId((int)Timer.View));
        }
    }

    /// <summary>
    /// Votes no more in this view and says so, and says it again. The word is bound to the highest certificate, so that whoever makes a
    /// time-out certificate of it cannot hide how far this replica had come.
    /// </summary>
    private void GiveUp(Outbox<Message, Record, Command, Result> outbox)
    {
        _attempts++;
        if (_timedOut < _view)
        {
            _timedOut = _view;
            outbox.Persist(new Record.TimedOut(_view));
        }

        outbox.Send(ToldOfTimeout(), new Message.Timeout(_view, Shown, _signer.Sign(TimeoutStatement(_view, _high.View))));
    }

    private ReadOnlySpan<byte> TimeoutStatement(long view, long highView) =>
        _statements.Timeout(view, _options.Has(HotStuffMutation.TimeoutNotBound) ? 0 : highView);

    private NodeSet ToldOfTimeout()
    {
        if (_options.Spread == TimeoutSpread.Everyone || _attempts > _options.Faults + 1)
        {
            return _options.Members;
        }

        var told = NodeSet.Empty;
        for (var attempt = 1; attempt <= _attempts; attempt++)
        {
            told = told.With(_options.Leaders.LeaderOf(_view + attempt));
        }

        return told;
    }

    private void On(NodeId from, Message.Timeout timeout, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var share = new TimeoutShare(from, timeout.Certificates.High.View, timeout.Signature);
        if (!Verify(timeout.View, share))
        {
            outbox.Refuse(Refusal.Forged);
            return;
        }

        if (!Hear(from, timeout.Certificates, context, outbox))
        {
            return;
        }

        if (timeout.View < _view)
        {
            outbox.Refuse(Refusal.StaleBallot);
            Help(from, timeout.View, outbox);
            return;
        }

        if (timeout.View > _view)
        {
            outbox.Refuse(Refusal.Unexpected);
            return;
        }

        if (!_shares.TryAdd(from, share))
        {
            outbox.Refuse(Refusal.Duplicate);
            return;
        }

        Count(context, outbox);
    }

    /// <summary>
    /// Tells a laggard how far the group is. Who gave the last view up like everyone else, only later than n - f others, lags behind
    /// if it says so again; otherwise a failed view would cost an answer for each late word.
    /// </summary>
    private void Help(NodeId from, long view, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_isAfterTimeout && view == _view - 1 && !_late.Contains(from))
        {
            _late = _late.With(from);
            return;
        }

        outbox.Send(NodeSet.Of(from).Without(_self), new Message.Sync(Shown));
    }

    /// <summary>f + 1 make one join, for one of them is correct; n - f end the view.</summary>
    private void Count(StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (_shares.Count > _options.Faults && _timedOut < _view && !_options.Has(HotStuffMutation.NoJoining))
        {
            GiveUp(outbox);
        }

        if (_shares.Count < _options.Quorum)
        {
            return;
        }

        Enter(new TimeoutCertificate(_view, [.. _shares.Values]), outbox);
        Advance(context, outbox);
        if (_options.Spread == TimeoutSpread.Everyone)
        {
            outbox.Send(NodeSet.Of(Leader).Without(_self), new Message.Sync(Shown));
        }
        else if (_proposed < _view)
        {
            outbox.Send(_options.Members.Without(_self), new Message.Sync(Shown));
        }
    }

    private void On(NodeId from, Message.Sync sync, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        var shown = sync.Certificates;
        if (ViewAfter(shown) <= _view && shown.High.View <= _high.View && shown.Decision.View <= _decision.View)
        {
            outbox.Refuse(Refusal.StaleBallot);
            return;
        }

        Hear(from, shown, context, outbox);
    }

    /// <summary>Checks and takes in what a peer shows; false if a part of it proves nothing.</summary>
    private bool Hear(NodeId from, Certificates shown, StepContext context, Outbox<Message, Record, Command, Result> outbox)
    {
        if (!Verify(shown))
        {
            outbox.Refuse(Refusal.Forged);
            return false;
        }

        Learn(shown, context, outbox);
        FetchMissing(from, outbox);
        return true;
    }
}
