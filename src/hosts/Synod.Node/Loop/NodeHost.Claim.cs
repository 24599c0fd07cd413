using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Whose thread steps. The loop's own, as long as it is awake. While it sleeps, a thread of the node that brings something to do (a peer's
/// frame, clients' requests, records that are durable) runs the turn itself: waking another thread for it takes longer than the turn. One thread at a time
/// holds the claim, and all that turns touch is under it.
/// </summary>
public sealed partial class NodeHost<TMessage, TRecord, TCommand, TResult>
{
    private const int Free = 0;
    private const int Lent = 1;
    private const int Owned = 2;

    // A borrower has work of its own: beyond this the loop's thread goes on.
    private const int MostLentTurns = 4;

    // While turns are lent they set timers all the time, most of which are moved before they are due. A loop that looks by itself so often
    // need not be woken for each.
    private static readonly Duration LentNap = Duration.FromMilliseconds(2);

    // The loop's thread lets go of it for the first time when it has recovered, and not any more when it ends.
    private int _claim = Owned;
    private Instant _wakes;
    private bool _wasLent;
    private volatile bool _isAwaited;

    /// <summary>There is something new: done here and now if the loop sleeps.</summary>
    private void StepOrRing()
    {
        for (var turns = 0; ;)
        {
            var holder = Interlocked.CompareExchange(ref _claim, Lent, Free);
            if (holder == Owned)
            {
                _bell.Ring();
            }

            if (holder != Free)
            {
                return;
            }

            var seen = _logThread.Changes;
            var isDone = RunLentTurns(ref turns);
            _ = Interlocked.Exchange(ref _claim, Free);
            if (!isDone || _isAwaited)
            {
                _bell.Ring();
                return;
            }

            // Whoever came meanwhile left it to us.
            if (!_inbox.HasInputs && _logThread.Changes == seen)
            {
                return;
            }
        }
    }

    /// <summary>There is something new, from a thread that has no time for a turn. A borrower looks again before it leaves.</summary>
    private void Ring()
    {
        if (Interlocked.CompareExchange(ref _claim, Lent, Lent) != Lent)
        {
            _bell.Ring();
        }
    }

    /// <summary>False if something is left for the loop's own thread.</summary>
    private bool RunLentTurns(ref int turns)
    {
        _wasLent = true;
        try
        {
            do
            {
                Turn();
                turns++;
            }
            while (HasMore && turns < MostLentTurns);

            return !HasMore && turns < MostLentTurns && !_stopRequested && !_hearsFirst && !IsBlocked
                && (_timers.NextDue is not { } due || due >= _wakes);
        }
        catch (Exception cause)
        {
            // Before the claim is free again: from now on a turn only throws.
            Fail(cause);
            return false;
        }
    }

    /// <summary>Sleeps, and lends the claim meanwhile.</summary>
    private void Rest(Duration sleep)
    {
        sleep = _wasLent && sleep > LentNap ? LentNap : sleep;
        _wasLent = false;
        _wakes = SystemTime.Now + sleep;
        _ = Interlocked.Exchange(ref _claim, Free);
        _bell.Wait(sleep);
        _isAwaited = true;
        while (Interlocked.CompareExchange(ref _claim, Owned, Free) != Free)
        {
            _bell.Wait(LongestSleep);
        }

        _isAwaited = false;
    }
}
