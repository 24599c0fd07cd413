using System.Numerics;
using Synod.Core;

namespace Synod.Crdt;

/// <summary>Fields of states, for which there is one way only to write a value: others are refused.</summary>
public static class CodecExtensions
{
    /// <summary>A variable-length unsigned integer; the reader fails if it could have been shorter.</summary>
    public static ulong Minimal(this ref CodecReader reader)
    {
        var before = reader.Remaining;
        var value = reader.Unsigned();
        var needed = Math.Max(1, (64 - BitOperations.LeadingZeroCount(value) + 6) / 7);
        if (before - reader.Remaining != needed)
        {
            reader.Fail();
        }

        return value;
    }

    /// <summary>How many elements follow, at least a byte each; the reader fails if there cannot be so many.</summary>
    public static int Elements(this ref CodecReader reader)
    {
        var count = reader.Minimal();
        if (count <= (ulong)reader.Remaining)
        {
            return (int)count;
        }

        reader.Fail();
        return 0;
    }

    public static void Replica(this CodecWriter writer, ReplicaId replica)
    {
        writer.Node(replica.Node);
        writer.Fixed64(replica.Incarnation);
    }

    public static ReplicaId Replica(this ref CodecReader reader)
    {
        var node = reader.Minimal();
        if (node > int.MaxValue)
        {
            reader.Fail();
            node = 0;
        }

        return new(new NodeId((int)node), reader.Fixed64());
    }

    public static void Hybrid(this CodecWriter writer, HybridTimestamp time)
    {
        writer.Fixed64((ulong)time.Physical.Nanoseconds);
        writer.Unsigned(time.Counter);
    }

    public static HybridTimestamp Hybrid(this ref CodecReader reader)
    {
        var physical = (long)reader.Fixed64();
        var counter = reader.Minimal();
        if (counter > uint.MaxValue)
        {
            reader.Fail();
        }

        return new(new Timestamp(physical), (uint)counter);
    }

    /// <summary>A length and that many bytes; the reader fails if the length could have been written shorter.</summary>
    internal static ReadOnlyMemory<byte> Slice(this ref CodecReader reader)
    {
        var length = reader;
        length.Elements();
        if (length.Failed)
        {
            reader.Fail();
        }

        return reader.Bytes();
    }

    /// <summary>A dot, by the place of its replica in the context that was written before.</summary>
    internal static void Dot(this CodecWriter writer, Dot dot, CausalContext context)
    {
        var index = context.IndexOf(dot.Replica);
        Invariant.Check(index >= 0, "DotsAreInTheContext");
        writer.Unsigned((ulong)index);
        writer.Unsigned(dot.Counter);
    }

    /// <summary>A dot of a store; the reader fails if its context does not hold it.</summary>
    internal static Dot Dot(this ref CodecReader reader, CausalContext context)
    {
        var dot = new Dot(context.ReplicaAt(ref reader), reader.Minimal());
        if (!context.Contains(dot))
        {
            reader.Fail();
        }

        return dot;
    }

    /// <summary>A value with a length before it, so that every way to write it can be held against the one that we write.</summary>
    internal static void Value<T>(this CodecWriter writer, T value, IWire<T> wire)
        where T : notnull
    {
        var scratch = new CodecWriter(32);
        wire.Write(scratch, value);
        writer.Bytes(scratch.Span);
    }

    internal static T? Value<T>(this ref CodecReader reader, IWire<T> wire)
        where T : notnull
    {
        var value = Canonical.Read(reader.Slice(), wire, new CodecWriter(32), out var isValid);
        if (!isValid)
        {
            reader.Fail();
        }

        return value;
    }
}
