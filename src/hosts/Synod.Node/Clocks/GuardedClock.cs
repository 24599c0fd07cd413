using Synod.Core;

namespace Synod.Node;

/// <summary>
/// Fail-stop on clock faults (time.md §6): a peer whose earliest possible time lies beyond our latest proves that one of the two
/// clocks is broken. We cannot know which, so ours is not trusted until no such proof has come for <see cref="Quarantine"/>.
/// </summary>
public sealed class GuardedClock(IClock source, ISystemTime? time = null) : IClock
{
    /// <summary>How long after the last contradiction the clock stays untrusted.</summary>
    public static readonly Duration Quarantine = Duration.FromSeconds(10);

    private readonly ISystemTime _time = time ?? SystemTime.Instance;
    private long _suspectUntil = long.MinValue;

    public string Source => source.Source;

    public TimeInterval Now()
    {
        var interval = source.Now();
        return Volatile.Read(ref _suspectUntil) > _time.Boottime() ? interval with { Status = ClockStatus.Unknown } : interval;
    }

    /// <summary>
    /// Compares a peer's interval, read before it sent, with ours, read now, after it arrived. False if they cannot both contain
    /// true time.
    /// </summary>
    public bool Agrees(TimeInterval peer)
    {
        var own = source.Now();
        if (!own.IsTrusted || !peer.IsTrusted || peer.Earliest <= own.Latest)
        {
            return true;
        }

        Volatile.Write(ref _suspectUntil, _time.Boottime() + Quarantine.Nanoseconds);
        return false;
    }
}
