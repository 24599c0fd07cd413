namespace Synod.Api;

/// <summary>What is behind a door: the node, or whatever stands for it.</summary>
public interface IRequestHandler
{
    /// <summary>
    /// Answers one request. Bad input and limits are answered with <c>Refused</c>, temporary failures with <c>Unavailable</c>.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller has gone.</exception>
    ValueTask<Response> HandleAsync(Request request, CancellationToken cancellationToken);

    /// <summary>
    /// Answers requests of a stream that came together: <paramref name="answers"/> gets exactly one response for each, on any thread, with
    /// the request's id. Some of the work may be done before it returns.
    /// </summary>
    void Handle(IReadOnlyList<Request> requests, IResponseSink answers);
}

/// <summary>Takes the responses of one stream, in any order and on any thread. Returns at once and never throws.</summary>
public interface IResponseSink
{
    /// <summary>Takes a response that carries the id of its request; on its way after the next <see cref="Flush"/>.</summary>
    void Respond(Response response);

    /// <summary>Sends what was taken: the responses of one step of the node leave together.</summary>
    void Flush();
}
