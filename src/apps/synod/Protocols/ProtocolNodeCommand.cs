using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Synod.App.Protocols.Nodes;
using Synod.Core;
using Synod.Doors.Grpc;

namespace Synod.App.Protocols;

/// <summary><c>synod protocol-node</c>: one process of <c>synod bench protocol</c>, which starts it.</summary>
internal static class ProtocolNodeCommand
{
    public const string Name = "protocol-node";

    private static readonly Option<int> Id = new("--id") { Description = "This node's number.", Required = true };
    private static readonly Option<string> Run = new("--run") { Description = "The folder of the run, with protocol.json.", Required = true };
    private static readonly Option<string> Data = new("--data") { Description = "This node's data folder.", Required = true };

    public static Command Create()
    {
        var command = new Command(Name, "Runs one node of a protocol by itself; 'synod bench protocol' starts these.") { Id, Run, Data };
        command.Hidden = true;
        command.SetAction((parsed, cancellationToken) => Terminal.RunAsync(
            () => RunAsync(parsed.GetValue(Run)!, parsed.GetValue(Id), parsed.GetValue(Data)!, cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(string folder, int id, string data, CancellationToken cancellationToken)
    {
        using var loggers = LoggerFactory.Create(static builder => builder.AddSimpleConsole(options => options.SingleLine = true));
        var settings = ProtocolSettings.Load(folder);
        await using var node = ProtocolCatalog.Find(settings.Protocol).Node(settings, new NodeId(id), data, folder, loggers.CreateLogger("Synod.Node"));
        await node.StartAsync();
        await using var door = Door(node, settings.Nodes.Single(address => address.Id == id).ClientPort);
        await door.StartAsync(cancellationToken);
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stop.TrySetResult();
        });
        await using var interrupt = cancellationToken.Register(() => stop.TrySetResult());
        if (await Task.WhenAny(stop.Task, node.Completion) == node.Completion)
        {
            await node.Completion;
        }

        return ExitCodes.Done;
    }

    private static WebApplication Door(IProtocolNode node, int port)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "synod" });
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.Services.AddProtocolDoor(node);

        // What the door does with an operation never blocks: it needs no thread of its own.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var app = builder.Build();
        app.MapProtocolDoor();
        return app;
    }
}
