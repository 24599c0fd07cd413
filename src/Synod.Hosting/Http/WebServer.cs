using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Synod.Api;
using Synod.Doors.Direct;
using Synod.Doors.Grpc;
using Synod.Node;

namespace Synod.Hosting.Http;

/// <summary>A Kestrel of its own on one port, so that an embedded node and the application around it do not share settings.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(2);

    private readonly WebApplication _app;
    private readonly IDisposable? _owned;

    private WebServer(WebApplication app, IDisposable? owned)
    {
        _app = app;
        _owned = owned;
    }

    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.None, 0);

    /// <summary>Where clients come in: with gRPC, or over the direct wire.</summary>
    public static async Task<WebServer> StartDoorAsync(
        IPEndPoint listen, NodeSettings settings, IRequestHandler handler, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var certificate = settings.Tls is { } tls ? X509Certificate2.CreateFromPemFile(tls.Certificate, tls.Key) : null;
        var token = new ClusterToken(settings.Token);
        var builder = Builder(listen, loggers, options =>
        {
            options.Protocols = HttpProtocols.Http2;
            if (certificate is not null)
            {
                options.UseHttps(https =>
                {
                    https.ServerCertificate = certificate;
                    https.SslProtocols = SslProtocols.Tls13;
                });
            }

            options.UseDirectDoor(handler, token, loggers.CreateLogger(typeof(DirectDoor)));
        });
        builder.Services.AddSynodDoor(handler, token);
        var app = builder.Build();
        app.MapSynodDoor();
        return await new WebServer(app, certificate).StartAsync(listen, "clients", cancellationToken);
    }

    /// <summary>Health, metrics and status for operators.</summary>
    public static async Task<WebServer> StartPagesAsync(
        IPEndPoint listen, ISynodNode node, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var metrics = new PrometheusText();
        var app = Builder(listen, loggers, options => options.Protocols = HttpProtocols.Http1).Build();
        app.MapGet("/healthz", (CancellationToken aborted) => HealthAsync(node, aborted));
        app.MapGet("/metrics", () => Results.Text(metrics.Render(), "text/plain; version=0.0.4"));
        app.MapGet("/status", async (CancellationToken aborted) =>
            Results.Text(StatusJson.Of(await node.StatusAsync(aborted)).ToJsonString(), "application/json"));
        return await new WebServer(app, metrics).StartAsync(listen, "health and metrics", cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _owned?.Dispose();
    }

    private static WebApplicationBuilder Builder(IPEndPoint listen, ILoggerFactory loggers, Action<ListenOptions> configure)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "synod" });
        builder.Services.AddSingleton(loggers);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);

        // The application around us, or the command line, owns signals and the console.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();

        // What the door does with a request never blocks: it needs no thread of its own.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.InitialStreamWindowSize = 4 * 1024 * 1024;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 8 * 1024 * 1024;
            kestrel.Listen(listen, configure);
        });
        return builder;
    }

    private async Task<WebServer> StartAsync(IPEndPoint listen, string purpose, CancellationToken cancellationToken)
    {
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (IOException taken)
        {
            await DisposeAsync();
            throw new ConfigurationRefused(
                $"The node cannot listen for {purpose} on {listen}: {taken.Message} Stop what uses the port, or choose another.");
        }

        var addresses = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        EndPoint = new IPEndPoint(listen.Address, new Uri(addresses.Addresses.First()).Port);
        return this;
    }

    private static async Task<IResult> HealthAsync(ISynodNode node, CancellationToken cancellationToken)
    {
        var problem = "";
        if (node.Completion.IsCompleted)
        {
            problem = "the node has stopped";
        }
        else
        {
            var status = await node.StatusAsync(cancellationToken);
            problem = status.Draining ? "the node hands over its leaderships"
                : status.ClockWidth < 0 ? $"the clock is not trusted ({status.ClockSource})"
                : "";
        }

        return problem.Length == 0
            ? Results.Text("ok\n")
            : Results.Text(problem + "\n", statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
