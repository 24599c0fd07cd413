using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// New places for nodes: each that is alike with others takes the place of one of these, and its name unless they are copies under one name.
/// </summary>
public sealed class Renaming
{
    private readonly NodeId[] _names;
    private readonly int[][] _groups;

    private Renaming(int number, IReadOnlyList<NodeId> nodes, ImmutableArray<int> places, int[][] groups, int copies)
    {
        (Number, Places, _groups) = (number, places, groups);
        _names = new NodeId[nodes.Max(node => node.Value) + 1];
        for (var index = 0; index < nodes.Count; index++)
        {
            _names[nodes[index].Value] = nodes[(copies >> index & 1) != 0 ? index : places[index]];
        }

        Of = node => (uint)node.Value < _names.Length && _names[node.Value] is var name && name != default ? name : node;
    }

    /// <summary>Its position among all, by which prints are kept; the one that leaves all names as they are has 0.</summary>
    public int Number { get; }

    /// <summary>Where each node of the list comes to stand. The masked one puts all of a group in the place of its first.</summary>
    public ImmutableArray<int> Places { get; }

    /// <summary>The new name of a node; others keep theirs.</summary>
    public Func<NodeId, NodeId> Of { get; }

    /// <summary>Every renaming among nodes that are alike, and last the one that takes the names of all of these.</summary>
    internal static IReadOnlyList<Renaming> All(
        IReadOnlyList<NodeId> nodes, IReadOnlyList<IReadOnlyList<NodeId>> alike, IReadOnlyList<IReadOnlyList<NodeId>> copies)
    {
        var all = new List<Renaming>();
        var unnamed = copies.SelectMany(group => group).Sum(node => 1 << IndexIn(nodes, node));
        int[][] groups = [.. alike.Concat(copies).Where(group => group.Count > 1).Select(group => group.Select(node => IndexIn(nodes, node)).ToArray())];
        int[] same = [.. Enumerable.Range(0, nodes.Count)];
        Arrange(0, []);
        var masked = (int[])same.Clone();
        foreach (var group in groups)
        {
            foreach (var node in group)
            {
                masked[node] = group[0];
            }
        }

        return [.. all, new Renaming(all.Count, nodes, [.. masked], [], unnamed)];

        void Arrange(int at, ImmutableArray<int[]> arranged)
        {
            if (at < groups.Length)
            {
                foreach (var order in Orders([.. groups[at]]))
                {
                    Arrange(at + 1, arranged.Add(order));
                }

                return;
            }

            var places = (int[])same.Clone();
            foreach (var (group, order) in groups.Zip(arranged))
            {
                for (var place = 0; place < group.Length; place++)
                {
                    places[order[place]] = group[place];
                }
            }

            all.Add(new(all.Count, nodes, [.. places], [.. arranged], unnamed));
        }
    }

    /// <summary>
    /// Whether it puts the nodes of each group in the order of what they are when nobody has a name. That order is the same in every
    /// renamed world, so that it may choose; only nodes that look alike have to be tried in each order.
    /// </summary>
    internal bool IsInOrder(ReadOnlySpan<RoundNote> notes)
    {
        foreach (var group in _groups)
        {
            for (var place = 1; place < group.Length; place++)
            {
                if (notes[group[place - 1]].Face > notes[group[place]].Face)
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static IEnumerable<int[]> Orders(ImmutableArray<int> left)
    {
        if (left.IsEmpty)
        {
            yield return [];
        }

        foreach (var first in left)
        {
            foreach (var rest in Orders(left.Remove(first)))
            {
                yield return [first, .. rest];
            }
        }
    }

    private static int IndexIn(IReadOnlyList<NodeId> nodes, NodeId node) => nodes.TakeWhile(other => other != node).Count();
}
