using Google.Protobuf;

namespace Synod.Client;

/// <summary>What the cluster accepts. The client checks first, so that the error arises where the mistake is.</summary>
public static class Limits
{
    /// <summary>The longest key, in bytes: 4 KiB.</summary>
    public const int MaxKeyBytes = 4 * 1024;

    /// <summary>The longest value, in bytes: 4 MiB.</summary>
    public const int MaxValueBytes = 4 * 1024 * 1024;

    /// <summary>The most that one transaction may write, keys and values together, in bytes: 64 MiB.</summary>
    public const long MaxTransactionBytes = 64L * 1024 * 1024;

    internal static ByteString Key(ReadOnlyMemory<byte> key) => key.Length switch
    {
        0 => throw new ArgumentException("A key is empty. Keys have 1 to 4,096 bytes.", nameof(key)),
        > MaxKeyBytes => throw new ArgumentException(
            $"A key has {key.Length:N0} bytes, and the limit is {MaxKeyBytes:N0}. Use a shorter key, such as a hash of it.",
            nameof(key)),
        _ => ByteString.CopyFrom(key.Span),
    };

    /// <summary>A bound of a scan: may be empty, and one byte longer than a key, as the successor of the longest is.</summary>
    internal static ByteString Bound(ReadOnlyMemory<byte> bound) => bound.Length <= MaxKeyBytes + 1
        ? ByteString.CopyFrom(bound.Span)
        : throw new ArgumentException(
            $"A bound of a scan has {bound.Length:N0} bytes, and no key is longer than {MaxKeyBytes:N0}.", nameof(bound));

    internal static long Moment(long at) => at >= 0
        ? at
        : throw new ArgumentException(
            $"The moment to read at is {at}, before the Unix epoch. Give nanoseconds since then, as a commit's timestamp is, or 0 for now.",
            nameof(at));

    internal static ByteString Value(ReadOnlyMemory<byte> value) => value.Length <= MaxValueBytes
        ? ByteString.CopyFrom(value.Span)
        : throw new ArgumentException(
            $"A value has {value.Length:N0} bytes, and the limit is {MaxValueBytes:N0}. Split it over several keys.", nameof(value));
}
