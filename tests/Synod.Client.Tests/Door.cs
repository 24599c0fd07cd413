using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Synod.Api;
using Synod.Doors.Direct;
using Synod.Doors.Grpc;

namespace Synod.Client.Tests;

/// <summary>A door on a free loopback port with a function behind it, for gRPC and the direct wire.</summary>
internal sealed class Door : IRequestHandler, IAsyncDisposable
{
    private readonly Func<Request, CancellationToken, ValueTask<Response>> _answer;
    private WebApplication? _app;
    private int _connections;

    private Door(Func<Request, CancellationToken, ValueTask<Response>> answer) => _answer = answer;

    public string Address { get; private set; } = "";

    public int Connections => _connections;

    public static async Task<Door> OpenAsync(Func<Request, CancellationToken, ValueTask<Response>> answer, string? token = null)
    {
        var door = new Door(answer);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => connection =>
                {
                    Interlocked.Increment(ref door._connections);
                    return next(connection);
                });
                listen.UseDirectDoor(door, new ClusterToken(token), NullLogger.Instance);
            }));
        builder.Services.AddSynodDoor(door, new ClusterToken(token));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.Zero);
        door._app = builder.Build();
        door._app.MapSynodDoor();
        await door._app.StartAsync(TestContext.Current.CancellationToken);
        var feature = door._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        door.Address = new Uri(feature.Addresses.First()).Authority;
        return door;
    }

    public ValueTask<Response> HandleAsync(Request request, CancellationToken cancellationToken) => _answer(request, cancellationToken);

    public void Handle(IReadOnlyList<Request> requests, IResponseSink answers)
    {
        foreach (var request in requests)
        {
            _ = HandleAsync(request, answers, _answer(request, Closing));
        }
    }

    public ValueTask DisposeAsync() => _app!.DisposeAsync();

    private CancellationToken Closing => _app!.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

    private static async Task HandleAsync(Request request, IResponseSink answers, ValueTask<Response> answer)
    {
        var response = await answer;
        response.Id = request.Id;
        answers.Respond(response);
        answers.Flush();
    }
}
