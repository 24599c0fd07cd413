using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>Who hears whom: nodes of one side hear each other. Every node is on one side.</summary>
public sealed record Partition(ImmutableArray<NodeSet> Sides)
{
    /// <summary>Every way to split <paramref name="nodes"/> into at most <paramref name="most"/> sides, beginning with one.</summary>
    public static IReadOnlyList<Partition> All(IReadOnlyList<NodeId> nodes, int most)
    {
        var found = new List<Partition>();
        Place(0, []);
        return [.. found.OrderBy(partition => partition.Sides.Length)];

        // A node goes to a side that has members, or begins the next one: so no split is met twice under another order of sides.
        void Place(int at, ImmutableArray<NodeSet> sides)
        {
            if (at == nodes.Count)
            {
                found.Add(new(sides));
                return;
            }

            for (var side = 0; side < sides.Length; side++)
            {
                Place(at + 1, sides.SetItem(side, sides[side].With(nodes[at])));
            }

            if (sides.Length < most)
            {
                Place(at + 1, sides.Add(NodeSet.Of(nodes[at])));
            }
        }
    }

    public bool Equals(Partition? other) => other is not null && Sides.AsSpan().SequenceEqual(other.Sides.AsSpan());

    public override int GetHashCode() => Sides.Length;

    public override string ToString() => string.Join(" | ", Sides);
}
