using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Synod.Doors.Grpc;

/// <summary>Lets nobody in who does not say the token, in the metadata as <c>authorization: Bearer …</c>.</summary>
/// <param name="token">The token, or null to ask for none.</param>
public sealed class TokenGuard(string? token) : Interceptor
{
    // Comparing hashes takes the same time wherever the two differ, and whatever their lengths.
    private readonly byte[]? _expected = token is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes($"Bearer {token}"));

    /// <inheritdoc/>
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(request, context);
    }

    /// <inheritdoc/>
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(requestStream, responseStream, context);
    }

    private void Check(ServerCallContext context)
    {
        if (_expected is null)
        {
            return;
        }

        var given = context.RequestHeaders.GetValue("authorization");
        if (given is null || !CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), _expected))
        {
            throw new RpcException(new Status(
                StatusCode.Unauthenticated,
                given is null
                    ? "The node asks for a token and the client sent none. Give the client the cluster's token."
                    : "The client's token is not the cluster's. Give the client the token that the nodes were started with."));
        }
    }
}
