using Synod.Api;

namespace Synod.Doors.Grpc;

/// <summary>What is behind the door: the node, or whatever stands for it.</summary>
public interface IRequestHandler
{
    /// <summary>
    /// Answers one request. Bad input and limits are answered with <c>Refused</c>, temporary failures with <c>Unavailable</c>;
    /// the id is set by the door.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller has gone, or the node stops.</exception>
    ValueTask<Response> HandleAsync(Request request, CancellationToken cancellationToken);
}
