using Synod.Api;
using Synod.Client;

namespace Synod.Hosting;

/// <summary>Hands requests to the node in this process directly, and those for other nodes to the network.</summary>
internal sealed class InProcessTransport(string ownAddress, IRequestHandler node, IClientTransport others) : IClientTransport
{
    /// <inheritdoc/>
    public async ValueTask<Response> CallAsync(string address, Request request, CancellationToken cancellationToken) =>
        address == ownAddress
            ? await node.HandleAsync(request, cancellationToken)
            : await others.CallAsync(address, request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => others.DisposeAsync();
}
