using Synod.Api;
using Synod.Database;
using Synod.Doors.Grpc;
using Synod.Node;

namespace Synod.Hosting;

/// <summary>Between a door and the node's event loop.</summary>
internal sealed class NodeRequestHandler(NodeHost<NodeMessage, NodeRecord, Request, Response> host) : IRequestHandler
{
    /// <inheritdoc/>
    public async ValueTask<Response> HandleAsync(Request request, CancellationToken cancellationToken)
    {
        try
        {
            return await host.SubmitAsync(request, cancellationToken);
        }
        catch (NodeStopped)
        {
            return InDoubt(request, "the node stopped before it answered");
        }
    }

    /// <summary>An answer for a request whose fate is not known: a commit may have happened, everything else may be asked again.</summary>
    private static Response InDoubt(Request request, string reason) => request.BodyCase == Request.BodyOneofCase.Commit
        ? new Response { Commit = new CommitResult { Outcome = CommitResult.Types.Outcome.Unknown, Reason = reason } }
        : new Response { Unavailable = new Unavailable { Reason = reason } };
}
