using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Makes both ends of <paramref name="source"/>'s intervals non-decreasing. Raising an end is sound, since true time does not
/// run backwards; no end is ever lowered (time.md §2).
/// </summary>
/// <remarks>
/// An interval that lies wholly before one that was trusted earlier contradicts it: one of the two was wrong, so the clock is
/// unknown until it has caught up.
/// </remarks>
public sealed class ClampedClock(IClock source) : IClock
{
    private readonly Lock _lock = new();
    private Timestamp _earliest = new(long.MinValue);
    private Timestamp _latest = new(long.MinValue);

    public string Source => source.Source;

    public TimeInterval Now()
    {
        lock (_lock)
        {
            var interval = source.Now();
            if (!interval.IsTrusted)
            {
                return interval;
            }

            if (interval.Latest < _earliest)
            {
                return interval with { Status = ClockStatus.Unknown };
            }

            _earliest = Timestamp.Max(_earliest, interval.Earliest);
            _latest = Timestamp.Max(_latest, interval.Latest);
            return new TimeInterval(_earliest, _latest, interval.Status);
        }
    }
}
