using Synod.Core;
using Synod.Exploration;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>A known mistake in the shipping code of one protocol's room, to prove that a simulation of that room would find it.</summary>
/// <param name="Name">Lower case with hyphens, beginning with the room: <c>epaxos-preaccept-volatile</c>.</param>
/// <param name="Room">The protocol's name as its folder has it.</param>
/// <param name="Run">One run under a seed, mistake and all: what an invariant or checker objected to, or null.</param>
public sealed record RoomBug(string Name, string Room, Func<ulong, SimulationFailure?> Run)
{
    /// <summary>Runs a world to its end; an invariant that it breaks is what was found.</summary>
    /// <param name="elapsed">The world's time since its start, asked when something is found.</param>
    internal static SimulationFailure? Find(ulong seed, Action run, Func<Duration> elapsed)
    {
        try
        {
            run();
            return null;
        }
        catch (InvariantViolation violation)
        {
            return new SimulationFailure(seed, violation.Invariant, elapsed(), NodeId.None, violation.Message, violation);
        }
    }

    /// <summary>So many short runs without time, each under a seed of its own, until one finds something.</summary>
    internal static SimulationFailure? Find(ulong seed, ulong runs, Action<ulong> run) => Find(
        seed,
        () =>
        {
            for (var at = seed * runs; at < (seed + 1) * runs; at++)
            {
                run(at);
            }
        },
        () => Duration.Zero);

    /// <summary>What random walks under a seed found; they have no time.</summary>
    internal static SimulationFailure? Find(ulong seed, ExplorationResult walks) => walks.Counterexample is { } found
        ? new SimulationFailure(seed, NameOf(found.Property), Duration.Zero, NodeId.None, found.ToString())
        : null;

    /// <summary>A property by its name; an invariant that a step broke comes as its whole message, with the name in quotes.</summary>
    private static string NameOf(string property) => property.StartsWith("Invariant '", StringComparison.Ordinal) ? property.Split('\'')[1] : property;
}
