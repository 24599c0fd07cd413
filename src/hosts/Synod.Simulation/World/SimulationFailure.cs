using System.Globalization;
using Synod.Core;

namespace Synod.Simulation;

/// <summary>A run found something wrong: an invariant, a checker's verdict, or an exception that nothing should have thrown.</summary>
/// <param name="seed">Replays the run.</param>
/// <param name="invariant">What was broken.</param>
/// <param name="at">When, as virtual time since the start.</param>
/// <param name="node">Where; none if it is a property of the whole.</param>
public sealed class SimulationFailure(
    ulong seed, string invariant, Duration at, NodeId node, string detail, Exception? cause = null)
    : Exception(
        string.Create(
            CultureInfo.InvariantCulture,
            $"Seed {seed}: '{invariant}' at {at.Nanoseconds / 1_000_000_000.0:0.000000} s{(node == NodeId.None ? "" : $" on {node}")}: {detail}"),
        cause)
{
    public ulong Seed { get; } = seed;

    public string Invariant { get; } = invariant;

    public Duration At { get; } = at;

    public NodeId Node { get; } = node;

    public string Detail { get; } = detail;
}
