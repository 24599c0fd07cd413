using System.Collections;
using System.Numerics;

namespace Synod.Core;

/// <summary>A set of nodes as a value: votes are counted once per distinct node because a set cannot hold one twice.</summary>
public readonly record struct NodeSet : IEnumerable<NodeId>
{
    /// <summary>Ids from 0 to 127 fit.</summary>
    public const int Capacity = 128;

    private readonly UInt128 _bits;

    private NodeSet(UInt128 bits) => _bits = bits;

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
    public static NodeSet FromBits(UInt128 bits) => new(bits);

    /// <summary>One bit a member, the lowest for node 0.</summary>
    public UInt128 Bits => _bits;

    public int Count => BitOperations.PopCount((ulong)_bits) + BitOperations.PopCount((ulong)(_bits >> 64));

    public bool IsEmpty => _bits == UInt128.Zero;

    public bool Contains(NodeId node) => (uint)node.Value < Capacity && (_bits >> node.Value & UInt128.One) != UInt128.Zero;

    /// <exception cref="ArgumentOutOfRangeException">The id does not fit; see <see cref="Capacity"/>.</exception>
    public NodeSet With(NodeId node)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(node.Value);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(node.Value, Capacity);
        return new(_bits | UInt128.One << node.Value);
    }

    public NodeSet Without(NodeId node) => Contains(node) ? new(_bits & ~(UInt128.One << node.Value)) : this;

    public NodeSet Union(NodeSet other) => new(_bits | other._bits);

    public NodeSet Intersect(NodeSet other) => new(_bits & other._bits);

    public NodeSet Except(NodeSet other) => new(_bits & ~other._bits);

    public bool Overlaps(NodeSet other) => (_bits & other._bits) != UInt128.Zero;

    public bool IsSubsetOf(NodeSet other) => (_bits & ~other._bits) == UInt128.Zero;

    /// <summary>Members in ascending order.</summary>
    public Enumerator GetEnumerator() => new(_bits);

    IEnumerator<NodeId> IEnumerable<NodeId>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"{{{string.Join(",", this)}}}";

    /// <summary>Walks the members in ascending order.</summary>
    public struct Enumerator : IEnumerator<NodeId>
    {
        private readonly UInt128 _all;
        private UInt128 _rest;

        internal Enumerator(UInt128 bits) => _all = _rest = bits;

        public NodeId Current { get; private set; }

        readonly object IEnumerator.Current => Current;

        public bool MoveNext()
        {
            if (_rest == UInt128.Zero)
            {
                return false;
            }

            Current = new NodeId((int)UInt128.TrailingZeroCount(_rest));
            _rest &= _rest - UInt128.One;
            return true;
        }

        public void Reset() => _rest = _all;

        public readonly void Dispose()
        {
        }
    }
}
