using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// When a node's rounds are: at multiples of the period since its process began, each later by a jitter, so that rounds keep their length
/// whatever happens in them and nodes do not keep step (gossip.md §11).
/// </summary>
internal static class RoundGrid
{
    /// <summary>The next round after now.</summary>
    public static Instant Next(Instant begun, Duration period, Duration jitter, StepContext context)
    {
        var rounds = Math.Max(0, (context.Now - begun).Nanoseconds) / period.Nanoseconds + 1;
        var microseconds = jitter.Nanoseconds / 1_000;
        return begun + period * rounds + Duration.FromMicroseconds(microseconds == 0 ? 0 : context.Choose((int)microseconds + 1));
    }
}
