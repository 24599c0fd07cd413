using System.Collections;
using System.Numerics;

namespace Synod.Core;

/// <summary>A set of nodes as a value: votes are counted once per distinct node because a set cannot hold one twice.</summary>
public readonly record struct NodeSet : IEnumerable<NodeId>
{
    /// <summary>Ids from 0 to 127 fit.</summary>
    public const int Capacity = 128;

    private readonly ulong _low;
    private readonly ulong _high;

    private NodeSet(ulong low, ulong high) => (_low, _high) = (low, high);

    /// <summary>The set without members.</summary>
    public static NodeSet Empty => default;

    public static NodeSet Of(params ReadOnlySpan<NodeId> nodes)
    {
        var set = Empty;
        foreach (var node in nodes)
        {
            set = set.With(node);
        }

        return set;
    }

    /// <summary>The set whose members are the ones in the binary form <paramref name="bits"/>.</summary>
    public static NodeSet FromBits(UInt128 bits) => new((ulong)bits, (ulong)(bits >> 64));

    /// <summary>One bit a member, the lowest for node 0.</summary>
    public UInt128 Bits => new(_high, _low);

    public int Count => BitOperations.PopCount(_low) + BitOperations.PopCount(_high);

    public bool IsEmpty => (_low | _high) == 0;

    public bool Contains(NodeId node) => (uint)node.Value < Capacity && ((node.Value < 64 ? _low : _high) >> (node.Value & 63) & 1) != 0;

    /// <exception cref="ArgumentOutOfRangeException">The id does not fit; see <see cref="Capacity"/>.</exception>
    public NodeSet With(NodeId node)
    {
        if ((uint)node.Value >= Capacity)
        {
            throw new ArgumentOutOfRangeException(nameof(node), node, "The id does not fit into a set.");
        }

        var bit = 1UL << (node.Value & 63);
        return node.Value < 64 ? new(_low | bit, _high) : new(_low, _high | bit);
    }

    public NodeSet Without(NodeId node) => Contains(node) ? Except(Empty.With(node)) : this;

    public NodeSet Union(NodeSet other) => new(_low | other._low, _high | other._high);

    public NodeSet Intersect(NodeSet other) => new(_low & other._low, _high & other._high);

    public NodeSet Except(NodeSet other) => new(_low & ~other._low, _high & ~other._high);

    public bool Overlaps(NodeSet other) => !Intersect(other).IsEmpty;

    public bool IsSubsetOf(NodeSet other) => Except(other).IsEmpty;

    /// <summary>Members in ascending order.</summary>
    public Enumerator GetEnumerator() => new(this);

    IEnumerator<NodeId> IEnumerable<NodeId>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"{{{string.Join(",", this)}}}";

    /// <summary>Walks the members in ascending order.</summary>
    public struct Enumerator : IEnumerator<NodeId>
    {
        private readonly NodeSet _all;
        private ulong _low;
        private ulong _high;

        internal Enumerator(NodeSet all) => (_all, _low, _high) = (all, all._low, all._high);

        public NodeId Current { get; private set; }

        readonly object IEnumerator.Current => Current;

        public bool MoveNext()
        {
            if (_low != 0)
            {
                Current = new NodeId(BitOperations.TrailingZeroCount(_low));
                _low &= _low - 1;
                return true;
            }

            if (_high != 0)
            {
                Current = new NodeId(64 + BitOperations.TrailingZeroCount(_high));
                _high &= _high - 1;
                return true;
            }

            return false;
        }

        public void Reset() => (_low, _high) = (_all._low, _all._high);

        public readonly void Dispose()
        {
        }
    }
}
