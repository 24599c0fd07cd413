using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.App.Protocols;
using Synod.App.Protocols.Load;
using Synod.App.Protocols.Nodes;
using Synod.Core;

namespace Synod.App;

/// <summary><c>synod bench protocol</c>: one protocol by itself as real processes, measured and checked.</summary>
internal static class BenchProtocolCommand
{
    private static readonly Option<string> Protocol = new("--protocol", "-p")
    {
        Description = $"One of: {string.Join(", ", ProtocolCatalog.All.Select(entry => entry.Name))}.",
        Required = true,
    };

    private static readonly Option<int?> Nodes = new Option<int?>("--nodes", "-n") { Description = "Processes to start. Default: 3, or 4 for pbft and hotstuff." }.Between(1, NodeSet.Capacity - 1);
    private static readonly Option<int> Clients = new Option<int>("--clients") { Description = "Clients, each with one operation at a time.", DefaultValueFactory = _ => 16 }.Between(1, 10_000);
    private static readonly Option<int> Conflict = new Option<int>("--conflict") { Description = "Percent of operations on one key that all clients share.", DefaultValueFactory = _ => 0 }.Between(0, 100);
    private static readonly Option<string?> Quorums = new("--quorums") { Description = $"Which nodes of multipaxos elect its leader and which replicate: {QuorumText.Forms}. Unsafe ones are refused. Default: majority." };
    public static readonly Option<string> Durable = Switch("--durable", "on: records are synced to the disk; off: the data is in memory.", "on");
    public static readonly Option<string> Tls = Switch("--tls", "on: nodes talk over mutual TLS 1.3.", "off");
    private static readonly Option<int> ValueBytes = new Option<int>("--value-bytes") { Description = "Bytes of each value.", DefaultValueFactory = _ => 16 }.Between(1, MapCommand.MaxValue);
    private static readonly Option<int?> Pipeline = new Option<int?>("--pipeline") { Description = "Instances of epaxos or slots of pbft under way at once; what comes meanwhile shares the next. Default: the protocol's own." }.Between(1, 1_000);
    private static readonly Option<int?> Block = new Option<int?>("--block") { Description = "Commands that share an agreement at most, for epaxos, pbft and hotstuff. Default: the protocol's own." }.Between(1, 10_000);
    private static readonly Option<string> ClientSignatures = Switch("--client-signatures", "off: clients of pbft and hotstuff are believed unsigned, to see what the rest costs.", "on");
    public static readonly Option<long> CheckpointBytes = new Option<long>("--checkpoint-bytes") { Description = "Bytes of a node's log after which a checkpoint lets go of it.", DefaultValueFactory = _ => 64L << 20 }.Between(1, 1L << 40);
    public static readonly Option<double> Seconds = new Option<double>("--seconds") { Description = "How long to measure.", DefaultValueFactory = _ => 10 }.Between(0.1, Bounds.Day);
    public static readonly Option<double> Warmup = new Option<double>("--warmup") { Description = "Seconds to run before measuring.", DefaultValueFactory = _ => 2 }.Between(0, Bounds.Day);
    public static readonly Option<int[]> Kill = new Option<int[]>("--kill") { Description = "Kill this node with SIGKILL meanwhile, and start it again; repeat for more. It is measured until the node answers again, which may be longer than --seconds." }.Between(1, NodeSet.Capacity - 1);
    public static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object." };

