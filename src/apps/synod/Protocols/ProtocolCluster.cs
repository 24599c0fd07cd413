using System.Globalization;
using Grpc.Core;
using Spectre.Console;
using Synod.App.Processes;
using Synod.App.Protocols.Load;
using Synod.App.Protocols.Nodes;
using Synod.Core;
using Synod.Node;

namespace Synod.App.Protocols;

/// <summary>What a run is asked to be.</summary>
internal sealed record ProtocolRunOptions(ProtocolEntry Entry, int Nodes, int Clients, string? Quorums, bool Durable, bool Tls)
{
    /// <summary>As <see cref="ProtocolSettings.Pipeline"/>.</summary>
    public int Pipeline { get; init; }

    /// <summary>As <see cref="ProtocolSettings.Block"/>.</summary>
    public int Block { get; init; }

    /// <summary>As <see cref="ProtocolSettings.ClientSignatures"/>.</summary>
    public bool ClientSignatures { get; init; } = true;

    /// <summary>As <see cref="ProtocolSettings.Unordered"/>.</summary>
    public bool Unordered { get; init; }

    /// <summary>As <see cref="ProtocolSettings.CheckpointBytes"/>.</summary>
    public long CheckpointBytes { get; init; } = long.MaxValue;
}

/// <summary>The nodes of one protocol as real processes on loopback, with data on disk, or in memory if it need not last.</summary>
internal sealed class ProtocolCluster : IAsyncDisposable
{
    private const string MemoryFolder = "/dev/shm";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public string Folder { get; }

    private ProtocolCluster(string folder, ProtocolSettings settings)
    {
        (Folder, Settings) = (folder, settings);
        Processes = [.. settings.Nodes.Select(node => new NodeProcess(
            node.Id,
            folder,
            [
                ProtocolNodeCommand.Name, "--run", folder, "--id", node.Id.ToString(CultureInfo.InvariantCulture),
                "--data", Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"node-{node.Id}")),
            ]))];
        Connections = [.. settings.Nodes.Select(node => new NodeConnection(node, Clients))];
    }

    public ProtocolSettings Settings { get; }

    /// <summary>
    /// Runs the clients, and after them whoever sends what they asked: clients that are answered together ask together, in one message
    /// instead of many.
    /// </summary>
    public TaskScheduler Clients { get; } = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;

    public IReadOnlyList<NodeProcess> Processes { get; }

    public IReadOnlyList<NodeConnection> Connections { get; }

    /// <summary>Whether data and logs stay when it is over.</summary>
    public bool Keep { get; set; }

    /// <exception cref="ArgumentException">The options do not fit the protocol.</exception>
    public static ProtocolCluster Create(ProtocolRunOptions options)
    {
        if (options.Nodes < options.Entry.LeastNodes || options.Nodes > options.Entry.MostNodes)
        {
            throw new ArgumentException($"{options.Entry.Name} runs on {options.Entry.LeastNodes} to {options.Entry.MostNodes} nodes, not on {options.Nodes}.");
        }

        Refuse(options.Quorums is not null && !options.Entry.HasQuorums, "--quorums", "its quorums cannot be chosen");
        Refuse(options.Pipeline > 0 && !options.Entry.HasPipeline, "--pipeline", "what is under way at once cannot be chosen");
        Refuse(options.Block > 0 && !options.Entry.HasBlocks, "--block", "how many commands share an agreement cannot be chosen");
        Refuse(!options.ClientSignatures && !options.Entry.HasKeys, "--client-signatures", "nobody signs");
        if (!options.Durable && !Directory.Exists(MemoryFolder))
        {
            throw new ArgumentException($"--durable off keeps the data in {MemoryFolder}, which is not there.");
        }

        var ports = LoopbackPorts.Free(2 * options.Nodes);
        var run = $"synod-{options.Entry.Name}-{Path.GetRandomFileName()}";
        var settings = new ProtocolSettings
        {
            Protocol = options.Entry.Name,
            Cluster = run,
            Nodes = [.. Enumerable.Range(0, options.Nodes).Select(node => new ProtocolAddress(node + 1, ports[node], ports[options.Nodes + node]))],
            Quorums = options.Quorums ?? QuorumText.Majority,
            Clients = options.Clients,
            Pipeline = options.Pipeline,
            Block = options.Block,
            ClientSignatures = options.ClientSignatures,
            Unordered = options.Unordered,
            CheckpointBytes = options.CheckpointBytes,
            Tls = options.Tls,
        };
        if (options.Entry.HasQuorums)
        {
            _ = settings.QuorumSystem;
        }

        var folder = Directory.CreateDirectory(Path.Combine(options.Durable ? Path.GetTempPath() : MemoryFolder, run)).FullName;
        settings.Save(folder);
        if (options.Entry.HasKeys)
        {
            settings.CreateKeys(folder);
        }

        if (options.Tls)
        {
            Certificates.CreateAuthority(folder, run);
            foreach (var node in settings.Nodes)
            {
                Certificates.CreateNode(folder, new NodeId(node.Id));
            }
        }

        return new ProtocolCluster(folder, settings);

        void Refuse(bool hasNoEffect, string flag, string why)
        {
            if (hasNoEffect)
            {
                throw new ArgumentException($"{flag} has no effect on {options.Entry.Name}, where {why}: leave it out.");
            }
        }
    }

    /// <summary>Starts every process and waits until each answers.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var process in Processes)
        {
            process.Start();
        }

        foreach (var process in Processes)
        {
            await AnswersAsync(process, cancellationToken);
        }
    }

    /// <summary>Kills a process with SIGKILL, starts it again after <paramref name="down"/>, and waits until it answers.</summary>
    public async Task KillAsync(int node, TimeSpan down, CancellationToken cancellationToken)
    {
        var process = Processes[node - 1];
        await process.KillAsync();
        await Task.Delay(down, cancellationToken);
        process.Start();
        await AnswersAsync(process, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in Connections)
        {
            await connection.DisposeAsync();
        }

        foreach (var process in Processes)
        {
            await process.DisposeAsync();
        }

        if (Keep)
        {
            Terminal.Talk.MarkupLineInterpolated($"[grey]data and logs are kept in {Folder}[/]");
        }
        else
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private async Task AnswersAsync(NodeProcess process, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        while (true)
        {
            try
            {
                _ = await Connections[process.Id - 1].CountAsync(limit.Token);
                return;
            }
            catch (RpcException) when (process.IsRunning && !limit.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
            }
            catch (RpcException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Keep = true;
                throw new InvalidOperationException($"Node {process.Id} does not answer. Its log is {process.LogFile}.");
            }
        }
    }
}
