namespace Synod.Lab.Scenarios;

/// <summary>
/// A cluster, a script of faults, and the verdict that the protocol's documentation promises. Tests run it, the command line shows
/// it. What comes out is computed by the protocol's invariants from what happened; the promise is only compared with it.
/// </summary>
public abstract class Scenario
{
    /// <summary>Lower case with hyphens, as on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What it shows, in one sentence.</summary>
    public abstract string Title { get; }

    public abstract Promise Promise { get; }

    /// <summary>Plays it once. The same seed gives the same report, to the last event.</summary>
    public Report Run(ulong seed)
    {
        var report = new Report(this, seed);
        Play(report, seed);
        return report;
    }

    protected abstract void Play(Report report, ulong seed);
}

/// <summary>What the documentation promises of a scenario: which findings hold, and which are broken.</summary>
public sealed record Promise(IReadOnlyList<string> Holds, IReadOnlyList<string> Broken)
{
    /// <summary>Everything holds.</summary>
    public static Promise That(params IReadOnlyList<string> holds) => new(holds, []);

    /// <summary>These are broken all the same.</summary>
    public Promise ButNot(params IReadOnlyList<string> broken) => this with { Broken = broken };
}