    public static Command Create()
    {
        var command = new Command(
            "protocol",
            "Starts one protocol by itself as processes on loopback, with a replicated map on real disks, and measures it. Afterwards it checks that every node executed every acknowledged operation once: exit code 0 if so. "
            + $"Example: synod bench protocol -p multipaxos --nodes 6 --quorums 'grid 2x3' --kill 1. {ExitCodes.Help}")
        {
            Protocol, Nodes, Clients, Conflict, Quorums, Durable, Tls, ValueBytes, Pipeline, Block, ClientSignatures, CheckpointBytes, Seconds, Warmup, Kill, Json,
        };
        command.SetAction((parsed, cancellationToken) => Terminal.JudgedAsync(parsed.GetValue(Json), () => RunAsync(parsed, cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var entry = ProtocolCatalog.Find(parsed.GetValue(Protocol)!);
        var options = new ProtocolRunOptions(
            entry,
            parsed.GetValue(Nodes) ?? Math.Max(3, entry.LeastNodes),
            parsed.GetValue(Clients),
            parsed.GetValue(Quorums),
            IsOn(parsed, Durable),
            IsOn(parsed, Tls))
        {
            Pipeline = parsed.GetValue(Pipeline) ?? 0,
            Block = parsed.GetValue(Block) ?? 0,
            ClientSignatures = IsOn(parsed, ClientSignatures),
            CheckpointBytes = parsed.GetValue(CheckpointBytes),
        };
        var killed = Killed(parsed, options);
        await using var cluster = ProtocolCluster.Create(options);
        Terminal.Talk.MarkupLineInterpolated($"[grey]starting {options.Nodes} nodes of {entry.Name} …[/]");
        await cluster.StartAsync(cancellationToken);
        var load = new ProtocolLoad(cluster, options, ProtocolLoad.Writes(parsed.GetValue(Conflict), parsed.GetValue(ValueBytes)));
        var (warmup, length) = (TimeSpan.FromSeconds(parsed.GetValue(Warmup)), TimeSpan.FromSeconds(parsed.GetValue(Seconds)));
        Terminal.Talk.MarkupLineInterpolated($"[grey]warming up for {warmup.TotalSeconds:0.#} s, then measuring {length.TotalSeconds:0.#} s …[/]");
        var result = await load.RunAsync(warmup, length, killed, cancellationToken);
        Terminal.Talk.MarkupLineInterpolated($"[grey]checking every node …[/]");
        var audit = await load.AuditAsync(cancellationToken);
        var isOk = audit is { Lost: 0, Repeated: 0 } && result.Operations > 0;
        cluster.Keep = !isOk;
        var report = Report(parsed, options, killed, result, audit, isOk);
        if (parsed.GetValue(Json))
        {
            Terminal.Json(report);
        }
        else
        {
            Print(options, result, audit, isOk);
        }

        return isOk ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static JsonObject Report(
        ParseResult parsed, ProtocolRunOptions options, int[] killed, LoadResult result, Audit audit, bool isOk) => new()
    {
        ["protocol"] = options.Entry.Name,
        ["nodes"] = options.Nodes,
        ["clients"] = options.Clients,
        ["conflict_percent"] = parsed.GetValue(Conflict),
        ["quorums"] = options.Quorums,
        ["pipeline"] = options.Pipeline == 0 ? null : options.Pipeline,
        ["block"] = options.Block == 0 ? null : options.Block,
        ["client_signatures"] = options.Entry.HasKeys ? options.ClientSignatures : null,
        ["durable"] = options.Durable,
        ["tls"] = options.Tls,
        ["seconds"] = Math.Round(result.Seconds, 3),
        ["operations"] = result.Operations,
        ["aborted"] = result.Aborted,
        ["unknown"] = result.Unknown,
        ["throughput"] = Math.Round(result.Throughput, 1),
        ["p50_ms"] = result.At(50),
        ["p99_ms"] = result.At(99),
        ["max_ms"] = result.At(100),
        ["messages_per_decision"] = PerDecision(result, counts => counts.Messages),
        ["bytes_per_decision"] = PerDecision(result, counts => counts.Bytes),
        ["records_per_decision"] = PerDecision(result, counts => counts.Records),
        ["syncs_per_decision"] = PerDecision(result, counts => counts.Syncs),
        ["fast_path_share"] = FastShare(result),
        ["node_processor_us_per_decision"] = PerDecision(result, counts => counts.ProcessorMicroseconds),
        ["client_processor_us_per_decision"] = result.Operations > 0 ? Math.Round(result.ClientProcessor.TotalMicroseconds / result.Operations, 1) : null,
        ["signed_per_decision"] = Checking(result) is null ? null : PerDecision(result, counts => counts.Signed),
        ["verified_per_decision"] = Checking(result) is null ? null : PerDecision(result, counts => counts.Verified),
        ["verification_limit_per_second"] = Checking(result)?.Limit,
        ["verification_share"] = Checking(result)?.OfLimit,
        ["verification_processor_share"] = Checking(result)?.OfProcessor,
        ["checkpoints"] = audit.Checkpoints,
        ["killed_nodes"] = new JsonArray([.. killed.Select(node => (JsonNode)node)]),
        ["acked"] = audit.Acknowledged,
        ["acked_lost"] = audit.Lost,
        ["repeated"] = audit.Repeated,
        ["ok"] = isOk,
    };

    private static void Print(ProtocolRunOptions options, LoadResult result, Audit audit, bool isOk)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("", "");
        table.HideHeaders();
        table.AddRow("protocol", $"{options.Entry.Name}, {options.Nodes} nodes, {options.Clients} client{(options.Clients == 1 ? "" : "s")}, {(options.Durable ? "on disk" : "in memory")}{(options.Tls ? ", TLS" : "")}");
        if (options.Quorums is { } quorums)
        {
            Row("quorums", $"{quorums}");
        }

        Row("throughput", $"{result.Throughput:N0}/s ({result.Operations:N0} in {result.Seconds:0.0} s)");
        Row("p50 / p99 / max", $"{result.At(50)} / {result.At(99)} / {result.At(100)} ms");
        Row("aborted / unknown", $"{result.Aborted:N0} / {result.Unknown:N0}");
        if (result.Operations > 0)
        {
            Row("a decision costs", $"{PerDecision(result, counts => counts.Messages):0.00} messages, {PerDecision(result, counts => counts.Bytes):N0} bytes, {PerDecision(result, counts => counts.Records):0.00} records, {PerDecision(result, counts => counts.Syncs):0.00} syncs");
        }

        if (Checking(result) is { } checking)
        {
            Row("signatures", $"{PerDecision(result, counts => counts.Signed):0.00} made and {PerDecision(result, counts => counts.Verified):0.00} checked a decision: {checking.OfLimit:P0} of the {checking.Limit:N0}/s that all cores could check, {checking.OfProcessor:P0} of the processor time that nodes and clients had");
        }

        if (FastShare(result) is { } share)
        {
            Row("fast path", $"{share:P1}");
        }

        Row("acknowledged / lost / repeated", $"{audit.Acknowledged:N0} / {audit.Lost:N0} / {audit.Repeated:N0}");
        table.AddRow("[bold]verdict[/]", isOk ? "[bold green]nothing lost, nothing twice[/]" : "[bold red]not as it must be[/]");
        Terminal.Out.Write(table);

        void Row(string name, FormattableString value) => table.AddRow(name, Markup.Escape(value.ToString(CultureInfo.InvariantCulture)));
    }

    public static double? PerDecision(LoadResult result, Func<Api.ProtocolCounts, long> count) =>
        result.Operations > 0 ? Math.Round(count(result.Counts) / (double)result.Operations, 2) : null;

    private static double? FastShare(LoadResult result) =>
        result.Counts is { Decisions: > 0, Fast: > 0 } counts ? Math.Round(counts.Fast / (double)counts.Decisions, 4) : null;

    /// <summary>
    /// What checking signatures takes, at the price that it had during the run: checks per second if all cores did nothing else, the share
    /// of that which was reached, and the share of the processor time that nodes and clients had, which is the same if nobody else used
    /// the machine and no core idled.
    /// </summary>
    private static (double Limit, double OfLimit, double OfProcessor)? Checking(LoadResult result)
    {
        if (result.Counts is not { Verified: > 0, VerifyingMicroseconds: > 0 } counts)
        {
            return null;
        }

        var (checking, cores) = (counts.VerifyingMicroseconds / 1e6, Environment.ProcessorCount);
        return (
            Math.Round(counts.Verified / checking * cores),
            Math.Round(checking / result.Seconds / cores, 4),
            Math.Round(checking / (counts.ProcessorMicroseconds / 1e6 + result.ClientProcessor.TotalSeconds), 4));
    }

    public static bool IsOn(ParseResult parsed, Option<string> option) => parsed.GetValue(option) == "on";

    /// <summary>The nodes to kill.</summary>
    /// <exception cref="ArgumentException">One of them is none.</exception>
    public static int[] Killed(ParseResult parsed, ProtocolRunOptions options)
    {
        var killed = parsed.GetValue(Kill) ?? [];
        foreach (var stranger in killed.Where(node => node > options.Nodes))
        {
            throw new ArgumentException($"There is no node {stranger} to kill: nodes are numbered from 1 to {options.Nodes}.");
        }

        return killed;
    }

    private static Option<string> Switch(string name, string description, string standard) =>
        new Option<string>(name) { Description = description, DefaultValueFactory = _ => standard }.Among("on", "off");
}
