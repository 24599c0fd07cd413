using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Synod.App.Sim;
using Synod.Workloads.Simulated;

namespace Synod.App;

/// <summary><c>synod sim</c>: whole nodes and clients inside the simulator, under faults.</summary>
internal static class SimCommand
{
    private static readonly Option<string?> Workload = new("--workload", "-w")
    {
        Description = $"One of: {string.Join(", ", SimulationRun.Workloads.Keys)} (append is short for list-append), or all. Default: bank, or that of --bug.",
    };

    private static readonly Option<string> Seeds = new("--seeds", "-s")
    {
        Description = "Which runs, as A..B with both ends, or one number.",
        DefaultValueFactory = _ => "1..20",
    };

    private static readonly Option<double> Seconds = new Option<double>("--seconds") { Description = "Simulated seconds of faults per run.", DefaultValueFactory = _ => 20 }.Between(0.001, Bounds.Day);
    private static readonly Option<int> Jobs = new Option<int>("--jobs", "-j") { Description = "Runs at a time; each takes one core.", DefaultValueFactory = _ => Environment.ProcessorCount }.Between(1, 1_024);
    private static readonly Option<bool> Twice = new("--twice") { Description = "Run every seed twice and compare the traces' hashes." };
    private static readonly Option<string?> Trace = new("--trace") { Description = "Where the trace of the first failing run goes. Default: sim-WORKLOAD-SEED.trace, for each of the first five." };
    private static readonly Option<string?> Bug = new("--bug") { Description = "Run with a seeded bug, or hunt it alone with --bugs; the names are in the table of --bugs." };
    private static readonly Option<bool> Bugs = new("--bugs") { Description = "Hunt every seeded bug, and tell what caught it and how fast." };
    private static readonly Option<double> Limit = new Option<double>("--limit") { Description = "With --bugs: seconds of hunting for each.", DefaultValueFactory = _ => 120 }.Between(0.1, Bounds.Day);
    private static readonly Option<string?> Output = new("--out", "-o") { Description = "With --bugs: also write the table to this Markdown file." };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object." };

