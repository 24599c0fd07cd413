using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// The state machine above a replica, as far as catching up needs it. Everything else reaches it as executed commands.
/// </summary>
public interface IReplicatedState
{
    /// <summary>
    /// The highest slot whose effects the state holds; after a restart, the highest that survived. Commands up to it are never
    /// executed again. Negative while the state is absent: the replica then waits for a snapshot.
    /// </summary>
    Slot Applied { get; }

    /// <summary>
    /// One chunk of a snapshot for <paramref name="reader"/>. Chunk 0 opens a consistent view of the state as it is now; later
    /// chunks read on from the same view. Null if there is no such view any more: the reader starts again with chunk 0.
    /// </summary>
    SnapshotChunk? ReadSnapshot(NodeId reader, int index);

    /// <summary>
    /// Whether a snapshot that begins so may be installed. Not one from before something that this state must not go back behind, although
    /// it is absent: another replica has a later one.
    /// </summary>
    bool Takes(SnapshotChunk first) => true;

    /// <summary>
    /// Takes the next chunk. The state is absent from chunk 0 until the last one, which brings it into being at the chunk's
    /// slot in one atomic write; after a crash in between it is still absent. When that returns the state is durable: replicas that
    /// installed from one another could otherwise all be left without any by one crash, with nobody to ask.
    /// </summary>
    void InstallSnapshot(SnapshotChunk chunk);
}

/// <summary>A part of a state at <paramref name="At"/>: every command up to that slot, none after.</summary>
/// <param name="Index">0 for the first.</param>
/// <param name="IsLast">Whether the state is complete with this chunk.</param>
public sealed record SnapshotChunk(Slot At, int Index, bool IsLast, ReadOnlyMemory<byte> Data);
