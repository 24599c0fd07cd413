using Grpc.Core;
using Grpc.Core.Interceptors;
using Synod.Api;

namespace Synod.Doors.Grpc;

/// <summary>Lets nobody in who does not say the token, in the metadata as <c>authorization: Bearer …</c>.</summary>
public sealed class TokenGuard(ClusterToken token) : Interceptor
{
    private const string Scheme = "Bearer ";

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
        var given = context.RequestHeaders.GetValue("authorization");
        given = given?.StartsWith(Scheme, StringComparison.Ordinal) == true ? given[Scheme.Length..] : given;
        if (token.Refusal(given) is { } refusal)
        {
            throw new RpcException(new Status(StatusCode.Unauthenticated, refusal));
        }
    }
}
