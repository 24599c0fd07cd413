namespace Synod.Core;

/// <summary>Everything a step may know of the world besides its input. A host owns one and refreshes it before each step.</summary>
public abstract class StepContext
{
    /// <summary>The node's monotonic clock, for timers only.</summary>
    public Instant Now { get; protected set; }

    /// <summary>An interval that contains true time.</summary>
    public TimeInterval TrueTime { get; protected set; }

    /// <summary>A choice among <paramref name="count"/> alternatives, 0 to count-1: the only randomness there is.</summary>
    public abstract int Choose(int count);

    /// <summary>A duration between <paramref name="least"/> and twice that, to the microsecond.</summary>
    public Duration Jitter(Duration least) => least + Duration.FromMicroseconds(Choose((int)(least.Nanoseconds / 1_000) + 1));
}
