using System.Globalization;
using Synod.Workloads.Simulated;

namespace Synod.App.Sim;

/// <summary>Tells each failure of a batch once, as soon as it is known: what broke, where its trace is, and the command that replays it.</summary>
internal sealed class FailureAccount(SimulationBatch batch)
{
    /// <summary>A trace takes as long as a run, and a file.</summary>
    private const int MostTraces = 5;

    private readonly Lock _gate = new();
    private int _traces;

    public void Tell(SimulationVerdict failure, Action<string[]> say)
    {
        lock (_gate)
        {
            say([failure.Failure!.Message, .. Trace(failure), $"  replay: {batch.ReplayCommand(failure)}"]);
        }
    }

    private string[] Trace(SimulationVerdict failure)
    {
        // A second trace would overwrite the first in a file that was asked for by name.
        if (_traces++ >= (batch.Trace is null ? MostTraces : 1))
        {
            return [];
        }

        var file = batch.Trace ?? string.Create(CultureInfo.InvariantCulture, $"sim-{failure.Workload}-{failure.Seed}.trace");
        try
        {
            batch.WriteTrace(failure, file);
            return [$"  trace: {file}"];
        }
        catch (ArgumentException refusal)
        {
            // What was found is worth more than its trace.
            return [$"  no trace: {refusal.Message}"];
        }
    }
}
