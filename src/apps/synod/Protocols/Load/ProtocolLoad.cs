using System.Diagnostics;
using System.Globalization;
using HdrHistogram;
using Synod.Api;
using Synod.Core;

namespace Synod.App.Protocols.Load;

/// <summary>What clients and nodes saw while it was measured.</summary>
/// <param name="Counts">What all nodes counted during the measured time; of one that was killed, all but its last moments before that.</param>
/// <param name="ClientProcessor">Processor time that the clients' process used meanwhile.</param>
internal sealed record LoadResult(
    double Seconds, HistogramBase Latencies, long Aborted, long Unknown, ProtocolCounts Counts, TimeSpan ClientProcessor)
{
    public long Operations => Latencies.TotalCount;

    public double Throughput => Operations / Seconds;

    /// <summary>A percentile in milliseconds.</summary>
    public double At(double percentile) => Operations == 0 ? 0 : Math.Round(Latencies.GetValueAtPercentile(percentile) / 1_000.0, 3);
}

/// <summary>What was acknowledged, and what of it every node's state machine has.</summary>
/// <param name="Lost">Acknowledged and missing at some node.</param>
/// <param name="Repeated">Executed more often than asked for, or out of turn.</param>
/// <param name="Checkpoints">Of all nodes, each since it was started last.</param>
internal sealed record Audit(long Acknowledged, long Lost, long Repeated, long Checkpoints);

/// <summary>A client's operation of a sequence number; what chance there is in it comes from <paramref name="random"/>.</summary>
internal delegate byte[] OperationSource(int client, long sequence, Random random);

/// <summary>A closed loop of clients on a cluster.</summary>
internal sealed class ProtocolLoad(ProtocolCluster cluster, ProtocolRunOptions options, OperationSource next)
{
    private const long LongestMicroseconds = 60_000_000;
    private static readonly TimeSpan Convergence = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Downtime = TimeSpan.FromMilliseconds(500);

    private readonly Tally[] _tallies = [.. Enumerable.Range(0, options.Clients).Select(_ => new Tally())];
    private volatile bool _measuring;
    private volatile bool _stopping;

    /// <summary>Each client's own tally, by its position.</summary>
    public IReadOnlyList<Tally> Tallies => _tallies;

    /// <summary>Clients of a map: each writes its own key, or now and then the one that all contend for.</summary>
    public static OperationSource Writes(int conflictPercent, int valueBytes)
    {
        var contended = Key.Of("contended");
        var value = new byte[valueBytes];
        return (client, sequence, random) =>
        {
            var key = random.Next(100) < conflictPercent ? contended : Key.Of(string.Create(CultureInfo.InvariantCulture, $"own/{client}"));
            return new MapCommand(client, sequence, key, value).ToBytes();
        };
    }

    /// <param name="warmup">Not measured.</param>
    /// <param name="length">Measured.</param>
    /// <param name="killed">Nodes to kill and restart, one after the other, meanwhile.</param>
    public async Task<LoadResult> RunAsync(TimeSpan warmup, TimeSpan length, IReadOnlyList<int> killed, CancellationToken cancellationToken)
    {
        var running = Enumerable.Range(0, options.Clients)
            .Select(worker => Task.Factory.StartNew(
                () => WorkAsync(worker, cancellationToken), cancellationToken, TaskCreationOptions.None, cluster.Clients).Unwrap())
            .ToArray();
        await Task.Delay(warmup, cancellationToken);
        var counts = new ProtocolCounts();
        await CountAsync(counts, cluster.Connections, -1, cancellationToken);
        _measuring = true;
        var (watch, processor) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        foreach (var node in killed)
        {
            await Task.Delay(length / (killed.Count + 1), cancellationToken);

            // It begins to count anew.
            await CountAsync(counts, [cluster.Connections[node - 1]], 1, cancellationToken);
            await cluster.KillAsync(node, Downtime, cancellationToken);
        }

        await Task.Delay(length / (killed.Count + 1), cancellationToken);
        _measuring = false;
        var seconds = watch.Elapsed.TotalSeconds;
        processor = Environment.CpuUsage.TotalTime - processor;
        await CountAsync(counts, cluster.Connections, 1, cancellationToken);
        _stopping = true;
        await Task.WhenAll(running);
        var latencies = new LongHistogram(LongestMicroseconds, 3);
        foreach (var tally in _tallies)
        {
            latencies.Add(tally.Latencies);
        }

        return new LoadResult(
            seconds,
            latencies,
            _tallies.Sum(tally => tally.Aborted),
            _tallies.Sum(tally => tally.Unknown),
            counts,
            processor);
    }

