using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Synod.Doors.Grpc;

/// <summary>Hangs the door into an ASP.NET Core application.</summary>
public static class GrpcDoor
{
    /// <summary>
    /// The largest message taken in or sent out: a full transaction of 64 MiB and room for its frame. Larger ones are refused with
    /// RESOURCE_EXHAUSTED.
    /// </summary>
    public const int MaxMessageBytes = 80 * 1024 * 1024;

    /// <summary>Adds the gRPC service in front of <paramref name="handler"/>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="handler">What answers.</param>
    /// <param name="token">What clients must present; null asks for nothing.</param>
    public static IServiceCollection AddSynodDoor(this IServiceCollection services, IRequestHandler handler, string? token)
    {
        services.AddSingleton(handler);
        services.AddSingleton(new TokenGuard(token));
        services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = MaxMessageBytes;
            options.MaxSendMessageSize = MaxMessageBytes;
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
