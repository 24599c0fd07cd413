using System.Globalization;
using System.Text.Json.Nodes;
using Synod.Bench.Reports;

namespace Synod.Bench.Convergent;

/// <summary>One figure of both sides: nanoseconds of the best round, or bytes.</summary>
internal sealed record ConvergentRow(string What, string Operation, string Unit, double Ours, double Theirs)
{
    public static void Write(IReadOnlyList<ConvergentRow> rows, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("Convergent types beside Akka.DistributedData, one thread, in memory");
        var table = new TextTable("type", "operation", "", "Synod", "beside", "ratio");
        foreach (var row in rows)
        {
            table.Add(row.What, row.Operation, row.Unit, Text(row.Ours), Text(row.Theirs), (row.Theirs / row.Ours).ToString("0.00", CultureInfo.InvariantCulture));
        }

        table.Write(output);
    }

    public static JsonObject ToJson(IReadOnlyList<ConvergentRow> rows) => new()
    {
        ["convergent"] = new JsonArray([.. rows.Select(row => new JsonObject
        {
            ["type"] = row.What,
            ["operation"] = row.Operation,
            ["unit"] = row.Unit,
            ["synod"] = Math.Round(row.Ours, 1),
            ["beside"] = Math.Round(row.Theirs, 1),
        })]),
    };

    private static string Text(double value) => value.ToString(value < 100 ? "0.0" : "N0", CultureInfo.InvariantCulture);
}
