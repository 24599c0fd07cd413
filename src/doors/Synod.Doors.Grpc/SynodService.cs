using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Synod.Api;

namespace Synod.Doors.Grpc;

/// <summary>The gRPC door: parses, calls, answers. No logic lives here.</summary>
public sealed partial class SynodService(IRequestHandler handler, IHostApplicationLifetime lifetime, ILogger<SynodService> log)
    : Api.Synod.SynodBase
{
    /// <inheritdoc/>
    public override async Task<Response> Call(Request request, ServerCallContext context)
    {
        Response response;
        try
        {
            response = request.BodyCase == Request.BodyOneofCase.None
                ? DoorAnswers.Bodiless(request)
                : await handler.HandleAsync(request, context.CancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogFailure(failure, request.BodyCase);
            response = DoorAnswers.Failed(request);
        }

        response.Id = request.Id;
        return response;
    }

    /// <inheritdoc/>
    public override async Task Connect(
        IAsyncStreamReader<Request> requestStream, IServerStreamWriter<Response> responseStream, ServerCallContext context)
    {
        var responses = new ResponseQueue();
        var writing = responses.WriteAsync(responseStream, context.CancellationToken);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            while (await requestStream.MoveNext(reading.Token))
            {
                await responses.BeginAsync(reading.Token);
                Serve(requestStream.Current, responses);
            }
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // The client went away, or the door closes. What was asked for is answered below if somebody still listens.
        }

        try
        {
            await responses.FinishAsync(context.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Nobody listens any more.
        }

        responses.Complete();
        await writing;
    }

    private void Serve(Request request, ResponseQueue responses)
    {
        if (request.BodyCase == Request.BodyOneofCase.None)
        {
            responses.Respond(DoorAnswers.Bodiless(request));
            return;
        }

        try
        {
            handler.Handle([request], responses);
        }
        catch (Exception failure)
        {
            LogFailure(failure, request.BodyCase);
            responses.Respond(DoorAnswers.Failed(request));
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A request of kind {Kind} failed inside the node.")]
    private partial void LogFailure(Exception failure, Request.BodyOneofCase kind);
}
