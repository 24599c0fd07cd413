using System.Globalization;
using Synod.Core;
using Synod.Lab.Worlds.AntiEntropyRoom;
using Synod.Protocols.Gossip.AntiEntropy;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

using Play = Stage<RangeReconciliation.Message, RangeReconciliation.Record, RangeReconciliation.Command, RangeReconciliation.Result>;

/// <summary>Stores whose keys have numbers as contents, the larger of which stays.</summary>
internal static class Stores
{
    public static readonly NodeId A = new(1);
    public static readonly NodeId B = new(2);
    public const int Retry = (int)RangeReconciliation.Timer.Retry;

    /// <summary>Spans split in two, and messages with room for little.</summary>
    public static RangeOptions Small { get; } = Fit(new() { Branching = 2, MostListed = 2, MostKeyBytes = 8, MostValueBytes = 8 });

    /// <summary>Options with the smallest messages that they allow.</summary>
    public static RangeOptions Fit(RangeOptions options) => options with { MostMessageBytes = options.LeastMessageBytes };

    public static Play Stage(RangeOptions? options = null) => new Play(
        node => Make(node, options ?? new()), timer => ((RangeReconciliation.Timer)timer.Kind).ToString(), A, B).Begin();

    public static RangeReconciliation Make(NodeId node, RangeOptions options) =>
        new(node, NodeSet.Of(A, B), options, new LargestContent());

    public static RangeReconciliation At(this Play play, NodeId node) => (RangeReconciliation)play[node];

    public static void Put(this Play play, NodeId node, string key, long value) =>
        play.Submit(node, new RangeReconciliation.Command.Put(Key.Of(key), Number(value)));

    public static ReadOnlyMemory<byte> Number(long value)
    {
        var bytes = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    public static string Name(int number) => number.ToString("000000", CultureInfo.InvariantCulture);

    public static string Content(this RangeReconciliation store) => string.Join(
        " ", store.Items.Within(KeySpan.All).Select(item => $"{item.Key}={System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(item.Value.Span)}"));
}
