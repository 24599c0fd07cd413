using System.Collections.Immutable;
using System.Globalization;

namespace Synod.Core;

/// <summary>
/// The written form of quorum systems, which is how operators choose one and what <see cref="QuorumSystem.ToString"/> says. What is read
/// may be unsafe for the members that it is made of: whoever uses it asks <see cref="QuorumSystem.Validated"/>.
/// </summary>
public static class QuorumText
{
    /// <summary>More than half elect, and more than half replicate.</summary>
    public const string Majority = "majority";

    /// <summary>Every form by an example and what it means, for help and for errors.</summary>
    public const string Forms =
        "'majority'; two sizes as '4/2' (4 elect, 2 replicate); 'grid 2x3' (2 rows of 3: a column elects, a row replicates); "
        + "'weights 3,1,1,1 4/3' (one for each node in ascending order; 4 elect, 3 replicate); "
        + "or 'zones 1,2,3|4,5,6|7,8,9 survive 1 node 1 zone' (nodes by zone; a write is on 2 nodes in each of 2 zones, so that it outlives "
        + "1 node of every zone and 1 whole zone)";

    // Six digits at most, so that no sum overflows.
    private const int Digits = 6;

    /// <returns>What makes the system of a group's members.</returns>
    /// <exception cref="ArgumentException">The text means nothing. The message says why, and what can be written.</exception>
    public static Func<NodeSet, QuorumSystem> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            return text.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
            {
                [Majority] => SizedQuorums.Majority,
                ["grid", var grid] => Grid(grid),
                ["weights", var list, var sums] => Weights(list, sums),
                ["zones", var zones, "survive", var nodes, "node" or "nodes", var whole, "zone" or "zones"] => Zones(zones, nodes, whole),
                ["grid", ..] => throw new FormatException("a grid is rows and columns, such as 'grid 2x3'"),
                ["weights", ..] => throw new FormatException("weights are a list and the two sums that elect and replicate, such as 'weights 3,1,1,1 4/3'"),
                ["zones", ..] => throw new FormatException(
                    "zones are lists of nodes, and how many nodes of each and how many whole zones may be lost, such as 'zones 1,2,3|4,5,6|7,8,9 survive 1 node 1 zone'"),
                [var sizes] when sizes.Contains('/', StringComparison.Ordinal) => Sizes(sizes),
                _ => throw new FormatException("no quorums are written so"),
            };
        }
        catch (FormatException problem)
        {
            throw new ArgumentException($"The quorums '{text}' are not understood: {problem.Message}. Write {Forms}.", problem);
        }
    }

    private static Func<NodeSet, QuorumSystem> Sizes(string text)
    {
        var (elect, replicate) = Pair(text, '/');
        return members => new SizedQuorums(members, elect, replicate);
    }

    private static Func<NodeSet, QuorumSystem> Grid(string text)
    {
        var (rows, columns) = Pair(text, 'x');
        return members => new GridQuorums(members, rows, columns);
    }

    private static Func<NodeSet, QuorumSystem> Weights(string list, string sums)
    {
        ImmutableArray<int> weights = [.. list.Split(',').Select(Number)];
        var (elect, replicate) = Pair(sums, '/');
        return members => new WeightedQuorums(members, weights, elect, replicate);
    }

    private static Func<NodeSet, QuorumSystem> Zones(string text, string nodeFaults, string zoneFaults)
    {
        ImmutableArray<NodeSet> zones = [.. text.Split('|').Select(Zone)];
        var (nodes, whole) = (Number(nodeFaults), Number(zoneFaults));
        return members => new ZoneQuorums(members, zones, nodes, whole);
    }

    private static NodeSet Zone(string list)
    {
        var zone = NodeSet.Empty;
        foreach (var id in list.Split(',').Select(Number))
        {
            var node = id is > 0 and < NodeSet.Capacity
                ? new NodeId(id)
                : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"there is no node {id}, as nodes are numbered from 1 to {NodeSet.Capacity - 1}"));
            zone = zone.Contains(node)
                ? throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"node {id} is written twice in a zone"))
                : zone.With(node);
        }

        return zone;
    }

    private static (int First, int Second) Pair(string text, char separator) => text.Split(separator) is [var first, var second]
        ? (Number(first), Number(second))
        : throw new FormatException($"'{text}' is not two numbers with '{separator}' between them");

    private static int Number(string digits) =>
        digits.Length <= Digits && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"'{digits}' is no number of 1 to {Digits} digits");
}
