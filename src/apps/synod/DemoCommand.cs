using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Synod.App.Demo;
using Synod.Workloads;

namespace Synod.App;

/// <summary><c>synod demo</c>: three nodes, a bank across shards, a node killed, and nothing lost.</summary>
internal static class DemoCommand
{
    private static readonly Option<double> Seconds = new Option<double>("--seconds") { Description = "How long transfers run, in seconds.", DefaultValueFactory = _ => 20 }.Between(5, Bounds.Day);
    private static readonly Option<int> Accounts = new Option<int>("--accounts") { Description = "Accounts, spread over four ranges.", DefaultValueFactory = _ => 200 }.Between(8, 1_000_000);
    private static readonly Option<int> Nodes = new Option<int>("--nodes") { Description = "Node processes, of which one is to die.", DefaultValueFactory = _ => 3 }.Between(3, 9);
    private static readonly Option<int> Clients = new Option<int>("--clients") { Description = "Concurrent clients.", DefaultValueFactory = _ => 24 }.Between(1, 1_000);
    private static readonly Option<ulong> Seed = new Option<ulong>("--seed") { Description = "Fixes who transfers how much to whom.", DefaultValueFactory = _ => 1 }.Between(0ul, ulong.MaxValue);
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object." };
    private static readonly Option<bool> Keep = new("--keep") { Description = "Keep the data folders and logs." };

    public static Command Create()
    {
        var command = new Command("demo", $"Starts a cluster on loopback, moves money, kills a node, proves the total. {ExitCodes.Help}")
        {
            Seconds, Accounts, Nodes, Clients, Seed, Json, Keep,
        };
        command.SetAction((parsed, cancellationToken) => Terminal.JudgedAsync(parsed.GetValue(Json), () => RunAsync(parsed, cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var settings = new DemoSettings(
            parsed.GetValue(Seconds), parsed.GetValue(Accounts), parsed.GetValue(Nodes), parsed.GetValue(Clients), parsed.GetValue(Seed));
        await using var cluster = DemoCluster.Create(settings.Nodes);
        cluster.Keep = parsed.GetValue(Keep);
        await using var first = cluster.Client();
        await using var second = cluster.Client();
        var report = await ShownAsync(new DemoRun(settings, cluster, [first, second]), cluster, cancellationToken);
        foreach (var anomaly in report.Anomalies.Take(20))
        {
            Terminal.Fail(ExitCodes.Failed, anomaly);
        }

        if (parsed.GetValue(Json))
        {
            Terminal.Json(report.ToJson());
        }
        else
        {
            Terminal.Out.Write(report.ToTable());
        }

        cluster.Keep |= !report.Ok;
        return report.Ok ? ExitCodes.Done : ExitCodes.Failed;
    }

    /// <summary>A live bar on a terminal; otherwise a line every few seconds.</summary>
    private static async Task<DemoReport> ShownAsync(
        DemoRun run, DemoCluster cluster, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        void Say(string line) => Terminal.Talk.MarkupLine(string.Create(
            CultureInfo.InvariantCulture, $"[grey]{watch.Elapsed.TotalSeconds,6:0.0} s[/] {Markup.Escape(line)}"));

        // Whatever interrupts the run, its logs are what one wants to read.
        var keep = cluster.Keep;
        cluster.Keep = true;
        var report = await RunAsync(run, Say, watch, cancellationToken);
        cluster.Keep = keep;
        return report;
    }

    private static async Task<DemoReport> RunAsync(
        DemoRun run, Action<string> say, Stopwatch watch, CancellationToken cancellationToken)
    {
        if (!Terminal.Talk.Profile.Capabilities.Interactive)
        {
            var last = TimeSpan.Zero;
            return await run.RunAsync(
                say,
                (_, progress) =>
                {
                    if (watch.Elapsed - last > TimeSpan.FromSeconds(2))
                    {
                        last = watch.Elapsed;
                        say(Line(progress));
                    }
                },
                cancellationToken);
        }

        return await Terminal.Talk.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(async view =>
            {
                var bar = view.AddTask("starting", maxValue: 1);
                return await run.RunAsync(
                    say,
                    (done, progress) =>
                    {
                        bar.Value = done;
                        bar.Description = Markup.Escape(Line(progress));
                    },
                    cancellationToken);
            });
    }

    private static string Line(WorkloadProgress progress) => string.Create(
        CultureInfo.InvariantCulture,
        $"{progress.Committed:N0} transfers, {progress.Reads:N0} audits, p99 {progress.P99 / 1e6:0.#} ms, longest gap {progress.LongestGap / 1e6:N0} ms");
}
