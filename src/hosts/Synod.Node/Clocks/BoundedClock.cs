using Synod.Core;

namespace Synod.Node;

/// <summary>
/// The system clock with a bound that the operator vouches for. Safety then rests on that assumption, so it is printed and
/// exported. Zero is the true bound between nodes that share one machine's clock, and says so.
/// </summary>
/// <param name="maxOffset">How far this machine's clock may be from true time, either way.</param>
public sealed class BoundedClock(Duration maxOffset, ISystemTime? time = null) : IClock
{
    private readonly ISystemTime _time = time ?? SystemTime.Instance;
    private readonly Duration _offset = maxOffset >= Duration.Zero
        ? maxOffset
        : throw new ArgumentOutOfRangeException(nameof(maxOffset), "A bound is not negative.");

    public string Source => _offset == Duration.Zero
        ? "one machine's clock, shared by all nodes: bound 0"
        : $"configured bound of {_offset}, an assumption";

    public TimeInterval Now()
    {
        var before = _time.Boottime();
        var real = _time.Realtime();
        var half = _offset + new Duration(_time.Boottime() - before);
        var now = new Timestamp(real);

        // With bound 0 the shared clock IS true time, and it was read at an instant inside the call: no width at all.
        return _offset == Duration.Zero
            ? new TimeInterval(now, now, ClockStatus.Synchronized)
            : new TimeInterval(now - half, now + half, ClockStatus.Synchronized);
    }
}
