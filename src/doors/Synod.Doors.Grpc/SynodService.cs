using System.Threading.Channels;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Synod.Api;

namespace Synod.Doors.Grpc;

/// <summary>The gRPC door: parses, calls, answers. No logic lives here.</summary>
public sealed partial class SynodService(IRequestHandler handler, IHostApplicationLifetime lifetime, ILogger<SynodService> log)
    : Api.Synod.SynodBase
{
    /// <summary>Requests of one stream that are worked on at a time; the stream is not read further until one is done.</summary>
    private const int MaxInFlight = 4_096;

    private static readonly WriteOptions Buffered = new(WriteFlags.BufferHint);

    /// <inheritdoc/>
    public override async Task<Response> Call(Request request, ServerCallContext context) =>
        await AnswerAsync(request, context.CancellationToken);

    /// <inheritdoc/>
    public override async Task Connect(
        IAsyncStreamReader<Request> requestStream, IServerStreamWriter<Response> responseStream, ServerCallContext context)
    {
        var responses = Channel.CreateUnbounded<Response>(new() { SingleReader = true });
        using var slots = new SemaphoreSlim(MaxInFlight);
        var writing = WriteAsync(responses.Reader, responseStream, context.CancellationToken);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            while (await requestStream.MoveNext(reading.Token))
            {
                await slots.WaitAsync(context.CancellationToken);
                _ = ServeAsync(requestStream.Current, responses.Writer, slots, context.CancellationToken);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The client went away, or the door closes. What was asked for is answered below if somebody still listens.
        }

        // Every request in flight has let go of its slot before the semaphore and the channel go.
        for (var i = 0; i < MaxInFlight; i++)
        {
            await slots.WaitAsync(CancellationToken.None);
        }

        responses.Writer.Complete();
        await writing;
    }

    private async Task ServeAsync(
        Request request, ChannelWriter<Response> responses, SemaphoreSlim slots, CancellationToken cancellationToken)
    {
        try
        {
            responses.TryWrite(await AnswerAsync(request, cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // Nobody waits for the answer any more.
        }
        finally
        {
            slots.Release();
        }
    }

    private async ValueTask<Response> AnswerAsync(Request request, CancellationToken cancellationToken)
    {
        Response response;
        try
        {
            response = request.BodyCase == Request.BodyOneofCase.None
                ? new Response { Refused = new Refused { Reason = "The request has no body, or one that this version does not know." } }
                : await handler.HandleAsync(request, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogFailure(failure, request.BodyCase);
            response = InDoubt(request);
        }

        response.Id = request.Id;
        return response;
    }

    /// <summary>After a failure inside the node a commit may have happened; everything else may be asked again.</summary>
    private static Response InDoubt(Request request)
    {
        const string reason = "the node failed on the request; its log says why";
        return request.BodyCase == Request.BodyOneofCase.Commit
            ? new Response { Commit = new CommitResult { Outcome = CommitResult.Types.Outcome.Unknown, Reason = reason } }
            : new Response { Unavailable = new Unavailable { Reason = reason } };
    }

    private static async Task WriteAsync(
        ChannelReader<Response> responses, IServerStreamWriter<Response> stream, CancellationToken cancellationToken)
    {
        try
        {
            while (await responses.WaitToReadAsync(cancellationToken))
            {
                while (responses.TryRead(out var response))
                {
                    // Whatever follows at once shares a packet.
                    stream.WriteOptions = responses.TryPeek(out _) ? Buffered : WriteOptions.Default;
                    await stream.WriteAsync(response, cancellationToken);
                }
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or InvalidOperationException or RpcException)
        {
            // The stream has ended under the writer: its client has gone and takes unanswered requests for undelivered.
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A request of kind {Kind} failed inside the node.")]
    private partial void LogFailure(Exception failure, Request.BodyOneofCase kind);
}