    /// <summary>Waits until every node has executed all that was acknowledged, and counts what is wrong.</summary>
    public async Task<Audit> AuditAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var audit = Compare([.. await Task.WhenAll(cluster.Connections.Select(node => node.CountAsync(cancellationToken)))]);
            if (audit is { Lost: 0, Repeated: 0 } || watch.Elapsed > Convergence)
            {
                return audit;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
        }
    }

    private async Task WorkAsync(int worker, CancellationToken cancellationToken)
    {
        var number = ProtocolSettings.FirstClient + worker;
        var client = options.Entry.Client(cluster.Settings, number, cluster.Folder, cluster.Connections);
        var (random, tally) = (new Random(worker), _tallies[worker]);
        for (var sequence = 1L; !_stopping; sequence++)
        {
            var payload = next(number, sequence, random);
            var start = Stopwatch.GetTimestamp();
            tally.Take(
                await client.RunAsync(sequence, payload, cancellationToken), Stopwatch.GetElapsedTime(start), isMeasured: _measuring);
        }
    }

    private Audit Compare(IReadOnlyList<ProtocolCounts> nodes)
    {
        var (lost, repeated) = (0L, 0L);
        for (var worker = 0; worker < options.Clients; worker++)
        {
            var (number, tally) = (ProtocolSettings.FirstClient + worker, _tallies[worker]);
            foreach (var node in nodes)
            {
                var count = node.Clients.FirstOrDefault(client => client.Client == number) ?? new ClientCount();
                lost = Math.Max(lost, tally.Done - count.Executed);
                repeated = Math.Max(repeated, count.Executed - tally.Done - tally.AllUnknown);
                repeated = options.Entry.RunsOnce ? Math.Max(repeated, Math.Abs(count.Executed - count.Last)) : repeated;
            }
        }

        return new Audit(_tallies.Sum(tally => tally.Done), lost, repeated, nodes.Sum(node => node.Checkpoints));
    }

    private static async Task CountAsync(ProtocolCounts sum, IEnumerable<NodeConnection> nodes, int sign, CancellationToken cancellationToken)
    {
        foreach (var node in nodes)
        {
            Add(sum, await node.CountAsync(cancellationToken), sign);
        }
    }

    private static void Add(ProtocolCounts to, ProtocolCounts counts, int sign)
    {
        to.Messages += sign * counts.Messages;
        to.Bytes += sign * counts.Bytes;
        to.Records += sign * counts.Records;
        to.Syncs += sign * counts.Syncs;
        to.Decisions += sign * counts.Decisions;
        to.Fast += sign * counts.Fast;
        to.Signed += sign * counts.Signed;
        to.Verified += sign * counts.Verified;
        to.VerifyingMicroseconds += sign * counts.VerifyingMicroseconds;
        to.ProcessorMicroseconds += sign * counts.ProcessorMicroseconds;
    }

    /// <summary>What one client saw; written by its own task.</summary>
    public sealed class Tally
    {
        public LongHistogram Latencies { get; } = new(LongestMicroseconds, 3);

        public long Done { get; private set; }

        public long AllUnknown { get; private set; }

        public long Aborted { get; private set; }

        public long Unknown { get; private set; }

        public void Take(OperationEnd end, TimeSpan latency, bool isMeasured)
        {
            Done += end == OperationEnd.Done ? 1 : 0;
            AllUnknown += end == OperationEnd.Unknown ? 1 : 0;
            if (isMeasured)
            {
                Aborted += end == OperationEnd.Aborted ? 1 : 0;
                Unknown += end == OperationEnd.Unknown ? 1 : 0;
                if (end == OperationEnd.Done)
                {
                    Latencies.RecordValue(Math.Clamp((long)latency.TotalMicroseconds, 1, LongestMicroseconds));
                }
            }
        }
    }
}
