using System.Runtime.CompilerServices;
using Synod.Api;
using Synod.Database;
using Synod.Node;

namespace Synod.Hosting;

/// <summary>Between a door and the node's event loop.</summary>
internal sealed class NodeRequestHandler(NodeHost<NodeMessage, NodeRecord, Request, Response> host) : IRequestHandler
{
    private const string StoppedReason = "the node stopped before it answered";

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
            return DoorAnswers.InDoubt(request.Id, request.BodyCase == Request.BodyOneofCase.Commit, StoppedReason);
        }
    }

    /// <inheritdoc/>
    public void Handle(IReadOnlyList<Request> requests, IResponseSink answers)
    {
        var sinks = _streams.GetValue(answers, static sink => new StreamSinks(sink));
        var isStopping = false;
        foreach (var request in requests)
        {
            var sink = request.BodyCase == Request.BodyOneofCase.Commit ? sinks.Commits : sinks.Others;
            if (!host.Enqueue(request, sink, unchecked((long)request.Id)))
            {
                answers.Respond(DoorAnswers.InDoubt(request.Id, isCommit: false, "the node stops"));
                isStopping = true;
            }
        }

        if (isStopping)
        {
            answers.Flush();
        }

        host.Step();
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

        public void Flush() => answers.Flush();

        public void Stopped(long tag)
        {
            Answered(tag, DoorAnswers.InDoubt(unchecked((ulong)tag), isCommit, StoppedReason));
            Flush();
        }
    }
}
