using HdrHistogram;

namespace Synod.Bench.Load;

/// <summary>What one target did under one number of clients.</summary>
internal sealed class LoadResult(string target, int clients)
{
    private const double MicrosecondsPerMillisecond = 1_000;

    public string Target => target;

    public int Clients => clients;

    /// <summary>Latencies in microseconds, up to a minute, to three digits.</summary>
    public LongConcurrentHistogram Latencies { get; } = new(1, 60_000_000, 3);

    /// <summary>Measured time, without warm-up.</summary>
    public double Seconds { get; private set; }

    public long Failed { get; private set; }

    public long Retried { get; private set; }

    /// <summary>Acknowledged operations per second in each measured stretch, to show how much the machine drifts.</summary>
    public List<double> Stretches { get; } = [];

    public double Throughput => Seconds > 0 ? Latencies.TotalCount / Seconds : 0;

    public double Milliseconds(double percentile) =>
        Latencies.TotalCount == 0 ? 0 : Latencies.GetValueAtPercentile(percentile) / MicrosecondsPerMillisecond;

    public void AddStretch(double seconds, long operations, long failed, long retried)
    {
        Seconds += seconds;
        Failed += failed;
        Retried += retried;
        Stretches.Add(operations / seconds);
    }
}
