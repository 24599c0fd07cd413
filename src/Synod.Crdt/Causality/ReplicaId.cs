using System.Globalization;
using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// Who writes: a node and one life of its durable state. The incarnation is drawn when the store is created. A store that was wiped,
/// restored from a backup or lost the tail of its log takes a new one: dots used twice would be "already seen" elsewhere, and what
/// they stand for would be lost.
/// </summary>
/// <param name="Incarnation">64 random bits.</param>
public readonly record struct ReplicaId(NodeId Node, ulong Incarnation) : IComparable<ReplicaId>
{
    /// <summary>A fresh identity for a store that is just being created.</summary>
    public static ReplicaId Draw(NodeId node, StepContext context)
    {
        var bits = 0UL;
        for (var part = 0; part < 4; part++)
        {
            bits = bits << 16 | (uint)context.Choose(1 << 16);
        }

        return new ReplicaId(node, bits);
    }

    public int CompareTo(ReplicaId other) =>
        Node != other.Node ? Node.CompareTo(other.Node) : Incarnation.CompareTo(other.Incarnation);

    /// <summary>For lookups in hash tables only: never a value, never an order.</summary>
    public override int GetHashCode() => (Node.Value * 397) ^ (int)Incarnation ^ (int)(Incarnation >> 32);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"n{Node.Value}.{Incarnation:x}");
}

/// <summary>An event of a replica, named once and never again: its <paramref name="Counter"/>-th, from 1.</summary>
public readonly record struct Dot(ReplicaId Replica, ulong Counter) : IComparable<Dot>
{
    /// <summary>The largest counter that is accepted from others.</summary>
    public const ulong MaxCounter = long.MaxValue;

    /// <summary>No event.</summary>
    public static Dot None => default;

    /// <summary>The event after this one.</summary>
    public Dot Next => this with { Counter = Counter + 1 };

    public int CompareTo(Dot other)
    {
        var order = Replica.CompareTo(other.Replica);
        return order != 0 ? order : Counter.CompareTo(other.Counter);
    }

    /// <summary>For lookups in hash tables only: never a value, never an order.</summary>
    public override int GetHashCode() => Replica.GetHashCode() ^ (int)(Counter * 0x9E3779B1);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Replica}:{Counter}");
}
