using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Synod.App.Sim;

/// <summary>How the known mistakes fared.</summary>
internal sealed record HuntReport(IReadOnlyList<HuntResult> Results)
{
    public bool AllCaught => Results.All(result => result.Caught is not null);

    private double MedianSeconds => Results.Select(result => result.Wall.TotalSeconds).Order().ElementAt(Results.Count / 2);

    public JsonObject ToJson() => new()
    {
        ["bugs"] = new JsonArray([.. Results.Select(result => new JsonObject
        {
            ["bug"] = result.Bug.Name,
            ["where"] = result.Bug.Where,
            ["caught"] = result.Caught is not null,
            ["by"] = result.Caught?.Invariant,
            ["runs"] = result.Runs,
            ["seconds"] = Math.Round(result.Wall.TotalSeconds, 2),
            ["replay"] = result.Caught is null ? null : result.ReplayCommand,
        })]),
        ["caught"] = Results.Count(result => result.Caught is not null),
        ["median_seconds"] = Math.Round(MedianSeconds, 2),
        ["ok"] = AllCaught,
    };

    public Table ToTable()
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("seeded bug", "where", "runs", "seed", "seconds", "caught by");
        foreach (var result in Results)
        {
            table.AddRow(
                Markup.Escape(result.Bug.Name),
                Markup.Escape(result.Bug.Where),
                $"{result.Runs}",
                $"{result.Seed}",
                Seconds(result),
                result.Caught is { } caught ? Markup.Escape(caught.Invariant) : "[bold red]nothing[/]");
        }

        table.Caption(Markup.Escape(Summary));
        return table;
    }

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("# Seeded bugs\n\nWritten by `./synod sim --bugs --out docs/seeded-bugs.md`. Each row is the shipping code with one known mistake, run under\n");
        text.Append("seed after seed until an invariant or a checker saw it: in its protocol's own room, or in whole nodes with clients and a workload.\n");
        text.Append("`./synod sim --bug NAME --seeds SEED` runs the last of these seeds again.\n\n");
        text.Append("| seeded bug | where | runs | seed | seconds | caught by |\n|---|---|--:|--:|--:|---|\n");
        foreach (var result in Results)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {result.Bug.Name} | {result.Bug.Where} | {result.Runs} | {result.Seed} | {Seconds(result)} | {result.Caught?.Invariant ?? "**nothing**"} |\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"\n{Summary}\n").ToString();
    }

    private static string Seconds(HuntResult result) => string.Create(CultureInfo.InvariantCulture, $"{result.Wall.TotalSeconds:0.0}");

    private string Summary => string.Create(
        CultureInfo.InvariantCulture,
        $"{Results.Count(result => result.Caught is not null)} of {Results.Count} caught; median {MedianSeconds:0.0} s.");
}
