using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Trusts <paramref name="source"/> only while its bound (half the width) is at most <paramref name="maxBound"/>: beyond it a
/// node assigns no timestamp, holds no lease and ends no commit wait (time.md §2).
/// </summary>
public sealed class LimitedClock(IClock source, Duration maxBound) : IClock
{
    public string Source => $"{source.Source}, at most {maxBound}";

    public TimeInterval Now()
    {
        var interval = source.Now();
        return interval.IsTrusted && interval.Latest - interval.Earliest > maxBound * 2
            ? interval with { Status = ClockStatus.Unknown }
            : interval;
    }
}
