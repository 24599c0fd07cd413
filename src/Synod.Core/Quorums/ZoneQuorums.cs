using System.Collections.Immutable;
using System.Globalization;

namespace Synod.Core;

/// <summary>
/// Quorums by zones (Ailijiang et al. 2017, "WPaxos"): <paramref name="NodeFaults"/> + 1 nodes in each of <paramref name="ZoneFaults"/> + 1
/// zones replicate; all but <paramref name="NodeFaults"/> nodes in each of all but <paramref name="ZoneFaults"/> zones elect. So a commit
/// stays near, and survives that many nodes of each zone and that many whole zones.
/// </summary>
/// <param name="Zones">Each member in exactly one; they may differ in size.</param>
public sealed record ZoneQuorums(NodeSet Members, ImmutableArray<NodeSet> Zones, int NodeFaults, int ZoneFaults) : QuorumSystem(Members)
{
    public override bool IsPhase1(NodeSet votes) =>
        Zones.Count(zone => votes.Intersect(zone).Count >= zone.Count - NodeFaults) >= Zones.Length - ZoneFaults;

    public override bool IsPhase2(NodeSet votes) => Zones.Count(zone => votes.Intersect(zone).Count > NodeFaults) > ZoneFaults;

    /// <summary>
    /// Any Z - f zones and any f + 1 share one, and in it all but g nodes and g + 1 nodes share one. Exact: with every zone larger than g,
    /// nothing else is needed, and in a smaller one a phase-1 quorum would need nobody.
    /// </summary>
    public override string? Unsafe()
    {
        var union = NodeSet.Empty;
        foreach (var zone in Zones)
        {
            if (zone.Overlaps(union))
            {
                return $"{zone.Intersect(union)} would be in two zones";
            }

            union = union.Union(zone);
        }

        if (union != Members)
        {
            return $"each member must be in a zone, and nobody else: without a zone are {Members.Except(union)}, and no members {union.Except(Members)}";
        }

        if (ZoneFaults < 0 || ZoneFaults >= Zones.Length)
        {
            return string.Create(CultureInfo.InvariantCulture, $"of {Many(Zones.Length, "zone")} no more than {Zones.Length - 1} can be lost, not {ZoneFaults}");
        }

        var smallest = Zones.MinBy(zone => zone.Count);
        return NodeFaults < 0 || NodeFaults >= smallest.Count
            ? string.Create(CultureInfo.InvariantCulture, $"of {Many(smallest.Count, "node")} of zone {smallest} no more than {smallest.Count - 1} can be lost, not {NodeFaults}")
            : null;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"zones {string.Join("|", Zones.Select(zone => string.Join(",", zone.Select(node => node.Value))))} survive {Many(NodeFaults, "node")} {Many(ZoneFaults, "zone")}");

    public bool Equals(ZoneQuorums? other) =>
        other is not null && Members == other.Members && NodeFaults == other.NodeFaults && ZoneFaults == other.ZoneFaults
        && Zones.SequenceEqual(other.Zones);

    public override int GetHashCode() => Members.Count * 31 + Zones.Length;

    private static string Many(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? "" : "s")}");
}
