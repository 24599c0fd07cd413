using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// One metric's part of a mass. Sum and buckets are weighted and add up; the extremes are idempotent, so neither a repetition nor a
/// loss of mass harms them.
/// </summary>
/// <param name="Sum">The sum of the readings, in <see cref="Mass.Unit"/>.</param>
/// <param name="Buckets">The weights of the readings by <see cref="Sketch"/>, in ascending order.</param>
public sealed record MetricMass(int Metric, Int128 Sum, ImmutableArray<Bucket> Buckets, long Least, long Most)
{
    private static readonly Int128 s_mostSum = Int128.One << 120;

    /// <summary>The weight of the readings, each <see cref="Mass.Unit"/> when it was put in.</summary>
    public long Count => Buckets.Sum(static bucket => bucket.Weight);

    /// <summary>What a node puts in for its readings of a metric.</summary>
    public static MetricMass Of(int metric, ImmutableArray<long> readings) => new(
        metric,
        readings.Aggregate(Int128.Zero, static (sum, reading) => sum + (Int128)reading * Mass.Unit),
        Sketch.Collapse(
        [
            .. readings.GroupBy(Sketch.IndexOf).OrderBy(static group => group.Key)
                .Select(static group => new Bucket(group.Key, group.Count() * Mass.Unit)),
        ]),
        readings.Min(),
        readings.Max());

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Metric}: {Sum} in {Buckets.Length} from {Least} to {Most}");

    internal MetricMass Plus(MetricMass other) => new(
        Metric,
        Sum + other.Sum,
        Sketch.Collapse([.. Mass.Merge(Buckets, other.Buckets, static bucket => bucket.Index, static (left, right) => left with { Weight = left.Weight + right.Weight })]),
        Math.Min(Least, other.Least),
        Math.Max(Most, other.Most));

    internal MetricMass Half() => this with { Sum = Sum / 2, Buckets = [.. Buckets.Select(static bucket => bucket with { Weight = bucket.Weight / 2 })] };

    internal MetricMass Minus(MetricMass part) => this with
    {
        Sum = Sum - part.Sum,
        Buckets = [.. Buckets.Zip(part.Buckets, static (bucket, sent) => bucket with { Weight = bucket.Weight - sent.Weight })],
    };

    internal bool IsSound(long mostWeight)
    {
        if (Metric < 0 || Least > Most || Sum > s_mostSum || Sum < -s_mostSum || Buckets.Length > Sketch.MostBuckets)
        {
            return false;
        }

        Int128 weight = 0;
        for (var index = 0; index < Buckets.Length; index++)
        {
            if (Buckets[index].Weight < 0 || (index > 0 && Buckets[index].Index <= Buckets[index - 1].Index) || !Sketch.Has(Buckets[index].Index))
            {
                return false;
            }

            weight += Buckets[index].Weight;
        }

        return weight <= mostWeight;
    }

    internal static void Write(CodecWriter writer, MetricMass value)
    {
        writer.Int(value.Metric);
        writer.Signed((long)(value.Sum >> 64));
        writer.Unsigned((ulong)(value.Sum & ulong.MaxValue));
        writer.Signed(value.Least);
        writer.Signed(value.Most);
        writer.Many(value.Buckets, static (w, bucket) =>
        {
            w.Int(bucket.Index);
            w.Signed(bucket.Weight);
        });
    }

    internal static MetricMass Read(ref CodecReader reader)
    {
        var metric = reader.Int();
        var high = reader.Signed();
        var sum = ((Int128)high << 64) + reader.Unsigned();
        var (least, most) = (reader.Signed(), reader.Signed());
        return new MetricMass(metric, sum, reader.Many(static (ref reader) => new Bucket(reader.Int(), reader.Signed())), least, most);
    }
}
