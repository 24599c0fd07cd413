using System.Net;
using Synod.Api;
using Synod.Client;

namespace Synod.Hosting;

/// <summary>The node that runs in this process.</summary>
public interface ISynodNode
{
    /// <summary>A client that reaches this node without a network, and the others through theirs.</summary>
    SynodClient Client { get; }

    /// <summary>Ends when the node has stopped; faults with the cause if it had to stop by itself, as after a failed disk.</summary>
    Task Completion { get; }

    /// <summary>Where it listens for clients; null if it does not.</summary>
    IPEndPoint? ClientEndPoint { get; }

    /// <summary>Where it serves health and metrics; null if it does not.</summary>
    IPEndPoint? HttpEndPoint { get; }

    /// <summary>How the node sees itself and its ranges.</summary>
    /// <exception cref="InvalidOperationException">It has not been started, or has stopped.</exception>
    Task<NodeStatus> StatusAsync(CancellationToken cancellationToken = default);
}
