using System.Globalization;

namespace Synod.Core;

/// <summary>A point of true time: nanoseconds since the Unix epoch, with smeared leap seconds.</summary>
public readonly record struct Timestamp(long Nanoseconds) : IComparable<Timestamp>
{
    /// <summary>Before every commit.</summary>
    public static Timestamp Zero => default;

    /// <summary>After every commit.</summary>
    public static Timestamp MaxValue => new(long.MaxValue);

    /// <summary>The least timestamp above this one.</summary>
    public Timestamp Next => new(checked(Nanoseconds + 1));

    /// <summary>The greatest timestamp below this one.</summary>
    public Timestamp Previous => new(checked(Nanoseconds - 1));

    public int CompareTo(Timestamp other) => Nanoseconds.CompareTo(other.Nanoseconds);

    public static Timestamp Max(Timestamp left, Timestamp right) => left > right ? left : right;

    public static Timestamp Min(Timestamp left, Timestamp right) => left < right ? left : right;

    public static bool operator <(Timestamp left, Timestamp right) => left.Nanoseconds < right.Nanoseconds;

    public static bool operator >(Timestamp left, Timestamp right) => left.Nanoseconds > right.Nanoseconds;

    public static bool operator <=(Timestamp left, Timestamp right) => left.Nanoseconds <= right.Nanoseconds;

    public static bool operator >=(Timestamp left, Timestamp right) => left.Nanoseconds >= right.Nanoseconds;

    public static Timestamp operator +(Timestamp left, Duration right) => new(checked(left.Nanoseconds + right.Nanoseconds));

    public static Timestamp operator -(Timestamp left, Duration right) => new(checked(left.Nanoseconds - right.Nanoseconds));

    public static Duration operator -(Timestamp left, Timestamp right) => new(checked(left.Nanoseconds - right.Nanoseconds));

    public override string ToString() => Nanoseconds.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A length of time in nanoseconds.</summary>
public readonly record struct Duration(long Nanoseconds) : IComparable<Duration>
{
    public static Duration Zero => default;

    public static Duration FromMicroseconds(long value) => new(checked(value * 1_000));

    public static Duration FromMilliseconds(long value) => new(checked(value * 1_000_000));

    public static Duration FromSeconds(long value) => new(checked(value * 1_000_000_000));

    public long Milliseconds => Nanoseconds / 1_000_000;

    public int CompareTo(Duration other) => Nanoseconds.CompareTo(other.Nanoseconds);

    public static bool operator <(Duration left, Duration right) => left.Nanoseconds < right.Nanoseconds;

    public static bool operator >(Duration left, Duration right) => left.Nanoseconds > right.Nanoseconds;

    public static bool operator <=(Duration left, Duration right) => left.Nanoseconds <= right.Nanoseconds;

    public static bool operator >=(Duration left, Duration right) => left.Nanoseconds >= right.Nanoseconds;

    public static Duration operator +(Duration left, Duration right) => new(checked(left.Nanoseconds + right.Nanoseconds));

    public static Duration operator -(Duration left, Duration right) => new(checked(left.Nanoseconds - right.Nanoseconds));

    public static Duration operator *(Duration left, long right) => new(checked(left.Nanoseconds * right));

    public static Duration operator /(Duration left, long right) => new(left.Nanoseconds / right);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Nanoseconds / 1_000_000.0:0.###}ms");
}

/// <summary>A reading of a node's monotonic clock: nanoseconds since an origin of its own, also advancing in suspend.</summary>
public readonly record struct Instant(long Nanoseconds) : IComparable<Instant>
{
    public int CompareTo(Instant other) => Nanoseconds.CompareTo(other.Nanoseconds);

    public static bool operator <(Instant left, Instant right) => left.Nanoseconds < right.Nanoseconds;

    public static bool operator >(Instant left, Instant right) => left.Nanoseconds > right.Nanoseconds;

    public static bool operator <=(Instant left, Instant right) => left.Nanoseconds <= right.Nanoseconds;

    public static bool operator >=(Instant left, Instant right) => left.Nanoseconds >= right.Nanoseconds;

    public static Instant operator +(Instant left, Duration right) => new(checked(left.Nanoseconds + right.Nanoseconds));

    public static Duration operator -(Instant left, Instant right) => new(checked(left.Nanoseconds - right.Nanoseconds));

    public override string ToString() => $"@{new Duration(Nanoseconds)}";
}

/// <summary>What a clock source says of itself (Spanner §3; Linux <c>adjtimex</c>).</summary>
public enum ClockStatus : byte
{
    /// <summary>No bound is known: no timestamp, no lease, no end of a commit wait.</summary>
    Unknown,

    /// <summary>The interval contains true time.</summary>
    Synchronized,

    /// <summary>The source went quiet; the bound grows at the drift rate and is still below the configured maximum.</summary>
    FreeRunning,
}

/// <summary>An interval that contains true time at some instant inside the call that returned it (Spanner §3, TT.now()).</summary>
/// <param name="Earliest">No true time is below it.</param>
/// <param name="Latest">No true time is above it.</param>
/// <param name="Status">Whether the interval may be relied on at all.</param>
public readonly record struct TimeInterval(Timestamp Earliest, Timestamp Latest, ClockStatus Status)
{
    /// <summary>Whether timestamps may be assigned and leases used.</summary>
    public bool IsTrusted => Status != ClockStatus.Unknown;

    /// <summary>TT.after(t): <paramref name="timestamp"/> has definitely passed.</summary>
    public bool After(Timestamp timestamp) => IsTrusted && Earliest > timestamp;

    /// <summary>TT.before(t): <paramref name="timestamp"/> has definitely not arrived.</summary>
    public bool Before(Timestamp timestamp) => IsTrusted && Latest < timestamp;

    public override string ToString() => $"[{Earliest},{Latest}]{(IsTrusted ? "" : "?")}";
}
