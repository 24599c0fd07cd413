using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// The deterministic service that replicas agree to run: every correct copy gives the same results to the same operations. A copy
/// belongs to one replica, which puts it back into an earlier or fetched state when it must.
/// </summary>
public interface IReplicatedService
{
    /// <summary>Does an agreed operation. Any bytes may come, and none may throw.</summary>
    ReadOnlyMemory<byte> Execute(NodeId client, ReadOnlyMemory<byte> operation);

    /// <summary>What an operation that only reads would give now. Changes nothing, also if the operation would.</summary>
    ReadOnlyMemory<byte> Read(NodeId client, ReadOnlyMemory<byte> operation);

    /// <summary>Writes the whole state: equal states, equal bytes.</summary>
    void Save(CodecWriter writer);

    /// <summary>Takes on the state that a correct copy saved.</summary>
    void Load(ReadOnlyMemory<byte> state);
}
