namespace Synod.Protocols.Gossip;

/// <summary>What a node makes of the mass that it holds. Each is an estimate that every node comes to by itself.</summary>
/// <param name="Epoch">The computation that they are of.</param>
/// <param name="Mass">What is estimated from.</param>
public sealed record Aggregates(long Epoch, Mass Mass)
{
    /// <summary>The number of nodes that put something in; null while no part of a root's weight has come here.</summary>
    public long? Nodes => OverRoot(Mass.Nodes);

    /// <summary>The average of the readings of a metric; null if there are none.</summary>
    public long? Average(int metric) => Mass.Of(metric) is { Count: > 0 } mass ? Divide(mass.Sum, mass.Count) : null;

    /// <summary>The sum of the readings of a metric over all nodes; null if there are none, or no root's weight has come here.</summary>
    public long? Total(int metric) => Mass.Of(metric) is { } mass ? OverRoot(mass.Sum) : null;

    /// <summary>The least reading; null if there are none.</summary>
    public long? Least(int metric) => Mass.Of(metric)?.Least;

    /// <summary>The greatest reading; null if there are none.</summary>
    public long? Most(int metric) => Mass.Of(metric)?.Most;

    /// <summary>The reading that <paramref name="perMille"/> in a thousand are at or below, within 1/32; null if there are none.</summary>
    public long? Quantile(int metric, int perMille) =>
        Mass.Of(metric) is { } mass ? Sketch.Quantile(mass.Buckets, perMille, 1_000) is { } reading ? Math.Clamp(reading, mass.Least, mass.Most) : null : null;

    /// <summary>By the weight of the lowest root: it is the same one everywhere, whoever else took itself for it.</summary>
    private long? OverRoot(Int128 amount) => Mass.Roots is [{ Weight: > 0 and var weight }, ..]
        ? Saturated((amount * (Mass.RootUnit / Mass.Unit) + weight / 2) / weight)
        : null;

    private static long Divide(Int128 sum, long count) => Saturated((sum + (sum < 0 ? -count / 2 : count / 2)) / count);

    private static long Saturated(Int128 value) => (long)Int128.Clamp(value, long.MinValue, long.MaxValue);
}
