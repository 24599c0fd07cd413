using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.Client;

namespace Synod.App;

/// <summary><c>synod kv</c>: reads and writes from the shell. Keys and values are UTF-8 text.</summary>
internal static class KvCommand
{
    private static readonly Argument<string> Key = new("key") { Description = "The key." };
    private static readonly Argument<string> Value = new("value") { Description = "The value." };
    private static readonly Option<long> At = new Option<long>("--at") { Description = "Read the past: nanoseconds since the Unix epoch, as 'committed at' says. 0 reads the newest." }.Between(0, long.MaxValue);
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON." };
    private static readonly Option<int> Limit = new Option<int>("--limit") { Description = "At most this many keys; 0 for all." }.Between(0, int.MaxValue);
    private static readonly Argument<string> From = new("start") { Description = "The first key.", DefaultValueFactory = _ => "" };
    private static readonly Argument<string> To = new("end") { Description = "The key to stop before.", DefaultValueFactory = _ => "" };

    public static Command Create() => new("kv", "Reads and writes keys.")
    {
        ClientFlags.Command("get", "Prints the value of a key; exit code 1 if there is none.", Shape(Key, At, Json), GetAsync),
        ClientFlags.Command("put", "Writes a value under a key.", Shape(Key, Value, Json), (parsed, client, cancel) =>
            ReportAsync(parsed, client.PutAsync(parsed.GetValue(Key)!, parsed.GetValue(Value)!, cancel))),
        ClientFlags.Command("delete", "Deletes a key.", Shape(Key, Json), (parsed, client, cancel) =>
            ReportAsync(parsed, client.DeleteAsync(parsed.GetValue(Key)!, cancel))),
        ClientFlags.Command("scan", "Prints the keys from start up to end, in order.", Shape(From, To, At, Limit, Json), ScanAsync),
        ClientFlags.Command(
            "txn",
            "Runs lines of standard input as one transaction: 'get KEY', 'put KEY VALUE', 'delete KEY' (or del). Commits at the end of input. "
            + "Example: printf 'get a\\nput b 2\\n' | synod kv txn",
            Shape(Json),
            TransactAsync),
    };

    private static Action<Command> Shape(params Symbol[] symbols) => command =>
    {
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                command.Add(argument);
            }
            else if (symbol is Option option)
            {
                command.Add(option);
            }
        }
    };

    private static async Task<int> GetAsync(ParseResult parsed, SynodClient client, CancellationToken cancellationToken)
    {
        var key = parsed.GetValue(Key)!;
        var at = parsed.GetValue(At);
        var entry = at == 0 ? await client.GetAsync(key, cancellationToken) : await client.Snapshot(at).GetAsync(key, cancellationToken);
        if (parsed.GetValue(Json))
        {
            Terminal.Json(new JsonObject { ["key"] = key, ["found"] = entry is not null, ["value"] = entry?.ValueText, ["timestamp"] = entry?.Timestamp });
        }
        else if (entry is not null)
        {
            Console.Out.WriteLine(entry.ValueText);
        }
        else
        {
            Terminal.Talk.MarkupLineInterpolated($"no such key: {key}");
        }

        return entry is null ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static async Task<int> ScanAsync(ParseResult parsed, SynodClient client, CancellationToken cancellationToken)
    {
        var entries = client.Snapshot(parsed.GetValue(At))
            .ScanAsync(parsed.GetValue(From)!, parsed.GetValue(To)!, parsed.GetValue(Limit), cancellationToken);
        await foreach (var entry in entries)
        {
            if (parsed.GetValue(Json))
            {
                Terminal.Json(Describe(entry));
            }
            else
            {
                Console.Out.WriteLine($"{entry.KeyText}\t{entry.ValueText}");
            }
        }

        return ExitCodes.Done;
    }

    private static async Task<int> TransactAsync(ParseResult parsed, SynodClient client, CancellationToken cancellationToken)
    {
        var lines = (await Console.In.ReadToEndAsync(cancellationToken))
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var steps = lines.Select(Step.Parse).ToList();
        var task = client.TransactAsync(
            async transaction =>
            {
                var reads = new List<(string Key, Entry? Entry)>();
                foreach (var step in steps)
                {
                    await step.RunAsync(transaction, reads);
                }

                return reads;
            },
            cancellationToken);
        var result = await task;
        foreach (var (key, entry) in result.IsCommitted && !parsed.GetValue(Json) ? result.Value! : [])
        {
            Console.Out.WriteLine($"{key}\t{entry?.ValueText ?? "(none)"}");
        }

        return await ReportAsync(parsed, Task.FromResult<TransactionResult>(result), result.Value);
    }

    private static async Task<int> ReportAsync(
        ParseResult parsed, Task<TransactionResult> task, IEnumerable<(string Key, Entry? Entry)>? reads = null)
    {
        var result = await task;
        if (parsed.GetValue(Json))
        {
            var report = new JsonObject
            {
                ["outcome"] = result.Outcome.ToString().ToLowerInvariant(),
                ["timestamp"] = result.Timestamp,
                ["attempts"] = result.Attempts,
                ["reason"] = result.Reason,
            };
            if (reads is not null)
            {
                report["reads"] = new JsonArray([.. reads.Select(read => read.Entry is null
                    ? new JsonObject { ["key"] = read.Key, ["found"] = false }
                    : Describe(read.Entry))]);
            }

            Terminal.Json(report);
        }
        else
        {
            Console.Out.WriteLine(result.IsCommitted ? $"committed at {result.Timestamp}" : $"{result.Outcome.ToString().ToLowerInvariant()}: {result.Reason}");
        }

        return result.Outcome switch
        {
            TransactionOutcome.Committed => ExitCodes.Done,
            TransactionOutcome.Aborted => ExitCodes.Failed,
            _ => ExitCodes.Unknown,
        };
    }

    private static JsonObject Describe(Entry entry) =>
        new() { ["key"] = entry.KeyText, ["value"] = entry.ValueText, ["timestamp"] = entry.Timestamp };

    private sealed record Step(string Verb, string Key, string Value)
    {
        public static Step Parse(string line)
        {
            var words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
            return words is ["get" or "delete" or "del", _] or ["put", _, _]
                ? new Step(words[0], words[1], words.Length > 2 ? words[2] : "")
                : throw new ArgumentException($"'{line}' is not understood. Write 'get KEY', 'put KEY VALUE' or 'delete KEY'.");
        }

        public async Task RunAsync(SynodTransaction transaction, List<(string Key, Entry? Entry)> reads)
        {
            switch (Verb)
            {
                case "get":
                    reads.Add((Key, await transaction.GetAsync(Key)));
                    break;
                case "put":
                    transaction.Put(Key, Value);
                    break;
                default:
                    transaction.Delete(Key);
                    break;
            }
        }
    }
}
