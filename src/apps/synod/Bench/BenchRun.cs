using System.Diagnostics;
using HdrHistogram;
using Spectre.Console;
using Synod.Client;

namespace Synod.App.Bench;

/// <summary>What a closed loop measured. Latencies are of operations that succeeded inside the measured time.</summary>
internal sealed record BenchResult(
    string Name, double Seconds, long Operations, long Retried, long Aborted, long Unknown, long Failed, HistogramBase Latencies)
{
    public double Throughput => Operations / Seconds;

    /// <summary>A percentile in milliseconds.</summary>
    public double At(double percentile) => Latencies.TotalCount == 0 ? 0 : Math.Round(Latencies.GetValueAtPercentile(percentile) / 1_000.0, 3);
}

/// <summary>Runs workers that each start an operation when the one before is done.</summary>
internal sealed class BenchRun(string name, IReadOnlyList<SynodClient> clients, ILoad load, int workers)
{
    /// <summary>The longest latency that is told apart, in microseconds.</summary>
    private const long LongestMicroseconds = 60_000_000;

    private long _retried;
    private long _aborted;
    private long _unknown;
    private long _failed;
    private volatile bool _measuring;
    private volatile bool _stopping;

    public async Task<BenchResult> RunAsync(TimeSpan warmup, TimeSpan length, CancellationToken cancellationToken)
    {
        Terminal.Talk.MarkupLineInterpolated($"[grey]preparing …[/]");
        await load.PrepareAsync(clients[0], cancellationToken);
        Terminal.Talk.MarkupLineInterpolated($"[grey]warming up for {warmup.TotalSeconds:0.#} s, then measuring {length.TotalSeconds:0.#} s …[/]");
        var running = Enumerable.Range(0, workers).Select(worker => Task.Run(() => WorkAsync(worker), cancellationToken)).ToArray();
        await Task.Delay(warmup, cancellationToken);
        _measuring = true;
        var watch = Stopwatch.StartNew();
        await Task.Delay(length, cancellationToken);
        var seconds = watch.Elapsed.TotalSeconds;
        _measuring = false;
        _stopping = true;
        var all = new LongHistogram(LongestMicroseconds, 3);
        foreach (var histogram in await Task.WhenAll(running))
        {
            all.Add(histogram);
        }

        return new BenchResult(name, seconds, all.TotalCount, _retried, _aborted, _unknown, _failed, all);
    }

    private async Task<HistogramBase> WorkAsync(int worker)
    {
        var histogram = new LongHistogram(LongestMicroseconds, 3);
        var random = new Random(worker);
        var client = clients[worker % clients.Count];
        while (!_stopping)
        {
            var start = Stopwatch.GetTimestamp();
            var measured = _measuring;
            TransactionResult? result = null;
            var served = true;
            try
            {
                result = await load.RunAsync(client, random);
            }
            catch (SynodUnavailableException)
            {
                served = false;
            }

            var done = served && result is null or { IsCommitted: true };

            // What was begun inside the measurement and failed after its end has failed all the same: clients are patient, and a cluster
            // that stopped half-way would look well.
            if (!_measuring && (done || !measured))
            {
                continue;
            }

            if (done)
            {
                var microseconds = (long)Stopwatch.GetElapsedTime(start).TotalMicroseconds;
                histogram.RecordValue(Math.Clamp(microseconds, 1, LongestMicroseconds));
            }

            Count(result, served);
        }

        return histogram;
    }

    private void Count(TransactionResult? result, bool served)
    {
        Interlocked.Add(ref _retried, (result?.Attempts ?? 1) - 1);
        Interlocked.Add(ref _failed, served ? 0 : 1);
        Interlocked.Add(ref _aborted, result?.Outcome == TransactionOutcome.Aborted ? 1 : 0);
        Interlocked.Add(ref _unknown, result?.Outcome == TransactionOutcome.Unknown ? 1 : 0);
    }
}
