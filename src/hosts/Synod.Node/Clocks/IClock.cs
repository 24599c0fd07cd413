using Synod.Core;

namespace Synod.Node;

/// <summary>
/// A source of intervals that contain true time. Correctness rests on "true time is inside the interval" and nothing else;
/// speed rests on its width. Implementations may be read from any thread.
/// </summary>
public interface IClock
{
    /// <summary>An interval that contained true time at some instant inside the call.</summary>
    TimeInterval Now();

    /// <summary>What the bound rests on, for people: it is printed at start and exported as a metric's tag.</summary>
    string Source { get; }
}
