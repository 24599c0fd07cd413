using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.App.Protocols;
using Synod.App.Protocols.Load;
using Synod.App.Protocols.Nodes;
using Synod.App.Protocols.Snapshots;
using Synod.Core;

namespace Synod.App;

/// <summary><c>synod bench snapshots</c>: Chandy-Lamport snapshots of a bank whose branches are real processes, measured and checked.</summary>
internal static class BenchSnapshotsCommand
{
    private static readonly Option<int> Nodes = new Option<int>("--nodes", "-n") { Description = "Processes to start: a branch each, with a channel to every other.", DefaultValueFactory = _ => 3 }.Between(2, NodeSet.Capacity - 1);
    private static readonly Option<int> Clients = new Option<int>("--clients") { Description = "Clients that move money, each with one transfer at a time.", DefaultValueFactory = _ => 16 }.Between(1, 10_000);
    private static readonly Option<int> Initiators = new Option<int>("--initiators") { Description = "Snapshots under way at a time, from as many branches.", DefaultValueFactory = _ => 2 }.Between(1, 100);
    private static readonly Option<double> Pause = new Option<double>("--pause") { Description = "Milliseconds between the end of a snapshot and the next one from there.", DefaultValueFactory = _ => 20 }.Between(0, 60_000);
    private static readonly Option<string> Order = new Option<string>("--order") { Description = "fifo: markers part what was sent before from what was sent after (Chandy and Lamport); none: messages say it, and counts (Lai and Yang).", DefaultValueFactory = _ => "fifo" }.Among("fifo", "none");

