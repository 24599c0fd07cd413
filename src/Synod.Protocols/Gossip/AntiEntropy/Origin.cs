using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// Who numbers updates: a node, and one life of its durable state (crdt.md §2). A disk that was wiped, or put back from a backup, or
/// lost a tail that was told, goes on as another origin: a number that was used twice makes others drop the second use as known.
/// </summary>
/// <param name="Incarnation">Drawn at random when the durable state is created.</param>
public readonly record struct Origin(NodeId Node, long Incarnation) : IComparable<Origin>
{
    /// <summary>Below every origin.</summary>
    public static Origin Least => default;

    /// <summary>Above every origin.</summary>
    public static Origin Most => new(new NodeId(int.MaxValue), long.MaxValue);

    /// <summary>The least origin above this one.</summary>
    public Origin Next => Incarnation < long.MaxValue ? this with { Incarnation = Incarnation + 1 } : new(new NodeId(Node.Value + 1), 0);

    /// <summary>A new origin of <paramref name="node"/>, none of those that are <paramref name="known"/>.</summary>
    public static Origin Draw(NodeId node, StepContext context, Func<Origin, bool> known)
    {
        var drawn = new Origin(node, ((long)context.Choose(int.MaxValue) << 31) | (uint)context.Choose(int.MaxValue));
        while (known(drawn))
        {
            drawn = drawn.Next;
        }

        return drawn;
    }

    public int CompareTo(Origin other) => Node != other.Node ? Node.CompareTo(other.Node) : Incarnation.CompareTo(other.Incarnation);

    public static bool operator <(Origin left, Origin right) => left.CompareTo(right) < 0;

    public static bool operator >(Origin left, Origin right) => left.CompareTo(right) > 0;

    public static bool operator <=(Origin left, Origin right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Origin left, Origin right) => left.CompareTo(right) >= 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Node}.{Incarnation:x}");
}

/// <summary>The binary form of an <see cref="Origin"/>.</summary>
public sealed class OriginWire : IWire<Origin>
{
    public static OriginWire Instance { get; } = new();

    public void Write(CodecWriter writer, Origin value)
    {
        writer.Node(value.Node);
        writer.Unsigned((ulong)value.Incarnation);
    }

    public Origin Read(ref CodecReader reader)
    {
        var node = reader.Node();
        var incarnation = reader.Unsigned();
        if (incarnation > long.MaxValue)
        {
            reader.Fail();
        }

        return new Origin(node, (long)incarnation);
    }

    internal static void Visit(StateVisitor visitor, ref Origin origin) => visitor.Visit("", ref origin, Instance);
}
