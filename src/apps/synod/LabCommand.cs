using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.Lab.Costs;
using Synod.Lab.Drawing;
using Synod.Lab.Scenarios;

namespace Synod.App;

/// <summary><c>synod lab</c>: what each protocol does when things go wrong, drawn, told and judged.</summary>
internal static class LabCommand
{
    private static readonly Argument<string> Name = new("scenario") { Description = "Which one; 'synod lab list' has the names." };
    private static readonly Argument<string> Family = new("family") { Description = $"One of: {string.Join(", ", CostTable.Families)}." };
    private static readonly Argument<string?> Claim = new("proof") { Description = "Which one; without it, the list of all.", DefaultValueFactory = _ => null };
    private static readonly Option<int?> Size = new Option<int?>("--size") { Description = "How many rounds, or runs, in place of as many as in the list: each round more takes about ten times as long." }.Between(1, 1_000_000_000);
    private static readonly Option<int> Jobs = new Option<int>("--jobs", "-j") { Description = "Threads that share the last round of schedules, or the runs; each takes one core, and a gigabyte or two where schedules are many.", DefaultValueFactory = _ => Environment.ProcessorCount }.Between(1, 1_024);
    private static readonly Option<ulong> Seed = new Option<ulong>("--seed") { Description = "What chance there is in the scenario is drawn from it.", DefaultValueFactory = _ => 1 }.Between(0ul, ulong.MaxValue);
    private static readonly Option<string?> Svg = new("--svg") { Description = "Also draw the report into this file, as a picture in SVG." };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object." };

    public static Command Create()
    {
        var list = new Command("list", "The scenarios, and the verdict that each one promises.") { Json };
        list.SetAction((parsed, _) => Terminal.RunAsync(() => Task.FromResult(List(parsed))));
        var run = new Command("run", $"Plays a scenario: exit code 0 if the verdict is the one promised. {ExitCodes.Help}") { Name, Seed, Svg, Json };
        run.SetAction((parsed, _) => Terminal.JudgedAsync(parsed.GetValue(Json), () => Task.FromResult(Run(parsed))));
        var cost = new Command("cost", $"Counts messages, delays and forced writes beside the formulas: exit code 1 if they differ. {ExitCodes.Help}") { Family, Json };
        cost.SetAction((parsed, _) => Terminal.JudgedAsync(parsed.GetValue(Json), () => Task.FromResult(Cost(parsed))));
        var prove = new Command("prove", $"Checks a claim that takes minutes to an hour, saying now and then how far it is; without a name, says which there are. Exit code 0 if it holds. {ExitCodes.Help}") { Claim, Size, Jobs, Json };
        prove.SetAction((parsed, stop) => Terminal.JudgedAsync(
            parsed.GetValue(Json), () => ProveCommand.RunAsync(parsed.GetValue(Claim), parsed.GetValue(Size), parsed.GetValue(Jobs), parsed.GetValue(Json), stop)));
        return new Command("lab", "Shows what each protocol does when things go wrong.") { list, run, cost, prove };
    }

    private static int List(ParseResult parsed)
    {
        if (parsed.GetValue(Json))
        {
            Terminal.Json(new JsonObject
            {
                ["scenarios"] = new JsonArray([.. ScenarioList.All.Select(scenario => new JsonObject
                {
                    ["name"] = scenario.Name,
                    ["title"] = scenario.Title,
                    ["holds"] = Names(scenario.Promise.Holds),
                    ["broken"] = Names(scenario.Promise.Broken),
                })]),
            });
            return ExitCodes.Done;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("scenario", "what it shows", "what it promises");
        foreach (var scenario in ScenarioList.All)
        {
            var promise = scenario.Promise.Broken.Count == 0 ? "all holds" : $"{string.Join(", ", scenario.Promise.Broken)} broken";
            table.AddRow(Markup.Escape(scenario.Name), Markup.Escape(scenario.Title), Markup.Escape(promise));
        }

        Terminal.Out.Write(table);
        return ExitCodes.Done;
    }

    private static JsonArray Names(IReadOnlyList<string> names) => [.. names.Select(name => (JsonNode)name)];

    private static int Run(ParseResult parsed)
    {
        OutputFile.Check(parsed, Svg);
        var scenario = ScenarioList.Named(parsed.GetValue(Name)!);
        Terminal.Talk.MarkupLineInterpolated($"[grey]playing {scenario.Name} …[/]");
        var report = scenario.Run(parsed.GetValue(Seed));
        if (parsed.GetValue(Svg) is { } file)
        {
            OutputFile.Write(file, SvgPicture.Draw(report));
        }

        if (parsed.GetValue(Json))
        {
            Terminal.Json(JsonReport.Of(report));
        }
        else
        {
            Show(report);
        }

        return report.IsAsPromised ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static int Cost(ParseResult parsed)
    {
        var table = CostTable.Of(parsed.GetValue(Family)!);
        if (parsed.GetValue(Json))
        {
            Terminal.Json(new JsonObject
            {
                ["family"] = table.Family,
                ["costs"] = new JsonArray([.. table.Lines.Select(line => new JsonObject
                {
                    ["protocol"] = line.Protocol,
                    ["what"] = line.What,
                    ["formula"] = line.Formula,
                    ["expected"] = line.Expected,
                    ["counted"] = line.Counted,
                })]),
                ["ok"] = table.IsAsWritten,
            });
        }
        else
        {
            // Not through the console's own tables, which would take the brackets of formulas for markup.
            Console.Out.Write(TextTable.Draw(table.ToFigures()));
        }

        return table.IsAsWritten ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static void Show(Report report)
    {
        Terminal.Out.MarkupLineInterpolated($"[bold]{report.Scenario.Name}[/]  {report.Scenario.Title}");
        foreach (var act in report.Acts)
        {
            Terminal.Out.WriteLine();
            Terminal.Out.MarkupLineInterpolated($"[bold]{act.Heading}[/]");

            // Lines as they are: a diagram that is folded at the edge of the window cannot be read.
            Console.Out.Write(SpaceTimeText.Draw(act.History));
        }

        if (report.Acts.Count > 0)
        {
            Terminal.Out.MarkupLineInterpolated($"[grey]{SpaceTimeText.Legend}[/]");
        }

        foreach (var figures in report.Figures)
        {
            Terminal.Out.WriteLine();
            Terminal.Out.MarkupLineInterpolated($"[bold]{figures.Heading}[/]");
            Console.Out.Write(TextTable.Draw(figures));
            if (figures.Plot is { } plot)
            {
                Console.Out.Write(TextTable.Draw(plot));
            }
        }

        Terminal.Out.WriteLine();
        foreach (var sentence in report.Story)
        {
            Terminal.Out.WriteLine(sentence);
        }

        Terminal.Out.WriteLine();
        foreach (var finding in report.Findings)
        {
            var mark = finding.Holds ? "[green]holds[/] " : "[red]broken[/]";
            Terminal.Out.MarkupLine($"{mark} [bold]{Markup.Escape(finding.Name)}[/]: {Markup.Escape(finding.Detail)}");
        }

        var verdict = report.Verdict.ToString().ToLowerInvariant();
        Terminal.Out.MarkupLine(report.IsAsPromised
            ? $"verdict: [bold]{verdict}[/], as promised"
            : $"verdict: [bold red]{verdict}[/], which is not what was promised: {Markup.Escape(Promised(report.Scenario.Promise))}");
    }

    private static string Promised(Promise promise) =>
        $"{string.Join(", ", promise.Holds)} hold{(promise.Broken.Count == 0 ? "" : $", {string.Join(", ", promise.Broken)} broken")}";
}
