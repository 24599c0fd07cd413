namespace Synod.Core;

/// <summary>
/// A hybrid logical clock: close to physical time, and never behind anything that was seen (Kulkarni et al. 2014, figure 5). Physical
/// time is an input of each call. Its owner makes <see cref="Last"/> durable with what it stamped and starts the next life from there.
/// </summary>
/// <param name="maxSkew">
/// How far ahead of our physical time a received timestamp may be. One that is further is refused: it would drag everybody into the
/// future, and survive restarts in the data.
/// </param>
/// <param name="last">The largest timestamp of an earlier life.</param>
public sealed class HybridClock(Duration maxSkew, HybridTimestamp last = default)
{
    /// <summary>The largest timestamp given out or accepted.</summary>
    public HybridTimestamp Last { get; private set; } = last;

    /// <summary>The timestamp of a local event: above every earlier one and every accepted one.</summary>
    public HybridTimestamp Tick(Timestamp physical) =>
        Last = physical > Last.Physical ? new HybridTimestamp(physical, 0) : Last.Next;

    /// <summary>Whether a received timestamp is near enough to our physical time to be believed.</summary>
    public bool Accepts(HybridTimestamp received, Timestamp physical) =>
        received.Physical.Nanoseconds <= physical.Nanoseconds + (Int128)maxSkew.Nanoseconds;

    /// <summary>
    /// Takes note of a timestamp that a message carries; what happens next is above it. False, and nothing changes, if it is too far
    /// in the future: then what it stamps must not be taken over either.
    /// </summary>
    public bool Observe(HybridTimestamp received, Timestamp physical)
    {
        if (!Accepts(received, physical))
        {
            return false;
        }

        Last = HybridTimestamp.Max(Last, received);
        return true;
    }
}
