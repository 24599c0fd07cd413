using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// How two contents of one key become one: commutative, associative and idempotent, so that replicas end with the same whatever came
/// first. The larger of two versions does it, and so does the join of two convergent states.
/// </summary>
public interface IItemMerge
{
    /// <summary>What a key has that held <paramref name="held"/> and is given <paramref name="offered"/>; null if that is malformed.</summary>
    ReadOnlyMemory<byte>? Merge(Key key, ReadOnlyMemory<byte>? held, ReadOnlyMemory<byte> offered);
}
