using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Synod.Core;
using Synod.Hosting;

namespace Synod.App;

/// <summary><c>synod start</c>: one node as a long-running process.</summary>
internal static class StartCommand
{
    private static readonly Option<string?> Config = new("--config", "-c")
    {
        Description = "A JSON file with the options of SynodOptions (nodeId, cluster, dataFolder, nodes, tls, …). Flags win over it.",
    };

    private static readonly Option<int?> Id = new Option<int?>("--id") { Description = "This node's number." }.Between(1, NodeSet.Capacity - 1);
    private static readonly Option<string?> Data = new("--data", "-d") { Description = "The data folder; made if missing." };
    private static readonly Option<bool> Rejoin = new("--rejoin") { Description = "The data folder was lost or is damaged: come back with an empty one, as a new replica." };
    private static readonly Option<string?> Cluster = new("--cluster") { Description = "The cluster's name, the same on all nodes." };

    private static readonly Option<string[]> Nodes = new("--node")
    {
        Description = "One node of the cluster as ID=HOST:PORT/CLIENTPORT; repeat for each, the same on all nodes.",
    };

    private static readonly Option<string[]> Join = new("--join") { Description = "HOST:PORT of any node that is there: it tells of the others. Needs the cluster's key." };
    private static readonly Option<string[]> Key = new("--cluster-key") { Description = "The cluster's key, 32 bytes as base64; repeat to replace one. Default: cluster.key in --certs, or $SYNOD_CLUSTER_KEY." };

    private static readonly Option<string?> Listen = new("--listen") { Description = "Listen for nodes here instead of at the node's address." };
    private static readonly Option<string?> Clients = new("--client-listen") { Description = "Listen for clients here instead of at the client address." };
    private static readonly Option<string?> Http = new("--http") { Description = "Serve /healthz, /metrics and /status here, as host:port." };
    private static readonly Option<string?> Token = new("--token") { Description = "What clients must present. Default: $SYNOD_TOKEN." };
    private static readonly Option<string?> Certs = new("--certs") { Description = "A folder of 'synod cert create': TLS with ca.crt and node-ID.crt." };
    private static readonly Option<bool> Plaintext = new("--allow-plaintext") { Description = "Permit connections without TLS beyond this machine." };
    private static readonly Option<SynodClockSource?> Clock = new("--clock") { Description = "Where the clock's bound comes from: kernel or bound." };
    private static readonly Option<double?> MaxOffset = new Option<double?>("--max-offset") { Description = "The clock's (largest) bound in milliseconds; 0 if all nodes share one clock." }.Between(0, 60_000);
    private static readonly Option<int?> Replicas = new Option<int?>("--replicas") { Description = "Replicas of each range." }.Between(1, NodeSet.Capacity - 1);
    private static readonly Option<string?> Quorums = new("--quorums") { Description = $"Which replicas of a range elect its leader and which replicate, the same on all nodes: {QuorumText.Forms}. Unsafe ones are refused. Default: majority." };
    private static readonly Option<bool> JsonLog = new("--json-log") { Description = "Log as JSON, one object a line." };

