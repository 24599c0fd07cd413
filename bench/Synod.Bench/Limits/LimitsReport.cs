using System.Globalization;
using System.Text.Json.Nodes;
using Synod.Bench.Reports;

namespace Synod.Bench.Limits;

/// <summary>The raw limits of the machine, to be read beside every other figure.</summary>
internal sealed class LimitsReport(IReadOnlyList<Limit> limits)
{
    public void Write(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("Raw limits of this machine");
        var table = new TextTable("limit", "", "per second", "p50 ms", "p99 ms");
        foreach (var limit in limits)
        {
            table.Add(
                limit.Name, "", limit.PerSecond.ToString("N0", CultureInfo.InvariantCulture),
                limit.Milliseconds(50).ToString("N3", CultureInfo.InvariantCulture),
                limit.Milliseconds(99).ToString("N3", CultureInfo.InvariantCulture));
        }

        table.Write(output);
    }

    public JsonObject ToJson() => new()
    {
        ["limits"] = new JsonArray([.. limits.Select(limit => new JsonObject
        {
            ["name"] = limit.Name,
            ["per_second"] = Math.Round(limit.PerSecond, 1),
            ["p50_ms"] = limit.Milliseconds(50),
            ["p99_ms"] = limit.Milliseconds(99),
        })]),
    };
}
