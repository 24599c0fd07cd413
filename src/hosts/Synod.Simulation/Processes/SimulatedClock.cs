using Synod.Core;

namespace Synod.Simulation;

/// <summary>How a node's clocks may err.</summary>
public sealed record ClockConditions
{
    /// <summary>The half width e of every interval; the offset stays inside it unless <see cref="Lies"/>.</summary>
    public Duration Bound { get; init; } = Duration.FromMilliseconds(2);

    /// <summary>How long an offset lasts on average before another is drawn.</summary>
    public Duration Steady { get; init; } = Duration.FromMilliseconds(400);

    /// <summary>How far the monotonic clock's rate may be from true, in parts per million.</summary>
    public int RatePerMillion { get; init; } = 100;

    /// <summary>The offset may exceed the bound up to tenfold: for tests which show that the checkers see it.</summary>
    public bool Lies { get; init; }
}

/// <summary>
/// A node's clocks: an interval clock whose true offset wanders inside its bound, extremes included (time.md §7), and a monotonic
/// clock with a rate of its own.
/// </summary>
public sealed class SimulatedClock
{
    private readonly SimulatedWorld _world;
    private readonly SeededRandom _random;
    private readonly long _origin;
    private readonly long _rate;
    private long _offset;
    private long _offsetUntil = -1;
    private Timestamp _earliest;
    private Timestamp _latest;

    public SimulatedClock(SimulatedWorld world, ClockConditions conditions)
    {
        _world = world;
        _random = world.Random.Fork();
        Conditions = conditions;
        _origin = _random.Below(1_000_000_000_000L);
        _rate = 1_000_000 + _random.Between(-conditions.RatePerMillion, conditions.RatePerMillion);
    }

    public ClockConditions Conditions { get; set; }

    /// <summary>Before this virtual time the source is silent and the status is unknown.</summary>
    public long UnknownUntil { get; set; }

    /// <summary>How often the clock was asked while its source was silent.</summary>
    public long SilentReads { get; private set; }

    /// <summary>The monotonic clock now.</summary>
    public Instant Monotonic => new(_origin + _world.Now / 1_000_000 * _rate + _world.Now % 1_000_000 * _rate / 1_000_000);

    /// <summary>The first virtual time at which the monotonic clock shows at least <paramref name="due"/>.</summary>
    public long VirtualTimeOf(Instant due)
    {
        var away = due - Monotonic;
        if (away.Nanoseconds <= 0)
        {
            return _world.Now;
        }

        // Rounded up by more than the rounding of Monotonic, so that a timer is never early.
        var whole = away.Nanoseconds / _rate * 1_000_000;
        return _world.Now + whole + away.Nanoseconds % _rate * 1_000_000 / _rate + 2;
    }

    /// <summary>The interval now.</summary>
    /// <exception cref="InvariantViolation">True time is outside although the clock does not lie.</exception>
    public TimeInterval Read()
    {
        if (_world.Now >= _offsetUntil)
        {
            Wander();
        }

        var bound = Conditions.Bound.Nanoseconds;
        var shown = _world.TrueTime.Nanoseconds + _offset;
        _earliest = Timestamp.Max(_earliest, new Timestamp(shown - bound));
        _latest = Timestamp.Max(_latest, new Timestamp(shown + bound));
        Invariant.Check(
            Conditions.Lies || (_earliest <= _world.TrueTime && _world.TrueTime <= _latest), "IntervalContainsTrueTime");
        if (_world.Now < UnknownUntil)
        {
            SilentReads++;
            return new TimeInterval(_earliest, _latest, ClockStatus.Unknown);
        }

        return new TimeInterval(_earliest, _latest, ClockStatus.Synchronized);
    }

    private void Wander()
    {
        var most = Conditions.Bound.Nanoseconds * (Conditions.Lies ? 10 : 1);
        _offset = _random.Below(4) switch
        {
            0 => most,
            1 => -most,
            _ => _random.Between(-most, most),
        };
        _offsetUntil = _world.Now + _random.Wait(Conditions.Steady).Nanoseconds;
    }
}
