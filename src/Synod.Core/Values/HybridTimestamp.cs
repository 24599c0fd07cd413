using System.Globalization;

namespace Synod.Core;

/// <summary>
/// A time of a hybrid logical clock (Kulkarni et al. 2014): the largest physical time heard of, and a counter that orders what
/// happened at it. If one event happened before another, its timestamp is smaller.
/// </summary>
/// <param name="Physical">The largest physical time heard of.</param>
/// <param name="Counter">Events at that time so far.</param>
public readonly record struct HybridTimestamp(Timestamp Physical, uint Counter) : IComparable<HybridTimestamp>
{
    /// <summary>Before every event.</summary>
    public static HybridTimestamp Zero => default;

    /// <summary>The least one above this.</summary>
    public HybridTimestamp Next => Counter == uint.MaxValue ? new(Physical.Next, 0) : this with { Counter = Counter + 1 };

    public int CompareTo(HybridTimestamp other) =>
        Physical != other.Physical ? Physical.CompareTo(other.Physical) : Counter.CompareTo(other.Counter);

    public static HybridTimestamp Max(HybridTimestamp left, HybridTimestamp right) => left > right ? left : right;

    public static bool operator <(HybridTimestamp left, HybridTimestamp right) => left.CompareTo(right) < 0;

    public static bool operator >(HybridTimestamp left, HybridTimestamp right) => left.CompareTo(right) > 0;

    public static bool operator <=(HybridTimestamp left, HybridTimestamp right) => left.CompareTo(right) <= 0;

    public static bool operator >=(HybridTimestamp left, HybridTimestamp right) => left.CompareTo(right) >= 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Physical}+{Counter}");
}
