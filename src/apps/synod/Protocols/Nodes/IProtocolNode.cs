using Synod.Doors.Grpc;

namespace Synod.App.Protocols.Nodes;

/// <summary>A protocol on its host, seen from the door: operations in, outcomes out.</summary>
internal interface IProtocolNode : IProtocolHandler, IAsyncDisposable
{
    /// <summary>Ends when the node has stopped; faults with the cause if it had to stop by itself.</summary>
    Task Completion { get; }

    /// <summary>Recovers, then listens and dials.</summary>
    Task StartAsync();
}
