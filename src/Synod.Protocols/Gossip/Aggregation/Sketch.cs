using System.Collections.Immutable;
using System.Numerics;

namespace Synod.Protocols.Gossip;

/// <summary>A part of a sketch: the weight of the readings that fall into one bucket.</summary>
public readonly record struct Bucket(int Index, long Weight);

/// <summary>
/// A quantile sketch in integers: 16 buckets to each power of two, so that a bucket's middle is within 1/32 of every reading in it.
/// Sketches merge by adding weights, in any order (as DDSketch, Masson, Rim and Lee 2019); where there are too many buckets the lowest
/// run together, which leaves the high quantiles as they are.
/// </summary>
public static class Sketch
{
    /// <summary>Buckets of one sketch: eight powers of two at full resolution.</summary>
    public const int MostBuckets = 128;

    private const int Bits = 4;
    private const int PerPower = 1 << Bits;

    /// <summary>Whether readings may fall into a bucket of that index.</summary>
    public static bool Has(int index) => Math.Abs((long)index) <= IndexOf(long.MaxValue);

    /// <summary>The bucket of a reading; negative ones mirror the others.</summary>
    public static int IndexOf(long reading)
    {
        if (reading < 0)
        {
            return -IndexOf(reading == long.MinValue ? long.MaxValue : -reading);
        }

        var shift = Math.Max(0, BitOperations.Log2((ulong)reading | 1) - Bits);
        return (shift << Bits) + (int)(reading >> shift);
    }

    /// <summary>The middle of a bucket.</summary>
    public static long ReadingOf(int index)
    {
        if (index < 0)
        {
            return -ReadingOf(-index);
        }

        if (index < 2 * PerPower)
        {
            return index;
        }

        var shift = (index >> Bits) - 1;
        return ((long)(index & (PerPower - 1)) + PerPower << shift) + (1L << shift) / 2;
    }

    /// <summary>The reading below which <paramref name="share"/> of <paramref name="of"/> parts of the weight lie; null without weight.</summary>
    public static long? Quantile(ImmutableArray<Bucket> buckets, int share, int of)
    {
        var total = buckets.Sum(static bucket => bucket.Weight);
        if (total == 0)
        {
            return null;
        }

        Int128 below = 0;
        foreach (var bucket in buckets)
        {
            below += bucket.Weight;
            if (below * of >= (Int128)total * share && bucket.Weight > 0)
            {
                return ReadingOf(bucket.Index);
            }
        }

        return ReadingOf(buckets[^1].Index);
    }

    /// <summary>The same weight in at most <see cref="MostBuckets"/>: what is too low for one of its own goes to the lowest.</summary>
    internal static ImmutableArray<Bucket> Collapse(ImmutableArray<Bucket> buckets)
    {
        var surplus = buckets.Length - MostBuckets;
        if (surplus <= 0)
        {
            return buckets;
        }

        var lowest = buckets[surplus] with { Weight = buckets.Take(surplus + 1).Sum(static bucket => bucket.Weight) };
        return [lowest, .. buckets.Skip(surplus + 1)];
    }
}