    public static Command Create()
    {
        var command = new Command(
            "snapshots",
            "Starts a bank of branches as processes on loopback and takes consistent snapshots of it while money moves. Every cut must be one that the bank can have been in, with all its money in accounts and channels. Afterwards it checks that no transfer was lost or done twice, and puts the bank back to a cut: exit code 0 if all is so. "
            + $"Example: synod bench snapshots --kill 1 --seconds 5. {ExitCodes.Help}")
        {
            Nodes, Clients, Initiators, Pause, Order, BenchProtocolCommand.Durable, BenchProtocolCommand.Tls, BenchProtocolCommand.CheckpointBytes,
            BenchProtocolCommand.Seconds, BenchProtocolCommand.Warmup, BenchProtocolCommand.Kill, BenchProtocolCommand.Json,
        };
        command.SetAction((parsed, cancellationToken) => Terminal.JudgedAsync(parsed.GetValue(BenchProtocolCommand.Json), () => RunAsync(parsed, cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var options = new ProtocolRunOptions(
            ProtocolCatalog.Snapshots, parsed.GetValue(Nodes), parsed.GetValue(Clients), null, BenchProtocolCommand.IsOn(parsed, BenchProtocolCommand.Durable), BenchProtocolCommand.IsOn(parsed, BenchProtocolCommand.Tls))
        {
            Unordered = parsed.GetValue(Order) == "none",
            CheckpointBytes = parsed.GetValue(BenchProtocolCommand.CheckpointBytes),
        };
        var killed = BenchProtocolCommand.Killed(parsed, options);
        await using var cluster = ProtocolCluster.Create(options);
        Terminal.Talk.MarkupLineInterpolated($"[grey]starting {options.Nodes} branches …[/]");
        await cluster.StartAsync(cancellationToken);
        var bank = new SnapshotLoad(cluster, options, parsed.GetValue(Initiators), TimeSpan.FromMilliseconds(parsed.GetValue(Pause)));
        var (warmup, length) = (TimeSpan.FromSeconds(parsed.GetValue(BenchProtocolCommand.Warmup)), TimeSpan.FromSeconds(parsed.GetValue(BenchProtocolCommand.Seconds)));
        Terminal.Talk.MarkupLineInterpolated($"[grey]moving money and taking snapshots for {(warmup + length).TotalSeconds:0.#} s …[/]");
        var (load, result, snapshots) = await bank.RunAsync(warmup, length, killed, cancellationToken);
        Terminal.Talk.MarkupLineInterpolated($"[grey]checking every branch, then putting the bank back to a cut …[/]");
        var audit = await bank.AuditAsync(load, cancellationToken);
        var isOk = snapshots is { Taken: > 0, Inconsistent: 0, WrongTotal: 0 } && audit is { Lost: 0, Repeated: 0, IsRestored: true }
            && audit.Money == bank.Total && result.Operations > 0;
        cluster.Keep = !isOk;
        if (parsed.GetValue(BenchProtocolCommand.Json))
        {
            Terminal.Json(Report(parsed, options, killed, result, snapshots, audit, isOk));
        }
        else
        {
            Print(options, result, snapshots, audit, isOk);
        }

        return isOk ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static JsonObject Report(
        ParseResult parsed, ProtocolRunOptions options, int[] killed, LoadResult result, SnapshotTally snapshots, SnapshotAudit audit, bool isOk) => new()
    {
        ["nodes"] = options.Nodes,
        ["clients"] = options.Clients,
        ["initiators"] = parsed.GetValue(Initiators),
        ["order"] = parsed.GetValue(Order),
        ["durable"] = options.Durable,
        ["tls"] = options.Tls,
        ["seconds"] = Math.Round(result.Seconds, 3),
        ["transfers"] = result.Operations,
        ["refused"] = result.Aborted,
        ["unknown"] = result.Unknown,
        ["throughput"] = Math.Round(result.Throughput, 1),
        ["p50_ms"] = result.At(50),
        ["p99_ms"] = result.At(99),
        ["messages_per_transfer"] = BenchProtocolCommand.PerDecision(result, counts => counts.Messages),
        ["syncs_per_transfer"] = BenchProtocolCommand.PerDecision(result, counts => counts.Syncs),
        ["snapshots"] = snapshots.Taken,
        ["snapshots_failed"] = new JsonObject(snapshots.Failed.Select(item => KeyValuePair.Create(item.Key, (JsonNode?)item.Value))),
        ["snapshots_unknown"] = snapshots.Unknown,
        ["snapshot_p50_ms"] = snapshots.At(50),
        ["snapshot_p99_ms"] = snapshots.At(99),
        ["in_channels"] = snapshots.InChannels,
        ["most_in_channels"] = snapshots.MostInChannels,
        ["inconsistent"] = snapshots.Inconsistent,
        ["wrong_total"] = snapshots.WrongTotal,
        ["killed_nodes"] = new JsonArray([.. killed.Select(node => (JsonNode)node)]),
        ["acked"] = audit.Acknowledged,
        ["acked_lost"] = audit.Lost,
        ["repeated"] = audit.Repeated,
        ["checkpoints"] = audit.Checkpoints,
        ["money"] = audit.Money,
        ["restored"] = audit.IsRestored,
        ["restored_in_channels"] = audit.RestoredInChannels,
        ["ok"] = isOk,
    };

    private static void Print(ProtocolRunOptions options, LoadResult result, SnapshotTally snapshots, SnapshotAudit audit, bool isOk)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("", "");
        table.HideHeaders();
        Row("bank", $"{options.Nodes} branches, {options.Clients} client{(options.Clients == 1 ? "" : "s")}, {(options.Unordered ? "colours and counts" : "markers")}, {(options.Durable ? "on disk" : "in memory")}{(options.Tls ? ", TLS" : "")}");
        Row("transfers", $"{result.Throughput:N0}/s, p50 / p99 {result.At(50)} / {result.At(99)} ms, {result.Unknown:N0} unknown");
        Row("snapshots", $"{snapshots.Taken:N0} complete, {snapshots.Failed.Values.Sum():N0} given up{(snapshots.Failed.Count == 0 ? "" : $" ({string.Join(", ", snapshots.Failed.Select(item => $"{item.Key} {item.Value}"))})")}, {snapshots.Unknown:N0} unknown; p50 / p99 {snapshots.At(50)} / {snapshots.At(99)} ms");
        Row("messages in channels", $"{(snapshots.Taken == 0 ? 0 : (double)snapshots.InChannels / snapshots.Taken):0.0} in a cut, {snapshots.MostInChannels:N0} at most");
        Row("inconsistent / wrong total", $"{snapshots.Inconsistent:N0} / {snapshots.WrongTotal:N0}");
        Row("acknowledged / lost / repeated", $"{audit.Acknowledged:N0} / {audit.Lost:N0} / {audit.Repeated:N0}");
        Row("put back", $"{(audit.IsRestored ? "to" : "NOT to")} the cut with {audit.RestoredInChannels:N0} messages in channels");
        table.AddRow("[bold]verdict[/]", isOk ? "[bold green]every cut has all the money, nothing lost, nothing twice[/]" : "[bold red]not as it must be[/]");
        Terminal.Out.Write(table);

        void Row(string name, FormattableString value) => table.AddRow(name, Markup.Escape(value.ToString(CultureInfo.InvariantCulture)));
    }
}
