using Synod.Core;

namespace Synod.Crdt;

/// <summary>Values whose bytes have an order: what states are sorted by, and what decides between equal timestamps.</summary>
internal static class Canonical
{
    /// <summary>Reads a value that has these bytes and no others; not valid if it is malformed or would be written otherwise.</summary>
    public static T? Read<T>(ReadOnlyMemory<byte> bytes, IWire<T> wire, CodecWriter scratch, out bool isValid)
    {
        var reader = new CodecReader(bytes);
        var value = wire.Read(ref reader);
        isValid = value is not null && reader.IsComplete;
        if (isValid)
        {
            scratch.Clear();
            wire.Write(scratch, value!);
            isValid = scratch.Span.SequenceEqual(bytes.Span);
        }

        return isValid ? value : default;
    }

    /// <summary>The items in the order of what their keys are written as, each with those bytes.</summary>
    public static List<(ReadOnlyMemory<byte> Bytes, TItem Item)> Sorted<TItem, TKey>(
        IEnumerable<TItem> items, Func<TItem, TKey> key, IWire<TKey> wire)
    {
        var writer = new CodecWriter();
        var sorted = new List<(ReadOnlyMemory<byte> Bytes, TItem Item)>();
        foreach (var item in items)
        {
            writer.Clear();
            wire.Write(writer, key(item));
            sorted.Add((writer.ToArray(), item));
        }

        sorted.Sort(static (left, right) => left.Bytes.Span.SequenceCompareTo(right.Bytes.Span));
        return sorted;
    }

    /// <summary>The order of two values, by what they are written as.</summary>
    public static int Compare<T>(T left, T right, IWire<T> wire)
    {
        var (first, second) = (new CodecWriter(32), new CodecWriter(32));
        wire.Write(first, left);
        wire.Write(second, right);
        return first.Span.SequenceCompareTo(second.Span);
    }
}
