using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Synod.Core;
using Synod.Workloads.Simulated;

namespace Synod.App.Sim;

/// <summary>Many runs of the simulator: each on one thread with one seed, several at a time.</summary>
internal sealed record SimulationBatch
{
    public required IReadOnlyList<string> Workloads { get; init; }

    public required (ulong First, ulong Last) Seeds { get; init; }

    public required double Seconds { get; init; }

    public required int Jobs { get; init; }

    public required bool Twice { get; init; }

    /// <summary>Where the trace of the first failing run goes; null for a file of its own for each of the first few.</summary>
    public string? Trace { get; init; }

    public SeededBug? Bug { get; init; }

    public int Count => checked((int)(Seeds.Last - Seeds.First + 1) * Workloads.Count);

    /// <param name="step">Takes the name of every run that is done.</param>
    /// <param name="fail">Takes what is wrong with a run, at once and as lines.</param>
    public BatchResult Run(Action<string> step, Action<string[]> fail, CancellationToken cancellationToken)
    {
        var failures = new FailureAccount(this);
        var watch = Stopwatch.StartNew();
        var verdicts = new ConcurrentBag<SimulationVerdict>();
        var unequal = 0;
        var runs = Workloads.SelectMany(workload => Numbers().Select(seed => (workload, seed)));
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Jobs, CancellationToken = cancellationToken };
        Parallel.ForEach(Partitioner.Create(runs, EnumerablePartitionerOptions.NoBuffering), parallel, run =>
        {
            var verdict = SimulationRun.Execute(Options(run.workload, run.seed));
            verdicts.Add(verdict);
            if (Twice && SimulationRun.Execute(Options(run.workload, run.seed)).TraceHash != verdict.TraceHash)
            {
                Interlocked.Increment(ref unequal);
                fail([$"Seed {run.seed} of {run.workload} went differently the second time."]);
            }

            if (!verdict.IsOk)
            {
                failures.Tell(verdict, fail);
            }

            step(string.Create(CultureInfo.InvariantCulture, $"{run.workload} {run.seed}"));
        });
        return new BatchResult(this, [.. verdicts], unequal, watch.Elapsed);
    }

    /// <summary>Runs a failed seed again with every event as a line of text.</summary>
    public void WriteTrace(SimulationVerdict failure, string file)
    {
        using var writer = OutputFile.Create(file);
        _ = SimulationRun.Execute(Options(failure.Workload, failure.Seed) with { Trace = writer });
        writer.WriteLine(failure.Failure!.Message);
    }

    public string ReplayCommand(SimulationVerdict failure) => string.Create(
        CultureInfo.InvariantCulture,
        $"./synod sim --workload {failure.Workload} --seeds {failure.Seed}..{failure.Seed} --seconds {Seconds:0.###}{(Bug is null ? "" : $" --bug {Bug.Name}")}");

    private SimulationOptions Options(string workload, ulong seed) => new()
    {
        Workload = workload,
        Seed = seed,
        Length = Duration.FromMilliseconds((long)(Seconds * 1_000)),
        Bug = Bug,
    };

    private IEnumerable<ulong> Numbers()
    {
        for (var seed = Seeds.First; seed < Seeds.Last; seed++)
        {
            yield return seed;
        }

        yield return Seeds.Last;
    }
}
