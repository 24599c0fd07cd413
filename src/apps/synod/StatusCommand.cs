using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Synod.Api;
using Synod.Client;

namespace Synod.App;

/// <summary><c>synod status</c>: nodes, ranges, leaders, leases, clock bound, lag.</summary>
internal static class StatusCommand
{
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object: keys as text (bytes that are none as \\xNN), times in nanoseconds, null for what there is none of (leaseLeft, clockWidth, leader), and whole numbers of more than 53 bits as strings." };

    public static Command Create() =>
        ClientFlags.Command("status", "Draws the cluster: nodes, ranges, leaders, leases, clock bounds, lag.", command => command.Add(Json), RunAsync);

    private static async Task<int> RunAsync(ParseResult parsed, SynodClient client, CancellationToken cancellationToken)
    {
        var directory = await client.DirectoryAsync(cancellationToken);
        var answers = await Task.WhenAll(directory.Nodes.OrderBy(node => node.Id).Select(node => AskAsync(client, node, cancellationToken)));
        if (parsed.GetValue(Json))
        {
            Terminal.Json(new JsonObject
            {
                ["nodes"] = new JsonArray([.. answers.Select(answer => answer.Status is { } status
                    ? StatusJson.Of(status)
                    : new JsonObject { ["node"] = answer.Node.Id, ["unreachable"] = answer.Problem })]),
            });
        }
        else
        {
            Terminal.Out.Write(Nodes(answers));
            WriteAverages(answers);
            Terminal.Out.Write(Ranges(answers));
        }

        return answers.Any(answer => answer.Status is null) ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static async Task<Answer> AskAsync(SynodClient client, Api.Node node, CancellationToken cancellationToken)
    {
        try
        {
            return new Answer(node, await client.StatusAsync(node.Address, cancellationToken), "");
        }
        catch (SynodUnavailableException failure)
        {
            return new Answer(node, null, failure.Message);
        }
    }

    private static Table Nodes(IEnumerable<Answer> answers)
    {
        var table = new Table().Border(TableBorder.Rounded).Title("nodes")
            .AddColumns("node", "clients", "state", "member", "round trip", "boot", "leads", "replicas", "clock ±", "clock source", "version");
        foreach (var (node, status, _) in answers)
        {
            if (status is null)
            {
                table.AddRow($"{node.Id}", Markup.Escape(node.Address), "[red]unreachable[/]", Member(node), "", "", "", "", "", "", "");
                continue;
            }

            table.AddRow(
                $"{node.Id}",
                Markup.Escape(node.Address),
                status.Draining ? "[yellow]draining[/]" : "[green]up[/]",
                Member(node),
                node.RoundTrip > 0 ? Milliseconds(node.RoundTrip) : "",
                $"{status.Boot}",
                $"{status.Groups.Count(IsLeader)}",
                $"{status.Groups.Count}",
                status.ClockWidth < 0 ? "[red]not trusted[/]" : Milliseconds(status.ClockWidth / 2),
                Markup.Escape(status.ClockSource),
                Markup.Escape(status.Version));
        }

        return table;
    }

    /// <summary>What the members believe of a node, as the node that was asked for the directory has heard.</summary>
    private static string Member(Api.Node node) => node.Status switch
    {
        Api.Node.Types.Status.Alive => "[green]alive[/]",
        Api.Node.Types.Status.Suspect => "[yellow]suspect[/]",
        Api.Node.Types.Status.Dead => "[red]dead[/]",
        Api.Node.Types.Status.Left => "left",
        _ => "",
    };

    private static void WriteAverages(IEnumerable<Answer> answers)
    {
        if (answers.Select(answer => answer.Status?.Cluster).FirstOrDefault(known => known is { Nodes: > 0 }) is { } cluster)
        {
            Terminal.Out.MarkupLineInterpolated(
                CultureInfo.InvariantCulture,
                $"over {cluster.Nodes} nodes, on average: {cluster.Replicas:0.##} replicas, {cluster.Leads:0.##} led, {cluster.Requests:0.#} requests/s");
        }
    }

    private static Table Ranges(IEnumerable<Answer> answers)
    {
        var table = new Table().Border(TableBorder.Rounded).Title("ranges")
            .AddColumns("group", "keys", "leader", "term", "lease left", "chosen", "applied", "lag", "locks", "prepared");
        var groups = answers
            .SelectMany(answer => answer.Status?.Groups.Select(group => (answer.Node, group)) ?? [])
            .GroupBy(item => item.group.Range.Group)
            .OrderBy(group => group.First().group.Range.Start.ToByteArray(), Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y)));
        foreach (var group in groups)
        {
            var (node, best) = group.OrderByDescending(item => IsLeader(item.group)).ThenByDescending(item => item.group.Term?.Round).First();
            var leads = IsLeader(best);
            table.AddRow(
                $"{group.Key}",
                Markup.Escape(RangeCommand.Span(best.Range)),
                leads ? $"{node.Id}" : "[red]none[/]",
                $"{best.Term?.Round}.{best.Term?.Node}",
                !leads ? "" : best.LeaseLeft > 0 ? Milliseconds(best.LeaseLeft) : best.Quiescent ? "asleep" : "[yellow]none[/]",
                $"{best.Chosen}",
                $"{best.Applied}",
                Markup.Escape(string.Join(' ', best.Range.Replicas.Zip(best.Lag, (replica, lag) => $"{replica}:{lag}"))),
                $"{best.Locks}",
                $"{best.Prepared}");
        }

        return table;
    }

    private static bool IsLeader(GroupStatus group) => group.Role == "Leader";

    private static string Milliseconds(long nanoseconds) => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e6:0.###} ms");

    private sealed record Answer(Api.Node Node, NodeStatus? Status, string Problem);
}
