using System.Globalization;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Simulation;

namespace Synod.Lab.Scenarios;

/// <summary>What came of playing a scenario: histories to draw, the story, figures, findings, and the verdict that follows from them.</summary>
public sealed class Report(Scenario scenario, ulong seed)
{
    private readonly List<Act> _acts = [];
    private readonly List<string> _story = [];
    private readonly List<Figures> _figures = [];
    private readonly List<Finding> _findings = [];

    public Scenario Scenario { get; } = scenario;

    public ulong Seed { get; } = seed;

    /// <summary>Histories worth drawing, each with a heading.</summary>
    public IReadOnlyList<Act> Acts => _acts;

    /// <summary>What happened, sentence by sentence.</summary>
    public IReadOnlyList<string> Story => _story;

    public IReadOnlyList<Figures> Figures => _figures;

    public IReadOnlyList<Finding> Findings => _findings;

    public Verdict Verdict
    {
        get
        {
            var broken = _findings.Where(finding => !finding.Holds).Select(finding => finding.Kind).ToHashSet();
            return broken.Contains(FindingKind.Safety) ? Verdict.Inconsistent
                : broken.Contains(FindingKind.Liveness) ? Verdict.Blocked
                : broken.Contains(FindingKind.Measure) ? Verdict.Refuted
                : Verdict.Consistent;
        }
    }

    /// <summary>Whether exactly the promised findings were made, and each came out as promised.</summary>
    public bool IsAsPromised =>
        Names(true).SequenceEqual(Scenario.Promise.Holds.Order(StringComparer.Ordinal))
        && Names(false).SequenceEqual(Scenario.Promise.Broken.Order(StringComparer.Ordinal));

    public void Show(string heading, History history) => _acts.Add(new(heading, history));

    public void Add(Figures figures) => _figures.Add(figures);

    /// <summary>Adds a sentence, with its numbers written the same on every machine.</summary>
    public void Tell(FormattableString sentence) => _story.Add(sentence.ToString(CultureInfo.InvariantCulture));

    public void Safety(string name, bool holds, FormattableString detail) => Find(name, FindingKind.Safety, holds, detail);

    public void Liveness(string name, bool holds, FormattableString detail) => Find(name, FindingKind.Liveness, holds, detail);

    public void Measure(string name, bool holds, FormattableString detail) => Find(name, FindingKind.Measure, holds, detail);

    /// <summary>Runs a part of a scenario. If a protocol's own check ends it, that is a finding under the check's name.</summary>
    public bool Guard(Action play)
    {
        try
        {
            play();
            return true;
        }
        catch (SimulationFailure failure)
        {
            Find(failure.Invariant, FindingKind.Safety, false, $"{failure.Detail}");
            return false;
        }
    }

    /// <summary>A length of time as stories tell it: milliseconds, with a fraction only if there is one.</summary>
    public static string Ms(Duration time) => string.Create(CultureInfo.InvariantCulture, $"{time.Nanoseconds / 1_000_000m:0.#} ms");

    /// <summary>A number of things, whose name takes an s from two on.</summary>
    public static string Many(long count, string thing) => string.Create(CultureInfo.InvariantCulture, $"{count:#,0} {thing}{(count == 1 ? "" : "s")}");

    private IEnumerable<string> Names(bool held) =>
        _findings.Where(finding => finding.Holds == held).Select(finding => finding.Name).Order(StringComparer.Ordinal);

    private void Find(string name, FindingKind kind, bool holds, FormattableString detail) =>
        _findings.Add(new(name, kind, holds, detail.ToString(CultureInfo.InvariantCulture)));
}

/// <summary>One history of a report.</summary>
public sealed record Act(string Heading, History History);

/// <summary>A table of figures, and the columns of it that are plotted, if any.</summary>
/// <param name="Columns">Headings; the first column names the rows.</param>
/// <param name="Plot">What is plotted from the table.</param>
public sealed record Figures(string Heading, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows, Plot? Plot = null);

/// <summary>Curves over one axis.</summary>
/// <param name="X">The places on the axis, in ascending order.</param>
public sealed record Plot(string XLabel, string YLabel, IReadOnlyList<double> X, IReadOnlyList<Curve> Curves);

/// <summary>One value for each place on a plot's axis.</summary>
public sealed record Curve(string Name, IReadOnlyList<double> Y);
