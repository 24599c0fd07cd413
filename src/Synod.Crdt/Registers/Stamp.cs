using Synod.Core;

namespace Synod.Crdt;

/// <summary>When a write happened by a hybrid logical clock, and whose it was: a total order over writes.</summary>
public readonly record struct Stamp(HybridTimestamp Time, ReplicaId Replica) : IComparable<Stamp>
{
    /// <summary>Before every write.</summary>
    public static Stamp None => default;

    public bool IsNone => this == None;

    /// <summary>The stamp of a write at <paramref name="now"/> by someone who has seen this one: it is above it.</summary>
    public Stamp After(HybridTimestamp now, ReplicaId replica) => new(HybridTimestamp.Max(now, Time.Next), replica);

    public int CompareTo(Stamp other)
    {
        var order = Time.CompareTo(other.Time);
        return order != 0 ? order : Replica.CompareTo(other.Replica);
    }

    public static bool operator <(Stamp left, Stamp right) => left.CompareTo(right) < 0;

    public static bool operator >(Stamp left, Stamp right) => left.CompareTo(right) > 0;

    public static bool operator <=(Stamp left, Stamp right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Stamp left, Stamp right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{Time}@{Replica}";

    internal static Stamp Max(Stamp left, Stamp right) => left > right ? left : right;

    internal void Write(CodecWriter writer)
    {
        writer.Hybrid(Time);
        writer.Replica(Replica);
    }

    /// <summary>Reads the stamp of a write: <see cref="None"/> is none.</summary>
    internal static Stamp Read(ref CodecReader reader)
    {
        var stamp = new Stamp(reader.Hybrid(), reader.Replica());
        if (stamp <= None)
        {
            reader.Fail();
        }

        return stamp;
    }
}
