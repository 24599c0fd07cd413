using Synod.Core;

namespace Synod.Simulation;

/// <summary>
/// A process's timers. A timer that is moved to later keeps its event and moves on when that happens, so that timers which are set
/// again and again do not fill the queue.
/// </summary>
internal sealed class NodeTimers(SimulatedWorld world, SimulatedClock clock, IEventTarget target, int kind, long boot)
{
    private readonly Dictionary<TimerId, Entry> _entries = [];
    private readonly List<Entry> _immediate = [];

    public void Change(in TimerChange change)
    {
        if (!change.Set)
        {
            if (_entries.TryGetValue(change.Timer, out var cancelled))
            {
                cancelled.IsSet = false;
                Forget(cancelled);
            }

            return;
        }

        if (!_entries.TryGetValue(change.Timer, out var entry))
        {
            _entries.Add(change.Timer, entry = new Entry(change.Timer));
        }

        entry.IsSet = true;
        entry.Due = change.Due;
        if (change.Due <= clock.Monotonic)
        {
            _immediate.Add(entry);
            return;
        }

        var at = clock.VirtualTimeOf(change.Due);
        if (!entry.HasEvent || entry.EventAt > at)
        {
            Arm(entry, at);
        }
    }

    /// <summary>A timer set with no delay, which fires in the same turn.</summary>
    public bool TryTakeImmediate(out TimerId timer)
    {
        for (var at = 0; at < _immediate.Count; at++)
        {
            var entry = _immediate[at];
            if (entry.IsSet && entry.Due <= clock.Monotonic)
            {
                _immediate.RemoveRange(0, at + 1);
                entry.IsSet = false;
                timer = entry.Timer;
                Forget(entry);
                return true;
            }
        }

        _immediate.Clear();
        timer = default;
        return false;
    }

    /// <summary>An event of a timer happened: whether the timer fires now.</summary>
    public bool TryTake(object payload, long order, out TimerId timer)
    {
        var entry = (Entry)payload;
        timer = entry.Timer;
        if (entry.EventNumber != order)
        {
            return false;
        }

        entry.HasEvent = false;
        if (!entry.IsSet)
        {
            Forget(entry);
            return false;
        }

        if (entry.Due > clock.Monotonic)
        {
            Arm(entry, clock.VirtualTimeOf(entry.Due));
            return false;
        }

        entry.IsSet = false;
        Forget(entry);
        return true;
    }

    /// <summary>Whether the event carries a timer of this boot.</summary>
    public bool Owns(object payload) => ((Entry)payload).Boot == boot;

    private void Forget(Entry entry)
    {
        if (!entry.HasEvent)
        {
            _entries.Remove(entry.Timer);
        }
    }

    private void Arm(Entry entry, long at)
    {
        entry.HasEvent = true;
        entry.EventAt = at;
        entry.Boot = boot;
        world.Schedule(at, target, kind, ++entry.EventNumber, entry);
    }

    private sealed class Entry(TimerId timer)
    {
        public TimerId Timer { get; } = timer;

        public bool IsSet { get; set; }

        public Instant Due { get; set; }

        public bool HasEvent { get; set; }

        public long EventAt { get; set; }

        public long EventNumber { get; set; }

        public long Boot { get; set; }
    }
}
