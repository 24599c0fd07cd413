using System.CommandLine;
using Synod.Bench.Load;
using Synod.Bench.Peers;

namespace Synod.Bench;

/// <summary>The comparisons with peers that run already.</summary>
internal static class PeerCommands
{
    private static readonly Option<string[]> Synod = Flags.List("--synod", "Client addresses of a Synod cluster, as host:port.");
    private static readonly Option<int> Rounds = Flags.Number("--rounds", 3, "Measured stretches of each side, taking turns.");
    private static readonly Option<double> WarmUp = Flags.Real("--warm-up", 5, "Seconds of load before each stretch that do not count.");
    private static readonly Option<double> Seconds = Flags.Real("--seconds", 10, "Seconds of each stretch.");

    /// <summary>Puts or linearizable gets, against etcd.</summary>
    public static Command KeyValue()
    {
        var etcd = Flags.List("--etcd", "Client addresses of an etcd cluster.");
        var clients = Flags.Numbers("--clients", [64, 1], "Numbers of clients, one after the other.");
        var reads = new Option<bool>("--reads") { Description = "Linearizable reads instead of durable writes." };
        var keys = Flags.Number("--keys", 10_000, "Different keys.");
        var bytes = Flags.Number("--value-bytes", 256, "Length of a value.");
        var ranges = Flags.Number("--ranges", 1, "Ranges that Synod's keys are cut into.");
        var command = new Command("kv", "Durable writes or linearizable reads, side by side with etcd.")
        {
            Synod, etcd, clients, reads, keys, bytes, ranges, Rounds, WarmUp, Seconds, Flags.Json,
        };
        command.SetAction(async (parsed, _) =>
        {
            var load = new KeyValueLoad(parsed.GetValue(reads), parsed.GetValue(keys), parsed.GetValue(bytes));
            var counts = parsed.GetValue(clients)!;
            var what = load.Reads ? "Linearizable reads" : "Durable replicated writes";
            await CompareAsync(
                parsed, $"{what}, {load.ValueBytes} B values, {parsed.GetValue(ranges)} range(s)", counts,
                async endpoints => await SynodTarget.ConnectAsync(endpoints, counts.Max(), load, parsed.GetValue(ranges)),
                parsed.GetValue(etcd) is { Length: > 0 } peers
                    ? async () => await EtcdTarget.ConnectAsync(peers, counts.Max(), load)
                    : null);
        });
        return command;
    }

    /// <summary>Transfers between two ranges, against two PostgreSQL servers.</summary>
    public static Command Transfers()
    {
        var postgres = Flags.List("--postgres", "Npgsql connection strings of two servers.");
        var clients = Flags.Numbers("--clients", [8, 32], "Numbers of clients, one after the other.");
        var accounts = Flags.Number("--accounts", 10_000, "Accounts on each side.");
        var command = new Command("transfers", "Transfers over two ranges, side by side with two PostgreSQL servers.")
        {
            Synod, postgres, clients, accounts, Rounds, WarmUp, Seconds, Flags.Json,
        };
        command.SetAction(async (parsed, _) =>
        {
            var load = new TransferLoad(parsed.GetValue(accounts));
            var counts = parsed.GetValue(clients)!;
            await CompareAsync(
                parsed, $"Transfers over two sides, {load.AccountsPerSide:N0} accounts on each", counts,
                async endpoints => await SynodTransfers.ConnectAsync(endpoints, load),
                parsed.GetValue(postgres) is { Length: > 0 } servers
                    ? async () => await PostgresTransfers.ConnectAsync(servers, counts.Max(), load)
                    : null);
        });
        return command;
    }

    private static async Task CompareAsync(
        ParseResult parsed, string title, int[] clients, Func<string[], Task<ITarget>> ours, Func<Task<ITarget>>? theirs)
    {
        var targets = new List<ITarget>();
        try
        {
            if (parsed.GetValue(Synod) is { Length: > 0 } endpoints)
            {
                targets.Add(await ours(endpoints));
            }

            if (theirs is not null)
            {
                targets.Add(await theirs());
            }

            var comparison = new Comparison(
                title, clients, parsed.GetValue(Rounds), TimeSpan.FromSeconds(parsed.GetValue(WarmUp)),
                TimeSpan.FromSeconds(parsed.GetValue(Seconds)));
            var report = await comparison.RunAsync(targets, Console.Error);
            Flags.Print(parsed, report.Write, report.ToJson);
        }
        finally
        {
            foreach (var target in targets)
            {
                await target.DisposeAsync();
            }
        }
    }
}
