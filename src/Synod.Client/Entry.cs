using System.Text;
using Synod.Api;

namespace Synod.Client;

/// <summary>A key and its value as read.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
/// <param name="Timestamp">
/// When the version was committed, in nanoseconds since the Unix epoch; 0 for a write that its own transaction has not committed.
/// </param>
public sealed record Entry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, long Timestamp)
{
    /// <summary>The key read as UTF-8.</summary>
    public string KeyText => Encoding.UTF8.GetString(Key.Span);

    /// <summary>The value read as UTF-8.</summary>
    public string ValueText => Encoding.UTF8.GetString(Value.Span);

    internal static Entry Of(KeyValue item) => new(item.Key.Memory, item.Value.Memory, item.Timestamp);
}
