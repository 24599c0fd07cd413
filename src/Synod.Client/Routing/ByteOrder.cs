using Google.Protobuf;

namespace Synod.Client.Routing;

/// <summary>The order of keys: bytes as unsigned numbers from the left, a prefix first. An empty end of a span means no bound.</summary>
internal sealed class ByteOrder : IComparer<ByteString>
{
    public static readonly ByteOrder Instance = new();

    public int Compare(ByteString? x, ByteString? y) => (x ?? ByteString.Empty).Span.SequenceCompareTo((y ?? ByteString.Empty).Span);

    public static bool Less(ByteString left, ByteString right) => left.Span.SequenceCompareTo(right.Span) < 0;

    /// <summary>Whether <paramref name="key"/> is below an end.</summary>
    public static bool Below(ByteString key, ByteString end) => end.IsEmpty || Less(key, end);

    /// <summary>The lower of two ends.</summary>
    public static ByteString LowerEnd(ByteString left, ByteString right) =>
        left.IsEmpty ? right : right.IsEmpty || Less(left, right) ? left : right;

    /// <summary>The least key above <paramref name="key"/>.</summary>
    public static ByteString Successor(ByteString key)
    {
        var next = new byte[key.Length + 1];
        key.Span.CopyTo(next);
        return UnsafeByteOperations.UnsafeWrap(next);
    }
}
