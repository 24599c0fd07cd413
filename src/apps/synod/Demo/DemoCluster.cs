using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Synod.App.Processes;
using Synod.Client;

namespace Synod.App.Demo;

/// <summary>A cluster of real processes on loopback, with data on disk.</summary>
internal sealed class DemoCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private DemoCluster(string folder, IReadOnlyList<NodeProcess> nodes, IReadOnlyList<string> endpoints)
    {
        Folder = folder;
        Nodes = nodes;
        Endpoints = endpoints;
    }

    public string Folder { get; }

    public IReadOnlyList<NodeProcess> Nodes { get; }

    public IReadOnlyList<string> Endpoints { get; }

    /// <summary>Whether the data and logs stay when it is over.</summary>
    public bool Keep { get; set; }

    public static DemoCluster Create(int count)
    {
        var folder = NewFolder();
        var ports = LoopbackPorts.Free(2 * count);
        var list = Enumerable.Range(1, count)
            .SelectMany(id => new[] { "--node", string.Create(CultureInfo.InvariantCulture, $"{id}=127.0.0.1:{ports[id - 1]}/{ports[count + id - 1]}") })
            .ToList();
        var nodes = Enumerable.Range(1, count).Select(id => new NodeProcess(
            id,
            folder,
            [
                "start",
                "--id",
                id.ToString(CultureInfo.InvariantCulture),
                "--cluster",
                Path.GetFileName(folder),
                "--data",
                Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"node-{id}")),
                "--clock",
                "bound",
                "--max-offset",
                "0",

                // Every node holds every range, so that any of them can lead one and the killed one is a replica.
                "--replicas",
                count.ToString(CultureInfo.InvariantCulture),
                .. list,
            ]));
        var endpoints = Enumerable.Range(1, count)
            .Select(id => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{ports[count + id - 1]}"));
        return new DemoCluster(folder, [.. nodes], [.. endpoints]);
    }

    public SynodClient Client() => new(new SynodClientOptions { Endpoints = Endpoints, RequestTimeout = Patience, CommitTimeout = Patience });

    /// <summary>Starts every node and waits until each answers.</summary>
    public async Task StartAsync(SynodClient client, CancellationToken cancellationToken)
    {
        foreach (var node in Nodes)
        {
            node.Start();
        }

        var watch = Stopwatch.StartNew();
        foreach (var (node, endpoint) in Nodes.Zip(Endpoints))
        {
            while (!await AnswersAsync(client, endpoint, cancellationToken))
            {
                if (!node.IsRunning || watch.Elapsed > Patience)
                {
                    Keep = true;
                    throw new InvalidOperationException($"Node {node.Id} did not start. Its log is {node.LogFile}:\n{Tail(node.LogFile)}");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
            }
        }
    }

    /// <summary>The running node that leads most ranges, and how many.</summary>
    public async Task<(NodeProcess Node, int Leads)> BusiestAsync(SynodClient client, CancellationToken cancellationToken)
    {
        var directory = await client.DirectoryAsync(cancellationToken);
        return Nodes
            .Where(node => node.IsRunning)
            .Select(node => (node, directory.Ranges.Count(range => range.Leader == node.Id)))
            .OrderByDescending(item => item.Item2)
            .First();
    }

    /// <summary>Waits until <paramref name="node"/> has applied everything that was chosen when this was called.</summary>
    public async Task<bool> CatchesUpAsync(SynodClient client, NodeProcess node, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var goal = new SortedDictionary<ulong, long>();
        foreach (var (other, endpoint) in Nodes.Zip(Endpoints).Where(pair => pair.First != node))
        {
            foreach (var group in (await client.StatusAsync(endpoint, cancellationToken)).Groups)
            {
                goal[group.Range.Group] = Math.Max(goal.GetValueOrDefault(group.Range.Group), group.Applied);
            }
        }

        while (watch.Elapsed < Patience)
        {
            if (await HasAppliedAsync(client, Endpoints[node.Id - 1], goal, cancellationToken))
            {
                return true;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
        }

        return false;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
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

    private static async Task<bool> HasAppliedAsync(
        SynodClient client, string endpoint, SortedDictionary<ulong, long> goal, CancellationToken cancellationToken)
    {
        try
        {
            var status = await client.StatusAsync(endpoint, cancellationToken);
            var applied = status.Groups.ToDictionary(group => group.Range.Group, group => group.Applied);
            return goal.All(group => applied.GetValueOrDefault(group.Key, -1) >= group.Value);
        }
        catch (SynodUnavailableException)
        {
            return false;
        }
    }

    private static async Task<bool> AnswersAsync(SynodClient client, string endpoint, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.StatusAsync(endpoint, cancellationToken)).Node != 0;
        }
        catch (SynodUnavailableException)
        {
            return false;
        }
    }

    private static string NewFolder()
    {
        try
        {
            return Directory.CreateTempSubdirectory("synod-demo-").FullName;
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException(
                $"The nodes of the demo keep their data in a new folder of '{Path.GetTempPath()}', and none can be made there. Set TMPDIR to a folder that may be written to.",
                refusal);
        }
    }

    private static string Tail(string file) => File.Exists(file) ? string.Join('\n', File.ReadLines(file).TakeLast(10)) : "(empty)";
}
