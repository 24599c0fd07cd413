using Synod.Core;

namespace Synod.Protocols.Snapshots;

/// <summary>Sends through the channel to <paramref name="to"/>; false, and nothing was sent, if there is none.</summary>
public delegate bool Sending(NodeId to, ReadOnlyMemory<byte> message);

/// <summary>
/// The deterministic process that is snapshotted, stacked on <see cref="ChandyLamport"/>: its only inputs are messages of its channels
/// and commands of its host, and the same inputs in the same order give the same state and sends. It is rebuilt from its inputs after
/// a crash, so it keeps nothing durable of its own, and has no timers: whatever should happen in time is submitted.
/// </summary>
public interface IApplication
{
    /// <summary>A message of a channel. Any bytes may come, and none may throw.</summary>
    void Receive(NodeId from, ReadOnlyMemory<byte> message, Sending send);

    /// <summary>Does a command of the host and says what came of it. Any bytes may come, and none may throw.</summary>
    ReadOnlyMemory<byte> Submit(ReadOnlyMemory<byte> command, Sending send);

    /// <summary>The whole state, as bytes that nobody writes to again: equal states, equal bytes.</summary>
    ReadOnlyMemory<byte> Save();

    /// <summary>Takes on a saved state; false leaves the state as it was, because the bytes are none.</summary>
    bool TryLoad(ReadOnlyMemory<byte> state);
}
