using System.Globalization;
using Synod.Lab.Hunts;
using Synod.Simulation;
using Synod.Workloads.Simulated;

namespace Synod.App.Sim;

/// <summary>A known mistake, wherever it is made: in one protocol's room, or in whole nodes under a workload.</summary>
/// <param name="Where">The room or the workload in which it shows.</param>
/// <param name="Run">One run under a seed: what objected to it, or null.</param>
internal sealed record KnownBug(string Name, string Where, Func<ulong, SimulationFailure?> Run)
{
    /// <summary>The rooms' first, as the house is built.</summary>
    public static IReadOnlyList<KnownBug> All { get; } =
    [
        .. RoomBugs.All.Select(bug => new KnownBug(bug.Name, bug.Room, bug.Run)),
        .. SeededBug.All.Select(bug => new KnownBug(bug.Name, $"nodes, {bug.Workload}", bug.Run)),
    ];

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static KnownBug Find(string name) => All.FirstOrDefault(bug => bug.Name == name)
        ?? throw new ArgumentException($"There is no seeded bug '{name}'. Use one of: {string.Join(", ", All.Select(bug => bug.Name))}.");

    /// <summary>Runs seed after seed until something sees the mistake, or <paramref name="limit"/> has passed.</summary>
    public HuntResult Hunt(ulong first, TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        for (var seed = first; ; seed++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var failure = Run(seed);
            var wall = clock.GetElapsedTime(start);
            if (failure is not null || wall > limit)
            {
                return new HuntResult(this, seed, seed - first + 1, wall, failure);
            }
        }
    }
}

/// <summary>How a known mistake fared.</summary>
/// <param name="Seed">The last one run: the one that caught it, if any did.</param>
/// <param name="Runs">Runs until then, that one included.</param>
/// <param name="Caught">What saw it; null if nothing did.</param>
internal sealed record HuntResult(KnownBug Bug, ulong Seed, ulong Runs, TimeSpan Wall, SimulationFailure? Caught)
{
    public string ReplayCommand => string.Create(CultureInfo.InvariantCulture, $"./synod sim --bug {Bug.Name} --seeds {Seed}");
}
