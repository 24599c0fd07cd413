using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// The state as the group of one epoch sees it, whose slots begin above <paramref name="start"/>. Until the state has applied what the
/// epochs before decided, the group is at its beginning, not absent.
/// </summary>
internal sealed class EpochState(IReplicatedState state, Slot start) : IReplicatedState
{
    public Slot Applied => state.Applied < Slot.None ? state.Applied : new Slot(Math.Max(0, state.Applied.Value - start.Value));

    public SnapshotChunk? ReadSnapshot(NodeId reader, int index) =>
        state.Applied >= start && state.ReadSnapshot(reader, index) is { } chunk && chunk.At >= start
            ? chunk with { At = new Slot(chunk.At.Value - start.Value) }
            : null;

    public bool Takes(SnapshotChunk first) => state.Takes(first with { At = new Slot(first.At.Value + start.Value) });

    public void InstallSnapshot(SnapshotChunk chunk) => state.InstallSnapshot(chunk with { At = new Slot(chunk.At.Value + start.Value) });
}
