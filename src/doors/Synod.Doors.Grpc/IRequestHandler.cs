using Synod.Api;

namespace Synod.Doors.Grpc;

/// <summary>What is behind the door: the node, or whatever stands for it.</summary>
public interface IRequestHandler
{
    /// <summary>
    /// Answers one request. Bad input and limits are answered with <c>Refused</c>, temporary failures with <c>Unavailable</c>.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    ValueTask<Response> HandleAsync(Request request, CancellationToken cancellationToken);

    /// <summary>
    /// Answers one of many requests of a stream: <paramref name="answers"/> gets exactly one response, on any thread, with the
    /// request's id.
    /// </summary>
    void Handle(Request request, IResponseSink answers);
}

/// <summary>Takes the responses of one stream, in any order. Returns at once and never throws.</summary>
public interface IResponseSink
{
    /// <summary>Takes a response that carries the id of its request.</summary>
    void Respond(Response response);
}
