using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;

namespace Synod.Lab.Worlds.AntiEntropyRoom;

/// <summary>Of two contents the larger stays, by their bytes; none is empty.</summary>
public sealed class LargestContent : IItemMerge
{
    public ReadOnlyMemory<byte>? Merge(Key key, ReadOnlyMemory<byte>? held, ReadOnlyMemory<byte> offered) =>
        offered.IsEmpty ? default(ReadOnlyMemory<byte>?) : held is { } here && here.Span.SequenceCompareTo(offered.Span) >= 0 ? here : offered;
}
