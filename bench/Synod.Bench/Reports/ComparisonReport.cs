using System.Globalization;
using System.Text.Json.Nodes;
using Synod.Bench.Load;

namespace Synod.Bench.Reports;

/// <summary>Two targets side by side: a table for people, an object for programs.</summary>
internal sealed class ComparisonReport(string title, IReadOnlyList<LoadResult[]> pairs)
{
    public void Write(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine(title);
        var table = new TextTable("clients", "side", "ops/s", "p50 ms", "p99 ms", "failed", "retried", "ratio");
        foreach (var pair in pairs)
        {
            foreach (var result in pair)
            {
                table.Add(
                    Text(result.Clients), result.Target, Text(result.Throughput, "N0"), Text(result.Milliseconds(50), "N2"),
                    Text(result.Milliseconds(99), "N2"), Text(result.Failed), Text(result.Retried),
                    result == pair[0] && Ratio(pair) is { } ratio ? Text(ratio, "N2") + "x" : "");
            }
        }

        table.Write(output);
    }

    public JsonObject ToJson() => new()
    {
        ["title"] = title,
        ["results"] = new JsonArray([.. pairs.Select(pair => new JsonObject
        {
            ["clients"] = pair[0].Clients,
            ["ratio"] = Ratio(pair) is { } ratio ? Math.Round(ratio, 3) : null,
            ["sides"] = new JsonArray([.. pair.Select(ToJson)]),
        })]),
    };

    private static JsonObject ToJson(LoadResult result) => new()
    {
        ["side"] = result.Target,
        ["ops_per_second"] = Math.Round(result.Throughput, 1),
        ["p50_ms"] = result.Milliseconds(50),
        ["p99_ms"] = result.Milliseconds(99),
        ["failed"] = result.Failed,
        ["retried"] = result.Retried,
        ["stretches"] = new JsonArray([.. result.Stretches.Select(stretch => JsonValue.Create(Math.Round(stretch, 1)))]),
    };

    private static double? Ratio(LoadResult[] pair) =>
        pair.Length == 2 && pair[1].Throughput > 0 ? pair[0].Throughput / pair[1].Throughput : null;

    private static string Text(IFormattable value, string format = "N0") => value.ToString(format, CultureInfo.InvariantCulture);
}
