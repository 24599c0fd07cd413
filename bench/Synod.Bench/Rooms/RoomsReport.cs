using System.Globalization;
using System.Text.Json.Nodes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Synod.Bench.Reports;
using Synod.Protocols.Byzantine;

namespace Synod.Bench.Rooms;

/// <summary>What a decision costs in each room, in memory on one thread, as BenchmarkDotNet measures it.</summary>
internal sealed class RoomsReport
{
    private readonly List<Row> _rows = [];

    /// <param name="Best">The iteration that was disturbed least, where neighbours on the same core change the speed twofold.</param>
    private sealed record Row(string Name, double Nanoseconds, double Error, double Best, double Bytes, double? Verified);

    /// <param name="filter">Part of the names of those to measure; empty for all.</param>
    /// <param name="progress">Told how it goes on.</param>
    public static RoomsReport Measure(string filter, TextWriter progress)
    {
        var artifacts = Directory.CreateTempSubdirectory("synod-rooms");
        try
        {
            var report = new RoomsReport();
            foreach (var rooms in new[] { typeof(RoomBenchmarks), typeof(TableBenchmarks), typeof(SignatureBenchmarks) })
            {
                // Whatever is signed beforehand makes each iteration one invocation; the others are measured for a while.
                var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance);
                job = rooms == typeof(RoomBenchmarks)
                    ? job.WithIterationTime(TimeInterval.FromMilliseconds(200)).WithWarmupCount(5).WithIterationCount(20)
                    : job.WithWarmupCount(3).WithIterationCount(6);
                var config = ManualConfig.CreateEmpty().AddJob(job).AddDiagnoser(MemoryDiagnoser.Default)
                    .AddColumnProvider(DefaultColumnProviders.Instance).AddLogger(new TextLogger(progress)).WithArtifactsPath(artifacts.FullName);
                config = filter.Length == 0 ? config : config.AddFilter(new BenchmarkDotNet.Filters.SimpleFilter(
                    item => NameOf(item).Contains(filter, StringComparison.OrdinalIgnoreCase)));
                foreach (var measured in BenchmarkRunner.Run(rooms, config).Reports)
                {
                    report.Add(measured);
                }
            }

            return report;
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }
    }

    public void Write(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("A decision in each room, all members together, one thread, in memory, 8 B");
        var table = new TextTable("what", "", "ns", "± ns", "best", "bytes", "verifications");
        foreach (var row in _rows)
        {
            table.Add(row.Name, "", Number(row.Nanoseconds), Number(row.Error), Number(row.Best), Number(row.Bytes), row.Verified is { } count ? $"{count:0.0}" : "");
        }

        table.Write(output);
        output.WriteLine("Published for consensus cores in memory, 3 voters, 8 B, in C++, Rust and Zig: 86 to 2,265 ns per value.");

        static string Number(double value) => value.ToString("N0", CultureInfo.InvariantCulture);
    }

    public JsonObject ToJson() => new()
    {
        ["rooms"] = new JsonArray([.. _rows.Select(row => new JsonObject
        {
            ["name"] = row.Name,
            ["nanoseconds"] = Math.Round(row.Nanoseconds, 1),
            ["error"] = Math.Round(row.Error, 1),
            ["best"] = Math.Round(row.Best, 1),
            ["bytes"] = row.Bytes,
            ["verifications"] = row.Verified,
        })]),
    };

    private void Add(BenchmarkReport measured)
    {
        var item = measured.BenchmarkCase;
        if (measured.ResultStatistics is not { } time)
        {
            throw new InvalidOperationException($"{NameOf(item)} could not be measured.");
        }

        _rows.Add(new Row(NameOf(item), time.Mean, time.StandardError, time.Min, measured.GcStats.GetBytesAllocatedPerOperation(item) ?? 0, VerifiedBy(item)));
    }

    private static string NameOf(BenchmarkCase item)
    {
        var name = item.Descriptor.WorkloadMethodDisplayInfo.Trim('\'');
        return item.HasParameters
            ? $"{name}, 4 replicas, {(item.Descriptor.Type == typeof(SignatureBenchmarks) ? "Ed25519" : "signature table")}, batches of {item.Parameters[nameof(ByzantineBenchmarks.Batch)]}: a command"
            : name;
    }

    /// <summary>Signatures that all replicas check for a command: counted in a run of its own, since it is the same in all.</summary>
    private static double? VerifiedBy(BenchmarkCase item)
    {
        if (!item.HasParameters)
        {
            return null;
        }

        var batch = (int)item.Parameters[nameof(ByzantineBenchmarks.Batch)];
        return item.Descriptor.WorkloadMethod.Name switch
        {
            nameof(ByzantineBenchmarks.Pbft) => Verified(new PbftRoom(isReal: false, batch)),
            nameof(ByzantineBenchmarks.Chained) => Verified(new HotStuffRoom(new ChainedRules(), isReal: false, batch)),
            _ => Verified(new HotStuffRoom(new JolteonRules(), isReal: false, batch)),
        };

        static double Verified<TMessage, TRecord, TCommand, TResult>(ByzantineRoom<TMessage, TRecord, TCommand, TResult> room)
        {
            room.Prepare(ByzantineBenchmarks.Commands);
            room.Run();
            return Math.Round(room.Verified / (double)room.Executed, 2);
        }
    }

    /// <summary>Only what went wrong, and which benchmark runs.</summary>
    private sealed class TextLogger(TextWriter output) : ILogger
    {
        public string Id => nameof(TextLogger);

        public int Priority => 0;

        public void Write(LogKind logKind, string text)
        {
            if (logKind == LogKind.Error)
            {
                output.Write(text);
            }
        }

        public void WriteLine() => output.Flush();

        public void WriteLine(LogKind logKind, string text)
        {
            if (logKind == LogKind.Error || text.StartsWith("// Benchmark:", StringComparison.Ordinal))
            {
                output.WriteLine(text);
            }
        }

        public void Flush() => output.Flush();
    }
}
