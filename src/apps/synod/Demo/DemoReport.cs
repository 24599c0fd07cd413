using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.Workloads;

namespace Synod.App.Demo;

/// <summary>What the demo found, and the verdict: nothing lost, no money created, and the killed node caught up.</summary>
internal sealed record DemoReport
{
    public required WorkloadProgress Progress { get; init; }

    public required double Seconds { get; init; }

    public required long Audits { get; init; }

    public required long AuditsWrong { get; init; }

    public required long TotalBefore { get; init; }

    public required long TotalAfter { get; init; }

    public required long AckedLost { get; init; }

    public required int KilledNode { get; init; }

    public required bool CaughtUp { get; init; }

    public required IReadOnlyList<string> Anomalies { get; init; }

    public bool Ok =>
        Anomalies.Count == 0 && AckedLost == 0 && AuditsWrong == 0 && TotalAfter == TotalBefore && CaughtUp && KilledNode != 0
        && Progress.Committed > 0 && Audits > 0;

    private double Throughput => Math.Round(Progress.Committed / Seconds, 1);

    public JsonObject ToJson() => new()
    {
        ["transfers_committed"] = Progress.Committed,
        ["transfers_aborted"] = Progress.Aborted,
        ["transfers_retried"] = Progress.Retried,
        ["transfers_unknown"] = Progress.Unknown,
        ["audits"] = Audits,
        ["audits_wrong"] = AuditsWrong,
        ["total_before"] = TotalBefore,
        ["total_after"] = TotalAfter,
        ["acked_lost"] = AckedLost,
        ["killed_node"] = KilledNode,
        ["caught_up"] = CaughtUp,
        ["longest_gap_ms"] = Milliseconds(Progress.LongestGap),
        ["p50_ms"] = Milliseconds(Progress.P50),
        ["p99_ms"] = Milliseconds(Progress.P99),
        ["throughput"] = Throughput,
        ["ok"] = Ok,
    };

    public Table ToTable()
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("the bank").AddColumn(new TableColumn("").RightAligned());
        Row("transfers committed", Progress.Committed);
        Row("transfers aborted", Progress.Aborted);
        Row("attempts retried", Progress.Retried);
        Row("transfers unknown", Progress.Unknown);
        table.AddRow("throughput", string.Create(CultureInfo.InvariantCulture, $"{Throughput:N1}/s"));
        table.AddRow("latency p50 / p99", string.Create(CultureInfo.InvariantCulture, $"{Milliseconds(Progress.P50)} / {Milliseconds(Progress.P99)} ms"));
        table.AddRow("longest gap without a commit", string.Create(CultureInfo.InvariantCulture, $"{Milliseconds(Progress.LongestGap):N0} ms"));
        table.AddRow("audits, of them wrong", string.Create(CultureInfo.InvariantCulture, $"{Audits:N0}, {AuditsWrong:N0}"));
        table.AddRow("node killed with SIGKILL", KilledNode == 0 ? "none" : $"{KilledNode}, {(CaughtUp ? "caught up" : "[red]did not catch up[/]")}");
        table.AddRow("acknowledged transfers lost", Good(AckedLost == 0, AckedLost));
        table.AddRow("total before", string.Create(CultureInfo.InvariantCulture, $"{TotalBefore:N0}"));
        table.AddRow("total after", Good(TotalAfter == TotalBefore, TotalAfter));
        table.AddRow("[bold]verdict[/]", Ok ? "[bold green]nothing lost, no money created[/]" : "[bold red]BROKEN[/]");
        return table;

        void Row(string name, long value) => table.AddRow(name, string.Create(CultureInfo.InvariantCulture, $"{value:N0}"));
    }

    private static string Good(bool good, long value) =>
        string.Create(CultureInfo.InvariantCulture, $"[{(good ? "green" : "red")}]{value:N0}[/]");

    private static double Milliseconds(long nanoseconds) => Math.Round(nanoseconds / 1e6, 2);
}
