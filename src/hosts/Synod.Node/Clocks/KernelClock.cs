using Synod.Core;

namespace Synod.Node;

/// <summary>
/// The system clock with the kernel's error bound (time.md §6): <c>adjtimex</c>'s maximum error, written by chronyd, ntpd or a
/// PTP daemon. Read about once a second and grown at <see cref="DriftPerMillion"/> in between. Unsynchronised means unknown.
/// </summary>
public sealed class KernelClock(ISystemTime? time = null) : IClock
{
    /// <summary>The rate at which the kernel itself lets its bound grow, in parts per million.</summary>
    public const long DriftPerMillion = 500;

    private static readonly Duration RefreshAfter = Duration.FromSeconds(1);

    // The kernel updates its bound once a second, so what we read may lack up to a second of growth.
    private static readonly Duration Staleness = Duration.FromSeconds(1);

    private static readonly Duration StepTolerance = Duration.FromMilliseconds(1);

    private readonly ISystemTime _time = time ?? SystemTime.Instance;
    private readonly Lock _lock = new();
    private KernelError _error;
    private long _readAt = long.MinValue;
    private long _realtimeThen;

    public string Source => "kernel (adjtimex)";

    public TimeInterval Now()
    {
        lock (_lock)
        {
            var before = _time.Boottime();
            var real = _time.Realtime();
            var after = _time.Boottime();
            if (_readAt == long.MinValue || IsDue(after, real))
            {
                _error = _time.Error();
                _readAt = after;
                _realtimeThen = real;
            }

            var age = new Duration(after - _readAt) + Staleness;
            var half = _error.MaxError + _error.Slewing + Grown(age) + new Duration(after - before);
            var now = new Timestamp(real);
            return new TimeInterval(now - half, now + half, _error.Synchronized ? ClockStatus.Synchronized : ClockStatus.Unknown);
        }
    }

    /// <summary>How much a bound grows in <paramref name="age"/>.</summary>
    internal static Duration Grown(Duration age) => age * DriftPerMillion / 1_000_000;

    private bool IsDue(long boottime, long realtime)
    {
        var elapsed = new Duration(boottime - _readAt);
        if (elapsed >= RefreshAfter)
        {
            return true;
        }

        // Someone set the clock: the kernel then gives up its bound, and we must not go on with the old one for a second.
        var stepped = new Duration(Math.Abs(realtime - _realtimeThen - elapsed.Nanoseconds));
        return stepped > StepTolerance + Grown(elapsed);
    }
}
