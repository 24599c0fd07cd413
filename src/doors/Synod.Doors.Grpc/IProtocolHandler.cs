using Synod.Api;

namespace Synod.Doors.Grpc;

/// <summary>What is behind the door of a protocol's node.</summary>
public interface IProtocolHandler
{
    /// <summary>
    /// Runs operations that came together on a stream; <paramref name="outcomes"/> gets at most one outcome with the id of each, on any
    /// thread.
    /// </summary>
    void Run(IReadOnlyList<Operation> operations, IOutcomeSink outcomes);

    /// <summary>What the node has counted and executed.</summary>
    Task<ProtocolCounts> CountAsync();
}

/// <summary>Takes the outcomes of one stream, in any order. Returns at once and never throws.</summary>
public interface IOutcomeSink
{
    void Take(OperationOutcome outcome);
}
