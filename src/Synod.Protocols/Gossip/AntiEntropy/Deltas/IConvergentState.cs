using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>
/// A convergent state as its replication sees it: an element of a join semilattice whose deltas are elements too (crdt.md §1). States,
/// deltas and digests are bytes, equal states equal bytes; what arrives may come from anyone, and nothing is thrown.
/// </summary>
public interface IConvergentState
{
    /// <summary>As whom changes are made from here on.</summary>
    void Become(Origin self);

    /// <summary>Carries a command out here, and returns the delta, with <c>m(X) = X ⊔ delta</c>; empty if nothing changed.</summary>
    ReadOnlyMemory<byte> Mutate(ReadOnlyMemory<byte> command, StepContext context, out ReadOnlyMemory<byte> answer);

    /// <summary>
    /// Joins a delta, and returns the part of it that was not here (join decomposition); empty if all was. Null if it is malformed or
    /// may not be joined: then nothing has changed.
    /// </summary>
    ReadOnlyMemory<byte>? Join(ReadOnlyMemory<byte> delta);

    /// <summary>The join of deltas that this state has made or returned.</summary>
    ReadOnlyMemory<byte> Merge(IReadOnlyList<ReadOnlyMemory<byte>> deltas);

    /// <summary>The whole state, which is a delta too.</summary>
    ReadOnlyMemory<byte> Save();

    /// <summary>Becomes a state that <see cref="Save"/> gave; empty is the least.</summary>
    void Load(ReadOnlyMemory<byte> state);

    /// <summary>What tells others how much is here, in few bytes; null if this type has no such thing.</summary>
    ReadOnlyMemory<byte>? Digest();

    /// <summary>What somebody lacks who told this digest; null if it is malformed.</summary>
    ReadOnlyMemory<byte>? MissingTo(ReadOnlyMemory<byte> digest);

    /// <summary>
    /// Drops what is kept only for those who have not seen it (crdt.md §6), given the digests of all others, and returns that as a delta;
    /// empty if there is nothing to drop. A digest that tells of what is not here, or nothing, holds it up.
    /// </summary>
    ReadOnlyMemory<byte> Compact(IReadOnlyList<ReadOnlyMemory<byte>> digests);
}
