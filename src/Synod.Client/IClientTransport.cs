using Synod.Api;

namespace Synod.Client;

/// <summary>
/// Carries one request to one node and its response back. The client above it finds leaders, retries and counts time; a
/// transport only delivers, or says that it could not.
/// </summary>
public interface IClientTransport : IAsyncDisposable
{
    /// <summary>
    /// Sends <paramref name="request"/> to the node that clients reach at <paramref name="address"/>. The transport owns
    /// <see cref="Request.Id"/> and may set it; the caller does not use the object again.
    /// </summary>
    /// <exception cref="DeliveryFailedException">No response will come; whether the request was acted on may be unknown.</exception>
    /// <exception cref="OperationCanceledException">
    /// <paramref name="cancellationToken"/> was cancelled. The request may be acted on all the same.
    /// </exception>
    ValueTask<Response> CallAsync(string address, Request request, CancellationToken cancellationToken);
}

/// <summary>A request got no response because its node could not be reached or the connection broke.</summary>
/// <param name="message">What happened.</param>
/// <param name="maybeDelivered">False only if the node certainly did not get the request.</param>
/// <param name="cause">The transport's own error.</param>
public sealed class DeliveryFailedException(string message, bool maybeDelivered, Exception? cause = null)
    : Exception(message, cause)
{
    /// <summary>Whether the node may have got the request, and may have acted on it.</summary>
    public bool MaybeDelivered { get; } = maybeDelivered;
}
