using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Synod.Api;

namespace Synod.Doors.Grpc;

/// <summary>Hangs the door into an ASP.NET Core application.</summary>
public static class GrpcDoor
{
    /// <summary>Adds the gRPC service in front of <paramref name="handler"/>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="handler">What answers.</param>
    /// <param name="token">What clients must present.</param>
    public static IServiceCollection AddSynodDoor(this IServiceCollection services, IRequestHandler handler, ClusterToken token)
    {
        services.AddSingleton(handler);
        services.AddSingleton(new TokenGuard(token));
        services.AddGrpc(options =>
        {
            // Larger ones are refused with RESOURCE_EXHAUSTED.
            options.MaxReceiveMessageSize = DirectWire.MaxMessageBytes;
            options.MaxSendMessageSize = DirectWire.MaxMessageBytes;
            options.Interceptors.Add<TokenGuard>();
        });
        return services;
    }

    /// <summary>Maps the service's two methods.</summary>
    public static IEndpointConventionBuilder MapSynodDoor(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGrpcService<SynodService>();

    /// <summary>Adds the gRPC service of a protocol's node in front of <paramref name="handler"/>.</summary>
    public static IServiceCollection AddProtocolDoor(this IServiceCollection services, IProtocolHandler handler)
    {
        services.AddSingleton(handler);
        services.AddGrpc();
        return services;
    }

    /// <summary>Maps the service of a protocol's node.</summary>
    public static IEndpointConventionBuilder MapProtocolDoor(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGrpcService<ProtocolService>();
}
