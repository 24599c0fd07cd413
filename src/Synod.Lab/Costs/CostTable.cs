using System.Globalization;
using Synod.Lab.Scenarios;

namespace Synod.Lab.Costs;

/// <summary>One cost of one protocol: what its formula says, and what was counted in the simulator.</summary>
/// <param name="What">Messages, delays or forced writes, and for which size.</param>
/// <param name="Formula">As the notes have it.</param>
public sealed record CostLine(string Protocol, string What, string Formula, long Expected, long Counted);

/// <summary>The costs of a family of protocols, counted beside their formulas.</summary>
public sealed record CostTable(string Family, IReadOnlyList<CostLine> Lines)
{
    private static readonly SortedDictionary<string, Func<IReadOnlyList<CostLine>>> s_families = new(StringComparer.Ordinal)
    {
        ["byzantine"] = ByzantineCosts.Count,
        ["commit"] = CommitCosts.Count,
        ["consensus"] = ConsensusCosts.Count,
    };

    /// <summary>The names of families.</summary>
    public static IReadOnlyCollection<string> Families => s_families.Keys;

    /// <summary>Whether every count is what its formula says.</summary>
    public bool IsAsWritten => Lines.All(line => line.Expected == line.Counted);

    /// <exception cref="ArgumentException">There is no such family; the message lists them.</exception>
    public static CostTable Of(string family) => s_families.TryGetValue(family, out var count)
        ? new(family, count())
        : throw new ArgumentException($"There are no costs of '{family}'. There are: {string.Join(", ", Families)}.");

    public Figures ToFigures() => new(
        $"Costs of {Family}",
        ["protocol", "what", "formula", "expected", "counted", ""],
        [.. Lines.Select(line => (IReadOnlyList<string>)
            [line.Protocol, line.What, line.Formula, Said(line.Expected), Said(line.Counted), line.Expected == line.Counted ? "ok" : "DIFFERS"])]);

    private static string Said(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);
}
