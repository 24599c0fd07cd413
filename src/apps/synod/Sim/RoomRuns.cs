using System.Text.Json.Nodes;
using Synod.Simulation;

namespace Synod.App.Sim;

/// <summary>Runs of one protocol's room with a known mistake: how a caught one is looked at again.</summary>
internal sealed record RoomRuns(KnownBug Bug, IReadOnlyList<SimulationFailure> Failures, ulong Runs)
{
    public static RoomRuns Run(KnownBug bug, (ulong First, ulong Last) seeds, Action<string> step, CancellationToken cancellationToken)
    {
        var failures = new List<SimulationFailure>();
        for (var seed = seeds.First; ; seed++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (bug.Run(seed) is { } failure)
            {
                failures.Add(failure);
            }

            step($"{bug.Name} {seed}");
            if (seed == seeds.Last)
            {
                return new RoomRuns(bug, failures, seeds.Last - seeds.First + 1);
            }
        }
    }

    public JsonObject ToJson() => new()
    {
        ["bug"] = Bug.Name,
        ["room"] = Bug.Where,
        ["runs"] = Runs,
        ["failed"] = Failures.Count,
        ["failures"] = new JsonArray([.. Failures.Select(failure => new JsonObject
        {
            ["seed"] = failure.Seed,
            ["invariant"] = failure.Invariant,
            ["detail"] = failure.Detail,
        })]),
        ["ok"] = Failures.Count == 0,
    };
}
