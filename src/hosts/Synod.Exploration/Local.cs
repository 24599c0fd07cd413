using Synod.Core;

namespace Synod.Exploration;

/// <summary>
/// Everything that one node is, apart from the network: the instance, its log, what waits for the log, its timers, and what it
/// was seen to do. Never changed once interned.
/// </summary>
internal sealed record Local
{
    /// <summary>The position in the model's list of nodes.</summary>
    public required int Node { get; init; }

    public byte[] State { get; init; } = [];

    public byte[][] Durable { get; init; } = [];

    public byte[][] Pending { get; init; } = [];

    public Held[] Held { get; init; } = [];

    /// <summary>Armed timers in ascending order.</summary>
    public TimerId[] Timers { get; init; } = [];

    /// <summary>A set, ordered by position and bytes.</summary>
    public Output[] Executions { get; init; } = [];

    /// <summary>A set, ordered by request and bytes.</summary>
    public Output[] Answers { get; init; } = [];

    /// <summary>How many of the node's submissions were made.</summary>
    public int Submitted { get; init; }

    public UInt128 Fingerprint(CodecWriter writer)
    {
        writer.Clear();
        writer.Int(Node);
        writer.Int(Submitted);
        writer.Bytes(State);
        Write(writer, Durable);
        Write(writer, Pending);
        writer.Int(Held.Length);
        foreach (var held in Held)
        {
            writer.Signed(held.Before);
            writer.Bool(held.IsAnswer);
            writer.Signed(held.Address);
            writer.Bytes(held.Bytes);
        }

        writer.Int(Timers.Length);
        foreach (var timer in Timers)
        {
            writer.Int(timer.Kind);
            writer.Signed(timer.Key);
        }

        Write(writer, Executions);
        Write(writer, Answers);
        return System.IO.Hashing.XxHash128.HashToUInt128(writer.Span);
    }

    private static void Write(CodecWriter writer, byte[][] records)
    {
        writer.Int(records.Length);
        foreach (var record in records)
        {
            writer.Bytes(record);
        }
    }

    private static void Write(CodecWriter writer, Output[] outputs)
    {
        writer.Int(outputs.Length);
        foreach (var output in outputs)
        {
            writer.Signed(output.Number);
            writer.Bytes(output.Bytes);
        }
    }
}

/// <summary>A send or answer that waits until <paramref name="Before"/> of the pending records are durable.</summary>
/// <param name="Address">The receiving node, or the request answered.</param>
internal readonly record struct Held(bool IsAnswer, long Address, byte[] Bytes, long Before);

/// <summary>An execution by position, or an answer by request.</summary>
internal readonly record struct Output(long Number, byte[] Bytes) : IComparable<Output>
{
    public int CompareTo(Output other) =>
        Number != other.Number ? Number.CompareTo(other.Number) : Bytes.AsSpan().SequenceCompareTo(other.Bytes);

    /// <summary><paramref name="set"/> with <paramref name="item"/>, each once and in order.</summary>
    public static Output[] Include(Output[] set, Output item)
    {
        var at = Array.BinarySearch(set, item);
        return at >= 0 ? set : [.. set[..~at], item, .. set[~at..]];
    }
}
