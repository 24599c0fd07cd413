using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.Workloads.Simulated;

namespace Synod.App.Sim;

/// <summary>How the seeded bugs fared against the simulator.</summary>
internal sealed record HuntReport(IReadOnlyList<HuntResult> Results)
{
    public bool AllCaught => Results.All(result => result.Caught is not null);

    private double MedianSeconds => Results.Select(result => result.Wall.TotalSeconds).Order().ElementAt(Results.Count / 2);

    public JsonObject ToJson() => new()
    {
        ["bugs"] = new JsonArray([.. Results.Select(result => new JsonObject
        {
            ["bug"] = result.Bug.Name,
            ["workload"] = result.Bug.Workload,
            ["caught"] = result.Caught is not null,
            ["by"] = result.Caught?.Invariant,
            ["seeds"] = result.Seeds,
            ["seconds"] = Math.Round(result.Wall.TotalSeconds, 2),
        })]),
        ["caught"] = Results.Count(result => result.Caught is not null),
        ["median_seconds"] = Math.Round(MedianSeconds, 2),
        ["ok"] = AllCaught,
    };

    public Table ToTable()
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("seeded bug", "workload", "seeds", "seconds", "caught by");
        foreach (var result in Results)
        {
            table.AddRow(
                Markup.Escape(result.Bug.Name),
                result.Bug.Workload,
                $"{result.Seeds}",
                string.Create(CultureInfo.InvariantCulture, $"{result.Wall.TotalSeconds:0.0}"),
                result.Caught is { } caught ? Markup.Escape(caught.Invariant) : "[bold red]nothing[/]");
        }

        table.Caption(Markup.Escape(Summary));
        return table;
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("# Seeded bugs\n\nWritten by `./synod sim --bugs --out docs/seeded-bugs.md`. Each row is the shipping code with one known mistake, run under\n");
        text.Append("seed after seed until an invariant or a checker saw it.\n\n");
        text.Append("| seeded bug | workload | seeds | seconds | caught by |\n|---|---|--:|--:|---|\n");
        foreach (var result in Results)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {result.Bug.Name} | {result.Bug.Workload} | {result.Seeds} | {result.Wall.TotalSeconds:0.0} | {result.Caught?.Invariant ?? "**nothing**"} |\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"\n{Summary}\n").ToString();
    }

    private string Summary => string.Create(
        CultureInfo.InvariantCulture,
        $"{Results.Count(result => result.Caught is not null)} of {Results.Count} caught; median {MedianSeconds:0.0} s.");
}
