using System.CommandLine;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.Api;
using Synod.Client;
using Synod.Core;

namespace Synod.App;

/// <summary><c>synod range</c>: how the key space is cut.</summary>
internal static class RangeCommand
{
    private static readonly Argument<string> Key = new("key") { Description = "The first key of the new range." };
    private static readonly Argument<ulong> Group = new Argument<ulong>("group") { Description = "The range's group, as 'range list' shows it." }.Between(1ul, ulong.MaxValue);
    private static readonly Argument<int> Node = new Argument<int>("node") { Description = "The node that is to lead." }.Between(1, NodeSet.Capacity - 1);
    private static readonly Option<int> Leader = new Option<int>("--leader") { Description = "The node that should lead the new range; 0 lets the cluster choose." }.Between(0, NodeSet.Capacity - 1);
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON." };

    public static Command Create() => new("range", "Shows and arranges the ranges of the key space.")
    {
        ClientFlags.Command("list", "Lists the ranges.", command => command.Add(Json), ListAsync),
        ClientFlags.Command(
            "split",
            "Cuts the range that serves a key in two, so that a new range starts there.",
            command =>
            {
                command.Add(Key);
                command.Add(Leader);
                command.Add(Json);
            },
            async (parsed, client, cancellationToken) =>
            {
                await client.SplitAsync(parsed.GetValue(Key)!, parsed.GetValue(Leader), cancellationToken);
                return Report(parsed, $"a range starts at {parsed.GetValue(Key)}", new JsonObject { ["split"] = parsed.GetValue(Key) });
            }),
        ClientFlags.Command(
            "lead",
            "Asks the leader of a range to hand over to another node.",
            command =>
            {
                command.Add(Group);
                command.Add(Node);
                command.Add(Json);
            },
            async (parsed, client, cancellationToken) =>
            {
                var (group, node) = (parsed.GetValue(Group), parsed.GetValue(Node));
                await client.TransferLeadershipAsync(group, node, cancellationToken);
                return Report(parsed, $"group {group} hands over to node {node}", new JsonObject { ["group"] = StatusJson.Number(group), ["leader"] = node });
            }),
    };

    private static int Report(ParseResult parsed, string text, JsonObject json)
    {
        if (parsed.GetValue(Json))
        {
            Terminal.Json(json);
        }
        else
        {
            Console.Out.WriteLine(text);
        }

        return ExitCodes.Done;
    }

    public static string Span(Api.Range range) =>
        $"[{KeyText.Of(range.Start.Span)}, {(range.End.IsEmpty ? "∞" : KeyText.Of(range.End.Span))})";

    private static async Task<int> ListAsync(ParseResult parsed, SynodClient client, CancellationToken cancellationToken)
    {
        var directory = await client.DirectoryAsync(cancellationToken);
        var ranges = directory.Ranges.OrderBy(range => range.Start.Memory, KeyOrder.Instance).ToList();
        if (parsed.GetValue(Json))
        {
            Terminal.Json(new JsonArray([.. ranges.Select(StatusJson.Of)]));
            return ExitCodes.Done;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("group", "keys", "version", "replicas", "leader");
        foreach (var range in ranges)
        {
            table.AddRow(
                $"{range.Group}", Markup.Escape(Span(range)), $"{range.Version}", string.Join(' ', range.Replicas), range.Leader == 0 ? "?" : $"{range.Leader}");
        }

        Terminal.Out.Write(table);
        return ExitCodes.Done;
    }

    private sealed class KeyOrder : IComparer<ReadOnlyMemory<byte>>
    {
        public static readonly KeyOrder Instance = new();

        public int Compare(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceCompareTo(y.Span);
    }
}