    public static Command Create()
    {
        var command = new Command("start", $"Runs one node until SIGTERM, then hands over and stops. "
            + "Example, one node: synod start --data /var/lib/synod --client-listen 127.0.0.1:7201. "
            + "Of three: synod start --id 1 --data D --certs certs --token SECRET --node 1=HOST1:7101/7201 --node 2=HOST2:7101/7201 --node 3=HOST3:7101/7201. "
            + "Or with cluster.key in certs, each node names itself and all but the first join one that is there: --id 2 … --node 2=HOST2:7101/7201 --join HOST1:7101. "
            + ExitCodes.Help)
        {
            Config, Id, Data, Rejoin, Cluster, Nodes, Join, Key, Listen, Clients, Http, Token, Certs, Plaintext, Clock, MaxOffset, Replicas, Quorums, JsonLog,
        };
        command.SetAction((parsed, cancellationToken) => Terminal.RunAsync(() => RunAsync(parsed, cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var loggers = Loggers(parsed.GetValue(JsonLog));
        await using var node = new SynodNode(Options(parsed), loggers);
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stop.TrySetResult();
        });
        await using var interrupt = cancellationToken.Register(() => stop.TrySetResult());
        await node.StartAsync(CancellationToken.None);
        await Task.WhenAny(stop.Task, node.Completion);
        if (node.Completion.IsFaulted)
        {
            await node.Completion;
        }

        await node.StopAsync(CancellationToken.None);
        return ExitCodes.Done;
    }

    private static SynodOptions Options(ParseResult parsed)
    {
        var options = parsed.GetValue(Config) is { } file ? SynodOptions.FromFile(file) : new SynodOptions();
        options.NodeId = parsed.GetValue(Id) ?? options.NodeId;
        options.DataFolder = parsed.GetValue(Data) ?? options.DataFolder;
        options.Rejoin |= parsed.GetValue(Rejoin);
        options.Cluster = parsed.GetValue(Cluster) ?? options.Cluster;
        options.Listen = parsed.GetValue(Listen) ?? options.Listen;
        options.ClientListen = parsed.GetValue(Clients) ?? options.ClientListen;
        options.HttpListen = parsed.GetValue(Http) ?? options.HttpListen;
        options.Token = parsed.GetValue(Token) ?? options.Token ?? Environment.GetEnvironmentVariable("SYNOD_TOKEN");
        options.AllowPlaintext |= parsed.GetValue(Plaintext);
        options.Clock.Source = parsed.GetValue(Clock) ?? options.Clock.Source;
        options.Clock.MaxOffsetMilliseconds = parsed.GetValue(MaxOffset) ?? options.Clock.MaxOffsetMilliseconds;
        options.Replicas = parsed.GetValue(Replicas) ?? options.Replicas;
        options.Quorums = parsed.GetValue(Quorums) ?? options.Quorums;
        if (parsed.GetValue(Nodes) is { Length: > 0 } nodes)
        {
            options.Nodes = [.. nodes.Select(Node)];
        }

        if (parsed.GetValue(Join) is { Length: > 0 } join)
        {
            options.Join = [.. join];
        }

        if (parsed.GetValue(Certs) is { } certs)
        {
            options.Tls = new SynodTls
            {
                Authority = Path.Combine(certs, "ca.crt"),
                Certificate = Path.Combine(certs, $"node-{options.NodeId}.crt"),
                Key = Path.Combine(certs, $"node-{options.NodeId}.key"),
            };
        }

        options.ClusterKeys = Keys(parsed) ?? options.ClusterKeys;
        return options;
    }

    private static List<string>? Keys(ParseResult parsed)
    {
        if (parsed.GetValue(Key) is { Length: > 0 } given)
        {
            return [.. given];
        }

        if (parsed.GetValue(Certs) is { } certs && Path.Combine(certs, "cluster.key") is var file && File.Exists(file))
        {
            return [.. File.ReadAllLines(file).Where(line => line.Trim().Length > 0)];
        }

        return Environment.GetEnvironmentVariable("SYNOD_CLUSTER_KEY") is { Length: > 0 } key ? [key] : null;
    }

    private static SynodNodeAddress Node(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var slash = text.LastIndexOf('/');
        var colon = text.LastIndexOf(':', Math.Max(0, slash - 1));
        if (equals < 1 || slash < 0 || colon < equals
            || !int.TryParse(text.AsSpan(0, equals), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            throw new ArgumentException($"'{text}' is no node. Write ID=HOST:PORT/CLIENTPORT, for instance 1=127.0.0.1:7101/7201.");
        }

        var address = text[(equals + 1)..slash];
        return new SynodNodeAddress { Id = id, Address = address, ClientAddress = $"{text[(equals + 1)..colon]}:{text[(slash + 1)..]}" };
    }

    private static ILoggerFactory Loggers(bool json) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc", LogLevel.Error);

        // A port that is taken is told once, as the error of the command, and not before as a stack trace.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        _ = json
            ? logging.AddJsonConsole(console => console.TimestampFormat = "O")
            : logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
            });
    });
}
