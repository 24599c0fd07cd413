using Synod.Core;
using Synod.Simulation;

namespace Synod.Workloads.Simulated;

/// <summary>One run: a workload, a seed, and what happens meanwhile.</summary>
public sealed record SimulationOptions
{
    /// <summary>A name of <see cref="SimulationRun.Workloads"/>.</summary>
    public required string Workload { get; init; }

    public required ulong Seed { get; init; }

    public int Nodes { get; init; } = 3;

    public int Workers { get; init; } = 6;

    /// <summary>How long faults happen, in virtual time.</summary>
    public Duration Length { get; init; } = Duration.FromSeconds(20);

    /// <summary>Null draws one from the seed.</summary>
    public FaultPlan? Plan { get; init; }

    /// <summary>The size of a segment of a node's log.</summary>
    public long SegmentBytes { get; init; } = 64 << 10;

    /// <summary>Gets every event as a line of text; slow.</summary>
    public TextWriter? Trace { get; init; }

    /// <summary>A known mistake to run with; null for the shipping code.</summary>
    public SeededBug? Bug { get; init; }
}

/// <summary>What came of a run.</summary>
public sealed record SimulationVerdict
{
    public required ulong Seed { get; init; }

    public required string Workload { get; init; }

    /// <summary>The kinds of faults that the plan had.</summary>
    public required string Plan { get; init; }

    /// <summary>What was found wrong; null if nothing.</summary>
    public required SimulationFailure? Failure { get; init; }

    /// <summary>The same for every run of the same seed and program.</summary>
    public required string TraceHash { get; init; }

    /// <summary>Virtual time that passed.</summary>
    public required Duration Simulated { get; init; }

    public required long Events { get; init; }

    public required WorkloadProgress Progress { get; init; }

    /// <summary>How often each kind of fault happened; disk errors by call site too.</summary>
    public required IReadOnlyDictionary<string, long> Faults { get; init; }

    public bool IsOk => Failure is null;
}