    public static Command Create()
    {
        var command = new Command("sim", "Runs whole nodes and clients in a deterministic simulation under faults, and judges what they saw. "
            + "A failure prints the command that replays it. Example: synod sim --workload bank --seeds 1..200")
        {
            Workload, Seeds, Seconds, Jobs, Twice, Trace, Bug, Bugs, Limit, Output, Json,
        };
        command.SetAction((parsed, cancellationToken) => Terminal.RunAsync(() => parsed.GetValue(Bugs)
            ? Task.Run(() => Hunt(parsed, cancellationToken), CancellationToken.None)
            : parsed.GetValue(Bug) is { } name && SeededBug.Find(name) is null
                ? Task.Run(() => RunRoom(parsed, KnownBug.Find(name), cancellationToken), CancellationToken.None)
                : Task.Run(() => Run(parsed, cancellationToken), CancellationToken.None)));
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        var bug = parsed.GetValue(Bug) is { } name ? SeededBug.Find(name) : null;
        OutputFile.Check(parsed, Trace);
        var batch = new SimulationBatch
        {
            Workloads = WorkloadsOf(parsed.GetValue(Workload) ?? bug?.Workload ?? "bank"),
            Seeds = SeedsOf(parsed.GetValue(Seeds)!),
            Seconds = parsed.GetValue(Seconds),
            Jobs = parsed.GetValue(Jobs),
            Twice = parsed.GetValue(Twice),
            Trace = parsed.GetValue(Trace),
            Bug = bug,
        };
        var result = WithProgress(batch.Count, (step, fail) => batch.Run(step, fail, cancellationToken));
        if (parsed.GetValue(Json))
        {
            Terminal.Json(result.ToJson());
        }
        else
        {
            Terminal.Out.Write(result.ToTable());
        }

        return result.IsOk ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static int RunRoom(ParseResult parsed, KnownBug bug, CancellationToken cancellationToken)
    {
        var seeds = SeedsOf(parsed.GetValue(Seeds)!);
        var result = WithProgress(checked((int)(seeds.Last - seeds.First + 1)), (step, _) => RoomRuns.Run(bug, seeds, step, cancellationToken));
        foreach (var failure in result.Failures.Take(5))
        {
            Terminal.Fail(ExitCodes.Failed, failure.Message);
        }

        if (parsed.GetValue(Json))
        {
            Terminal.Json(result.ToJson());
        }
        else
        {
            Terminal.Out.WriteLine($"{bug.Name} in {bug.Where}: {result.Failures.Count} of {result.Runs} runs failed.");
        }

        return result.Failures.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static int Hunt(ParseResult parsed, CancellationToken cancellationToken)
    {
        OutputFile.Check(parsed, Output);
        var seeds = SeedsOf(parsed.GetValue(Seeds)!);
        var limit = TimeSpan.FromSeconds(parsed.GetValue(Limit));
        var bugs = parsed.GetValue(Bug) is { } name ? [KnownBug.Find(name)] : KnownBug.All;
        var results = new HuntResult[bugs.Count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = parsed.GetValue(Jobs), CancellationToken = cancellationToken };
        var report = WithProgress(bugs.Count, (step, fail) =>
        {
            var numbers = Partitioner.Create(Enumerable.Range(0, bugs.Count), EnumerablePartitionerOptions.NoBuffering);
            Parallel.ForEach(numbers, parallel, number =>
            {
                var result = results[number] = bugs[number].Hunt(seeds.First, limit, TimeProvider.System, cancellationToken);
                if (result.Caught is null)
                {
                    fail([$"{result.Bug.Name}: not caught in {result.Runs} runs"]);
                }

                step(result.Bug.Name);
            });
            return new HuntReport(results);
        });
        if (parsed.GetValue(Output) is { } file)
        {
            OutputFile.Write(file, report.ToMarkdown());
        }

        if (parsed.GetValue(Json))
        {
            Terminal.Json(report.ToJson());
        }
        else
        {
            Terminal.Out.Write(report.ToTable());
        }

        return report.AllCaught ? ExitCodes.Done : ExitCodes.Failed;
    }

    /// <param name="run">Takes what is told of each thing that is done, and what is told of one that failed, as lines.</param>
    private static T WithProgress<T>(int count, Func<Action<string>, Action<string[]>, T> run)
    {
        if (!Terminal.Talk.Profile.Capabilities.Interactive)
        {
            var done = 0;
            var every = Math.Max(1, count / 20);
            return run(
                what =>
                {
                    var now = Interlocked.Increment(ref done);
                    if (now % every == 0 || now == count)
                    {
                        Console.Error.WriteLine($"{now} of {count}: {what}");
                    }
                },
                lines => Terminal.Fail(ExitCodes.Failed, lines));
        }

        return Terminal.Talk.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(view =>
            {
                var bar = view.AddTask("running", maxValue: count);
                return run(
                    what =>
                    {
                        bar.Increment(1);
                        bar.Description = Markup.Escape(what);
                    },
                    lines => Terminal.Talk.MarkupLineInterpolated($"[red]{string.Join('\n', lines)}[/]"));
            });
    }

    private static IReadOnlyList<string> WorkloadsOf(string name) => name switch
    {
        "all" => [.. SimulationRun.Workloads.Keys],
        "append" => ["list-append"],
        _ when SimulationRun.Workloads.ContainsKey(name) => [name],
        _ => throw new ArgumentException($"There is no workload '{name}'. Use one of: {string.Join(", ", SimulationRun.Workloads.Keys)}, or all."),
    };

    private static (ulong First, ulong Last) SeedsOf(string text)
    {
        var parts = text.Split("..");
        return parts.Length is 1 or 2
            && ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && ulong.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && first <= last && last - first < 10_000_000
                ? (first, last)
                : throw new ArgumentException($"'{text}' is no range of seeds. Write A..B with A not above B, for instance 1..200.");
    }
}
