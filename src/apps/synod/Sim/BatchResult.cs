using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.Workloads.Simulated;

namespace Synod.App.Sim;

/// <summary>What came of a batch.</summary>
/// <param name="Unequal">Seeds whose second run went differently.</param>
internal sealed record BatchResult(
    SimulationBatch Batch, IReadOnlyList<SimulationVerdict> Verdicts, int Unequal, TimeSpan Wall)
{
    public IEnumerable<SimulationVerdict> Failures => Verdicts.Where(verdict => !verdict.IsOk);

    public bool IsOk => !Failures.Any() && Unequal == 0;

    private double Simulated => Verdicts.Sum(verdict => verdict.Simulated.Nanoseconds / 1e9) * (Batch.Twice ? 2 : 1);

    private SortedDictionary<string, long> Faults
    {
        get
        {
            var sum = new SortedDictionary<string, long>(StringComparer.Ordinal);
            foreach (var (fault, count) in Verdicts.SelectMany(verdict => verdict.Faults))
            {
                sum[fault] = sum.GetValueOrDefault(fault) + count;
            }

            return sum;
        }
    }

    public JsonObject ToJson() => new()
    {
        ["workloads"] = new JsonArray([.. Batch.Workloads.Select(name => (JsonNode)name)]),
        ["runs"] = Verdicts.Count,
        ["failed"] = Failures.Count(),
        ["unequal"] = Unequal,
        ["transactions_committed"] = Verdicts.Sum(verdict => verdict.Progress.Committed),
        ["transactions_unknown"] = Verdicts.Sum(verdict => verdict.Progress.Unknown),
        ["events"] = Verdicts.Sum(verdict => verdict.Events),
        ["simulated_seconds"] = Math.Round(Simulated, 1),
        ["wall_seconds"] = Math.Round(Wall.TotalSeconds, 2),
        ["faults"] = new JsonObject(Faults.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        ["failures"] = new JsonArray([.. Failures.Select(verdict => new JsonObject
        {
            ["workload"] = verdict.Workload,
            ["seed"] = verdict.Seed,
            ["invariant"] = verdict.Failure!.Invariant,
            ["detail"] = verdict.Failure.Detail,
            ["plan"] = verdict.Plan,
            ["replay"] = Batch.ReplayCommand(verdict),
        })]),
        ["ok"] = IsOk,
    };

    public Table ToTable()
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("simulation").AddColumn(new TableColumn("").RightAligned());
        table.AddRow("workloads", Markup.Escape(string.Join(", ", Batch.Workloads)));
        Row("runs", Verdicts.Count);
        Row("transactions committed", Verdicts.Sum(verdict => verdict.Progress.Committed));
        Row("transactions unknown", Verdicts.Sum(verdict => verdict.Progress.Unknown));
        Row("events", Verdicts.Sum(verdict => verdict.Events));
        foreach (var (fault, count) in Faults.Where(fault => fault.Value > 0))
        {
            Row($"  {fault}", count);
        }

        if (Faults.Count(fault => fault.Value == 0) is > 0 and var others)
        {
            Row($"  {others} other kinds of faults", 0);
        }

        table.AddRow("simulated time", string.Create(CultureInfo.InvariantCulture, $"{Simulated:N0} s"));
        table.AddRow("wall time", string.Create(CultureInfo.InvariantCulture, $"{Wall.TotalSeconds:N1} s, {Simulated / Wall.TotalSeconds:N0} simulated seconds each"));
        if (Batch.Twice)
        {
            table.AddRow("same trace the second time", $"{Verdicts.Count - Unequal} of {Verdicts.Count}");
        }

        table.AddRow("[bold]failed[/]", IsOk ? "[bold green]0[/]" : $"[bold red]{Failures.Count() + Unequal}[/]");
        return table;

        void Row(string name, long value) => table.AddRow(Markup.Escape(name), string.Create(CultureInfo.InvariantCulture, $"{value:N0}"));
    }
}
