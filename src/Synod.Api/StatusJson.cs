using System.Globalization;
using System.Text.Json.Nodes;

namespace Synod.Api;

/// <summary>
/// A node's status for programs, the same in <c>synod status --json</c> and at <c>/status</c>: keys as text, times in nanoseconds,
/// what there is none of as null, and whole numbers as numbers if every reader of JSON has them exactly, else as strings.
/// </summary>
public static class StatusJson
{
    /// <summary>Readers that keep numbers as floating point, as JavaScript does, have whole ones exactly up to 53 bits.</summary>
    private const long MostExact = (1L << 53) - 1;

    public static JsonObject Of(NodeStatus status) => new()
    {
        ["node"] = status.Node,
        ["boot"] = Number(status.Boot),
        ["version"] = status.Version,
        ["draining"] = status.Draining,
        ["clockWidth"] = status.ClockWidth < 0 ? null : Number(status.ClockWidth),
        ["clockSource"] = status.ClockSource,
        ["groups"] = new JsonArray([.. status.Groups.Select(Group)]),
        ["nodes"] = new JsonArray([.. status.Nodes.Select(Node)]),
        ["cluster"] = status.Cluster is not { Nodes: > 0 } averages ? null : new JsonObject
        {
            ["nodes"] = Number(averages.Nodes),
            ["replicas"] = averages.Replicas,
            ["leads"] = averages.Leads,
            ["requests"] = averages.Requests,
        },
    };

    /// <summary>A range, the same in <c>synod range list --json</c>.</summary>
    public static JsonObject Of(Range range) => new()
    {
        ["group"] = Number(range.Group),
        ["start"] = KeyText.Of(range.Start.Span),
        ["end"] = range.End.IsEmpty ? null : KeyText.Of(range.End.Span),
        ["version"] = Number(range.Version),
        ["replicas"] = new JsonArray([.. range.Replicas.Select(replica => (JsonNode)replica)]),
        ["preferredLeader"] = Known(range.PreferredLeader),
        ["leader"] = Known(range.Leader),
    };

    /// <summary>A whole number that no reader rounds.</summary>
    public static JsonNode Number(ulong value) => value <= MostExact ? value : value.ToString(CultureInfo.InvariantCulture);

    private static JsonObject Group(GroupStatus group) => new()
    {
        ["range"] = Of(group.Range),
        ["role"] = group.Role,
        ["term"] = group.Term is not { } term ? null : new JsonObject { ["round"] = Number(term.Round), ["node"] = term.Node },
        ["chosen"] = Number(group.Chosen),
        ["applied"] = Number(group.Applied),
        ["leaseLeft"] = group.LeaseLeft > 0 ? Number(group.LeaseLeft) : null,
        ["lag"] = new JsonArray([.. group.Lag.Select(Number)]),
        ["prepared"] = group.Prepared,
        ["locks"] = group.Locks,
        ["quiescent"] = group.Quiescent,
    };

    private static JsonObject Node(Node node) => new()
    {
        ["id"] = node.Id,
        ["address"] = node.Address,
        ["nodeAddress"] = node.NodeAddress,
        ["alive"] = node.Alive,
        ["status"] = node.Status == Api.Node.Types.Status.Unspecified ? null : node.Status.ToString().ToUpperInvariant(),
        ["roundTrip"] = node.RoundTrip > 0 ? Number(node.RoundTrip) : null,
    };

    private static JsonNode? Known(int node) => node == 0 ? null : node;

    private static JsonNode Number(long value) =>
        value is >= -MostExact and <= MostExact ? value : value.ToString(CultureInfo.InvariantCulture);
}
