using HdrHistogram;

namespace Synod.Bench.Limits;

/// <summary>One raw limit of the machine. Latencies are in microseconds.</summary>
internal sealed record Limit(string Name, LongHistogram Latencies, double Seconds)
{
    public double PerSecond => Latencies.TotalCount / Seconds;

    public double Milliseconds(double percentile) => Latencies.GetValueAtPercentile(percentile) / 1_000.0;
}
