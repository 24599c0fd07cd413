using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// What push-sum moves about: weights and weighted sums, in integers, so that halves add up to the whole to the last unit
/// (gossip.md §8). Every aggregate is a ratio of two of its parts: the average of a metric is its sum over its readings, the number of
/// nodes is <see cref="Nodes"/> over the weight of the root, and a total is a sum over that weight.
/// </summary>
/// <param name="Nodes">The weight 1 of each node, in <see cref="Unit"/>.</param>
/// <param name="Roots">The weight 1 of one node, in <see cref="RootUnit"/>; of each that took itself for the one, by its name.</param>
/// <param name="Metrics">In ascending order.</param>
public sealed record Mass(long Nodes, ImmutableArray<RootWeight> Roots, ImmutableArray<MetricMass> Metrics)
{
    /// <summary>One node, or one reading.</summary>
    public const long Unit = 1L << 32;

    /// <summary>The root. It is shared by all, so its unit is larger.</summary>
    public const long RootUnit = 1L << 56;

    /// <summary>Roots that a mass names at most; the lowest are kept, since nobody counts by another.</summary>
    public const int MostRoots = 4;

    /// <summary>Metrics that a mass has at most.</summary>
    public const int MostMetrics = 16;

    private const long MostWeight = 1L << 61;

    /// <summary>Nothing.</summary>
    public static Mass Zero { get; } = new(0, [], []);

    /// <summary>Whether it could be a part of what honest nodes put in.</summary>
    public bool IsSound
    {
        get
        {
            if (Nodes is < 0 or > MostWeight || Roots.Length > MostRoots || Metrics.Length > MostMetrics)
            {
                return false;
            }

            for (var index = 0; index < Roots.Length; index++)
            {
                if (Roots[index].Weight is < 0 or > MostWeight || (index > 0 && Roots[index].Root.CompareTo(Roots[index - 1].Root) <= 0))
                {
                    return false;
                }
            }

            for (var index = 0; index < Metrics.Length; index++)
            {
                if (!Metrics[index].IsSound(MostWeight) || (index > 0 && Metrics[index].Metric <= Metrics[index - 1].Metric))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Both together. Extremes are the extremes of both; the rest adds up.</summary>
    public Mass Plus(Mass other) => new(
        Nodes + other.Nodes,
        [.. Merge(Roots, other.Roots, static root => root.Root.Value, static (left, right) => left with { Weight = left.Weight + right.Weight }).Take(MostRoots)],
        [.. Merge(Metrics, other.Metrics, static metric => metric.Metric, static (left, right) => left.Plus(right))]);

    /// <summary>Two parts that together are this: the one to send is half, rounded towards nothing.</summary>
    public (Mass Kept, Mass Sent) Halve()
    {
        var sent = new Mass(
            Nodes / 2,
            [.. Roots.Select(static root => root with { Weight = root.Weight / 2 })],
            [.. Metrics.Select(static metric => metric.Half())]);
        return (Minus(sent), sent);
    }

    /// <summary>The mass of a metric, or null.</summary>
    public MetricMass? Of(int metric) => Metrics.FirstOrDefault(item => item.Metric == metric);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Nodes} of {string.Join(",", Roots)} [{string.Join(" ", Metrics)}]");

    /// <summary>What is left without a part of it.</summary>
    private Mass Minus(Mass part) => new(
        Nodes - part.Nodes,
        [.. Roots.Zip(part.Roots, static (root, sent) => root with { Weight = root.Weight - sent.Weight })],
        [.. Metrics.Zip(part.Metrics, static (metric, sent) => metric.Minus(sent))]);

    /// <summary>Two ascending lists as one.</summary>
    internal static IEnumerable<T> Merge<T>(ImmutableArray<T> left, ImmutableArray<T> right, Func<T, int> key, Func<T, T, T> join)
    {
        var (at, other) = (0, 0);
        while (at < left.Length || other < right.Length)
        {
            var order = at == left.Length ? 1 : other == right.Length ? -1 : key(left[at]).CompareTo(key(right[other]));
            yield return order switch
            {
                < 0 => left[at++],
                > 0 => right[other++],
                _ => join(left[at++], right[other++]),
            };
        }
    }

    /// <summary>The binary form.</summary>
    public sealed class Wire : IWire<Mass>
    {
        public static Wire Instance { get; } = new();

        public void Write(CodecWriter writer, Mass value)
        {
            writer.Signed(value.Nodes);
            writer.Many(value.Roots, static (w, root) =>
            {
                w.Node(root.Root);
                w.Signed(root.Weight);
            });
            writer.Many(value.Metrics, static (w, metric) => MetricMass.Write(w, metric));
        }

        public Mass Read(ref CodecReader reader) => new(
            reader.Signed(),
            reader.Many(static (ref reader) => new RootWeight(reader.Node(), reader.Signed())),
            reader.Many(static (ref reader) => MetricMass.Read(ref reader)));
    }
}

/// <summary>A part of the weight 1 of a node that took itself for the root.</summary>
public readonly record struct RootWeight(NodeId Root, long Weight)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Root}:{Weight}");
}
