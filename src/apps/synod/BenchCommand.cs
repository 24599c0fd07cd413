using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.App.Bench;
using Synod.Client;

namespace Synod.App;

/// <summary><c>synod bench</c>: a closed loop of clients against any cluster, with a latency histogram.</summary>
internal static class BenchCommand
{
    private static readonly Option<int> Clients = new Option<int>("--clients") { Description = "Workers, each with one operation at a time.", DefaultValueFactory = _ => 64 }.Between(1, 10_000);
    private static readonly Option<int> ValueBytes = new Option<int>("--value-bytes") { Description = "Bytes of each value.", DefaultValueFactory = _ => 256 }.Between(1, Limits.MaxValueBytes);
    private static readonly Option<double> Seconds = new Option<double>("--seconds") { Description = "How long to measure.", DefaultValueFactory = _ => 10 }.Between(0.1, Bounds.Day);
    private static readonly Option<double> Warmup = new Option<double>("--warmup") { Description = "Seconds to run before measuring.", DefaultValueFactory = _ => 3 }.Between(0, Bounds.Day);
    private static readonly Option<int> Keys = new Option<int>("--keys") { Description = "Keys, or accounts on each side of a transfer.", DefaultValueFactory = _ => 10_000 }.Between(1, 10_000_000);
    private static readonly Option<int> Ranges = new Option<int>("--ranges") { Description = "Ranges that the keys are spread over.", DefaultValueFactory = _ => 3 }.Between(1, 1_000);
    private static readonly Option<int> Connections = new Option<int>("--connections") { Description = "Connections to each node.", DefaultValueFactory = _ => 1 }.Between(1, 100);
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object." };

    public static Command Create() => new("bench", "Measures a cluster: a closed loop of clients with a latency histogram.")
    {
        Load("write", "Durable replicated writes of random keys.", settings => new WriteLoad(settings)),
        Load("read", "Linearizable reads of random keys.", settings => new ReadLoad(settings)),
        Load("transfer", "Transactions that move money between accounts of two ranges.", settings => new TransferLoad(settings)),
        BenchProtocolCommand.Create(),
        BenchSnapshotsCommand.Create(),
    };

    private static Command Load(string name, string description, Func<LoadSettings, ILoad> make)
    {
        var command = new Command(name, description) { Clients, ValueBytes, Seconds, Warmup, Keys, Ranges, Connections, Json };
        var flags = new ClientFlags(command);
        command.SetAction((parsed, cancellationToken) => Terminal.RunAsync(async () =>
        {
            var clients = new SynodClient[parsed.GetValue(Connections)];
            for (var i = 0; i < clients.Length; i++)
            {
                clients[i] = flags.Client(parsed);
            }

            var settings = new LoadSettings(parsed.GetValue(Keys), parsed.GetValue(ValueBytes), parsed.GetValue(Ranges));
            var run = new BenchRun(name, clients, make(settings), parsed.GetValue(Clients));
            var result = await run.RunAsync(
                TimeSpan.FromSeconds(parsed.GetValue(Warmup)), TimeSpan.FromSeconds(parsed.GetValue(Seconds)), cancellationToken);
            Print(parsed, settings, result);
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }

            return result.Operations > 0 ? ExitCodes.Done : ExitCodes.Failed;
        }));
        return command;
    }

    private static void Print(ParseResult parsed, LoadSettings settings, BenchResult result)
    {
        if (parsed.GetValue(Json))
        {
            Terminal.Json(new JsonObject
            {
                ["bench"] = result.Name,
                ["clients"] = parsed.GetValue(Clients),
                ["value_bytes"] = settings.ValueBytes,
                ["seconds"] = Math.Round(result.Seconds, 3),
                ["operations"] = result.Operations,
                ["throughput"] = Math.Round(result.Throughput, 1),
                ["p50_ms"] = result.At(50),
                ["p90_ms"] = result.At(90),
                ["p99_ms"] = result.At(99),
                ["p999_ms"] = result.At(99.9),
                ["max_ms"] = result.At(100),
                ["retried"] = result.Retried,
                ["aborted"] = result.Aborted,
                ["unknown"] = result.Unknown,
                ["failed"] = result.Failed,
            });
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("", "");
        table.HideHeaders();
        table.AddRow("load", $"{result.Name}, {parsed.GetValue(Clients)} clients, {settings.ValueBytes} B");
        table.AddRow("throughput", string.Create(CultureInfo.InvariantCulture, $"{result.Throughput:N0}/s ({result.Operations:N0} in {result.Seconds:0.0} s)"));
        table.AddRow("p50 / p90", string.Create(CultureInfo.InvariantCulture, $"{result.At(50)} / {result.At(90)} ms"));
        table.AddRow("p99 / p99.9 / max", string.Create(CultureInfo.InvariantCulture, $"{result.At(99)} / {result.At(99.9)} / {result.At(100)} ms"));
        table.AddRow("retried / aborted / unknown / failed", $"{result.Retried} / {result.Aborted} / {result.Unknown} / {result.Failed}");
        Terminal.Out.Write(table);
    }
}
