using System.Text.Json.Nodes;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Scenarios;

namespace Synod.Lab.Drawing;

/// <summary>A report as one JSON object, for programs and pages.</summary>
public static class JsonReport
{
    public static JsonObject Of(Report report) => new()
    {
        ["scenario"] = report.Scenario.Name,
        ["title"] = report.Scenario.Title,
        ["seed"] = report.Seed,
        ["verdict"] = report.Verdict.ToString().ToLowerInvariant(),
        ["as_promised"] = report.IsAsPromised,
        ["findings"] = Many(report.Findings, finding => new JsonObject
        {
            ["name"] = finding.Name,
            ["kind"] = finding.Kind.ToString().ToLowerInvariant(),
            ["holds"] = finding.Holds,
            ["detail"] = finding.Detail,
        }),
        ["story"] = Many(report.Story, sentence => JsonValue.Create(sentence)),
        ["figures"] = Many(report.Figures, figures => new JsonObject
        {
            ["heading"] = figures.Heading,
            ["columns"] = Many(figures.Columns, column => JsonValue.Create(column)),
            ["rows"] = Many(figures.Rows, row => Many(row, cell => JsonValue.Create(cell))),
        }),
        ["histories"] = Many(report.Acts, act => new JsonObject
        {
            ["heading"] = act.Heading,
            ["lanes"] = Many(act.History.Lanes, lane => JsonValue.Create(lane.Name)),
            ["events"] = Many(act.History.Events, Of),
        }),
    };

    private static JsonObject Of(HistoryEvent item)
    {
        var said = new JsonObject
        {
            ["number"] = item.Number,
            ["ms"] = Ms(item.At),
            ["kind"] = item.Kind.ToString().ToLowerInvariant(),
            ["lane"] = item.Lane < 0 ? null : item.Lane,
            ["text"] = item.Text,
            ["detail"] = item.Detail,
        };
        if (item.Transit is { } transit)
        {
            said["message"] = transit.Number;
            said["from"] = transit.From;
            said["to"] = transit.To;
            said["sent_ms"] = Ms(transit.SentAt);
        }

        return said;
    }

    private static double Ms(Duration time) => Math.Round(time.Nanoseconds / 1e6, 3);

    private static JsonArray Many<T>(IEnumerable<T> items, Func<T, JsonNode?> each) => new([.. items.Select(each)]);
}
