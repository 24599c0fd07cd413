using System.Runtime.CompilerServices;
using Synod.Api;
using Synod.Database;
using Synod.Doors.Grpc;
using Synod.Node;

namespace Synod.Hosting;

/// <summary>Between a door and the node's event loop.</summary>
internal sealed class NodeRequestHandler(NodeHost<NodeMessage, NodeRecord, Request, Response> host) : IRequestHandler
{
    private readonly ConditionalWeakTable<IResponseSink, StreamSinks> _streams = [];

    /// <inheritdoc/>
    public async ValueTask<Response> HandleAsync(Request request, CancellationToken cancellationToken)
    {
        try
        {
            return await host.SubmitAsync(request, cancellationToken);
        }
        catch (NodeStopped)
        {
            return InDoubt(request.BodyCase == Request.BodyOneofCase.Commit);
        }
    }

    /// <inheritdoc/>
    public void Handle(Request request, IResponseSink answers)
    {
        var sinks = _streams.GetValue(answers, static sink => new StreamSinks(sink));
        var sink = request.BodyCase == Request.BodyOneofCase.Commit ? sinks.Commits : sinks.Others;
        if (!host.Submit(request, sink, unchecked((long)request.Id)))
        {
            answers.Respond(new Response { Id = request.Id, Unavailable = new Unavailable { Reason = "the node stops" } });
        }
    }

    /// <summary>An answer for a request whose fate is not known: a commit may have happened, everything else may be asked again.</summary>
    private static Response InDoubt(bool isCommit)
    {
        const string reason = "the node stopped before it answered";
        return isCommit
            ? new Response { Commit = new CommitResult { Outcome = CommitResult.Types.Outcome.Unknown, Reason = reason } }
            : new Response { Unavailable = new Unavailable { Reason = reason } };
    }

    private sealed class StreamSinks(IResponseSink answers)
    {
        public Sink Commits { get; } = new(answers, isCommit: true);

        public Sink Others { get; } = new(answers, isCommit: false);
    }

    /// <summary>Takes answers between the node's steps and passes them on; the tag is the client's id of the request.</summary>
    private sealed class Sink(IResponseSink answers, bool isCommit) : IAnswerSink<Response>
    {
        public void Answered(long tag, Response result)
        {
            result.Id = unchecked((ulong)tag);
            answers.Respond(result);
        }

        public void Stopped(long tag) => Answered(tag, InDoubt(isCommit));
    }
}
