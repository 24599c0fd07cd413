using System.Numerics;
using Synod.Core;

namespace Synod.Protocols.Gossip;

/// <summary>
/// Whom to probe next (gossip.md §2.2): every place once in a round, in an order drawn anew for each round; who joined during the round
/// is inserted at a random place of what is left. So at most 2N-1 periods are between two probes of the same member.
/// </summary>
/// <remarks>The order is a keyed permutation (a Feistel network, walked until it is inside), not a shuffled list: a few numbers a node.</remarks>
internal sealed class ProbeOrder
{
    private readonly List<NodeId> _late = [];
    private int _size;
    private int _next;
    private int _key;

    /// <summary>A member joined.</summary>
    public void Insert(NodeId member) => _late.Add(member);

    public void Remove(NodeId member) => _late.Remove(member);

    /// <summary>The next live member besides <paramref name="self"/>, or none.</summary>
    public NodeId Next(MemberTable table, NodeId self, StepContext context)
    {
        // Two rounds at most: what is left of this one, and a whole one.
        for (var rounds = 0; rounds < 2; rounds++)
        {
            while (_next < _size || _late.Count > 0)
            {
                var member = Take(table, context);
                if (member != self && table.Find(member) is var place && place >= 0 && table.IsLive(place))
                {
                    return member;
                }
            }

            (_size, _next, _key) = (table.Places, 0, context.Choose(int.MaxValue));
        }

        return NodeId.None;
    }

    public void State(StateVisitor visitor)
    {
        visitor.Visit("late", _late, static (v, ref member) => v.Visit("", ref member));
        visitor.Visit("size", ref _size);
        visitor.Visit("next", ref _next);
        visitor.Visit("key", ref _key);
    }

    /// <summary>Where <paramref name="index"/> goes under a permutation of 0 to <paramref name="size"/>-1.</summary>
    internal static int Permute(int index, int size, int key)
    {
        var half = Math.Max(1, (33 - BitOperations.LeadingZeroCount((uint)(size - 1))) / 2);
        var mask = (1u << half) - 1;
        var value = (uint)index;
        do
        {
            var (left, right) = (value >> half, value & mask);
            for (var round = 1u; round <= 4; round++)
            {
                var mixed = unchecked((right + round * 0x9e3779b9 ^ (uint)key) * 0x85ebca6b);
                mixed = unchecked((mixed ^ mixed >> 15) * 0xc2b2ae35);
                (left, right) = (right, left ^ (mixed ^ mixed >> 13) & mask);
            }

            value = left << half | right;
        }
        while (value >= size);
        return (int)value;
    }

    private NodeId Take(MemberTable table, StepContext context)
    {
        var left = _size - _next;
        if (_late.Count > 0 && context.Choose(left + _late.Count) >= left)
        {
            var member = _late[^1];
            _late.RemoveAt(_late.Count - 1);
            return member;
        }

        var place = Permute(_next++, _size, _key);
        var id = table.IdAt(place);
        _late.Remove(id);
        return table.KeyAt(place) == MemberKey.Absent ? NodeId.None : id;
    }
}
