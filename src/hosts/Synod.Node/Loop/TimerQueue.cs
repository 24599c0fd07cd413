using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Armed timers, earliest first. Moving a timer later, which heartbeats do all the time, only changes its entry: the old place in
/// the heap is noticed when it comes up. So a timer has one place unless it was moved earlier.
/// </summary>
internal sealed class TimerQueue
{
    private readonly PriorityQueue<TimerId, (long Due, long Order)> _heap = new();
    private readonly Dictionary<TimerId, Entry> _timers = [];
    private long _order;

    /// <summary>Armed timers.</summary>
    public int Count { get; private set; }

    public void Apply(TimerChange change)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_timers, change.Timer, out var known);
        Count += (change.Set ? 1 : 0) - (known && entry.Armed ? 1 : 0);
        if (!change.Set)
        {
            entry.Armed = false;
            if (!known)
            {
                _ = _timers.Remove(change.Timer);
            }

            return;
        }

        entry.Armed = true;
        entry.Due = change.Due.Nanoseconds;
        if (!known || entry.Place > entry.Due)
        {
            entry.Place = entry.Due;
            _heap.Enqueue(change.Timer, (entry.Due, _order++));
        }
    }

    /// <summary>Disarms and returns the earliest timer that is due; of equals, the one that was set first.</summary>
    public bool TryTake(Instant now, out TimerId timer)
    {
        while (TrySettle(out timer, out var due) && due <= now.Nanoseconds)
        {
            _ = _heap.Dequeue();
            _ = _timers.Remove(timer);
            Count--;
            return true;
        }

        return false;
    }

    /// <summary>When the next timer is due; null if none is armed.</summary>
    public Instant? NextDue => TrySettle(out _, out var due) ? new Instant(due) : null;

    // Brings an armed timer in its right place to the top.
    private bool TrySettle(out TimerId timer, out long due)
    {
        while (_heap.TryPeek(out timer, out var priority))
        {
            due = priority.Due;
            ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(_timers, timer);
            if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry) || entry.Place != priority.Due)
            {
                _ = _heap.Dequeue();
            }
            else if (!entry.Armed)
            {
                _ = _heap.Dequeue();
                _ = _timers.Remove(timer);
            }
            else if (entry.Due != priority.Due)
            {
                entry.Place = entry.Due;
                _ = _heap.DequeueEnqueue(timer, (entry.Due, _order++));
            }
            else
            {
                return true;
            }
        }

        due = 0;
        return false;
    }

    private struct Entry
    {
        public long Due;

        /// <summary>The due time under which the heap holds it; another one there is a leftover.</summary>
        public long Place;

        public bool Armed;
    }
}
