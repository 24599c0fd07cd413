using System.Globalization;
using Synod.Api;
using Synod.Client;
using Directory = System.IO.Directory;

namespace Synod.Cluster.Tests.Support;

/// <summary>A cluster of real processes on loopback, with its data in a folder that goes away with it.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("synod-cluster-").FullName;
    private readonly List<SynodClient> _clients = [];

    /// <param name="count">How many nodes.</param>
    /// <param name="more">Further arguments for each node's start.</param>
    public TestCluster(int count = 3, params IEnumerable<string> more)
    {
        Name = Path.GetFileName(_folder);
        var ports = LocalPorts.Take(2 * count);
        string[] list =
        [
            .. Enumerable.Range(1, count)
                .SelectMany(id => new[] { "--node", Text($"{id}=127.0.0.1:{ports[id - 1]}/{ports[count + id - 1]}") }),
        ];
        Arguments = ["--cluster", Name, "--clock", "bound", "--max-offset", "0", .. list, .. more];
        NodePorts = ports[..count];
        Nodes =
        [
            .. Enumerable.Range(1, count)
                .Select(id => new TestNode(id, Path.Combine(_folder, Text($"node-{id}")), Text($"127.0.0.1:{ports[count + id - 1]}"), Arguments)),
        ];
        Client = NewClient();
    }

    public string Name { get; }

    public string Folder => _folder;

    public IReadOnlyList<TestNode> Nodes { get; }

    /// <summary>Where the nodes listen for each other.</summary>
    public IReadOnlyList<int> NodePorts { get; }

    /// <summary>What every node is started with, besides its id and its folder.</summary>
    public IReadOnlyList<string> Arguments { get; }

    public IEnumerable<string> Endpoints => Nodes.Select(node => node.Endpoint);

    /// <summary>For looking and arranging; workloads have their own.</summary>
    public SynodClient Client { get; set; }

    public TestNode Node(int id) => Nodes[id - 1];

    public IEnumerable<TestNode> Others(TestNode node) => Nodes.Where(other => other != node);

    public SynodClient NewClient(Func<SynodClientOptions, SynodClientOptions>? change = null)
    {
        var options = new SynodClientOptions
        {
            Endpoints = [.. Endpoints],
            RequestTimeout = Await.Deadline,
            CommitTimeout = Await.Deadline,
        };
        var client = new SynodClient(change is null ? options : change(options));
        _clients.Add(client);
        return client;
    }

    public async Task StartAsync(params IEnumerable<string> more)
    {
        foreach (var node in Nodes)
        {
            node.Start(more);
        }

        foreach (var node in Nodes)
        {
            await AnswersAsync(node);
        }
    }

    /// <summary>Waits until a node answers clients.</summary>
    public Task AnswersAsync(TestNode node) => Await.UntilAsync($"node {node.Id} answers", async () =>
    {
        Assert.True(node.IsRunning, $"Node {node.Id} has ended:\n{node.Log}");
        return await StatusAsync(node) is not null;
    });

    /// <summary>A node's own view; null if it does not answer.</summary>
    public async Task<NodeStatus?> StatusAsync(TestNode node)
    {
        try
        {
            return await Client.StatusAsync(node.Endpoint, TestContext.Current.CancellationToken);
        }
        catch (SynodUnavailableException)
        {
            return null;
        }
    }

    /// <summary>The node that leads most ranges.</summary>
    public async Task<TestNode> BusiestAsync()
    {
        var directory = await Client.DirectoryAsync(TestContext.Current.CancellationToken);
        return Nodes.MaxBy(node => directory.Ranges.Count(range => range.Leader == node.Id))!;
    }

    /// <summary>The node that leads the first range and holds its lease, by its own word, and the range's group.</summary>
    public async Task<(TestNode Node, ulong Group)> FirstLeaderAsync()
    {
        (TestNode Node, ulong Group)? found = null;
        await Await.UntilAsync("the first range has a leader", async () =>
        {
            foreach (var node in Nodes)
            {
                var groups = (await StatusAsync(node))?.Groups ?? [];
                if (groups.FirstOrDefault(group => group.Range.Start.IsEmpty && IsLed(group)) is { } first)
                {
                    found = (node, first.Range.Group);
                }
            }

            return found is not null;
        });
        return found!.Value;
    }

    /// <summary>Waits until one of <paramref name="among"/> leads each range, by its own word.</summary>
    public Task LedByAsync(params IEnumerable<TestNode> among) => Await.UntilAsync("every range is led by one of these nodes", async () =>
    {
        var groups = new HashSet<ulong>();
        var led = new HashSet<ulong>();
        foreach (var node in among)
        {
            foreach (var group in (await StatusAsync(node))?.Groups ?? [])
            {
                groups.Add(group.Range.Group);
                if (IsLed(group))
                {
                    led.Add(group.Range.Group);
                }
            }
        }

        return groups.Count > 0 && groups.SetEquals(led);
    });

    /// <summary>
    /// Waits until a node has every range that the others have, and has applied everything that they had applied when this was called.
    /// </summary>
    public async Task CaughtUpAsync(TestNode node)
    {
        var goal = await AppliedByOthersAsync(node);
        Assert.NotEmpty(goal);
        await Await.UntilAsync($"node {node.Id} has caught up", async () =>
        {
            Assert.True(node.IsRunning, $"Node {node.Id} has ended:\n{node.Log}");
            var applied = (await StatusAsync(node))?.Groups.ToDictionary(group => group.Range.Group, group => group.Applied);

            // Groups may succeed each other meanwhile: only those that are there now have to be caught up with.
            var groups = (await AppliedByOthersAsync(node)).Keys;
            return applied is not null && groups.All(group => applied.GetValueOrDefault(group, -1) >= goal.GetValueOrDefault(group));
        });
    }

    private async Task<SortedDictionary<ulong, long>> AppliedByOthersAsync(TestNode node)
    {
        var applied = new SortedDictionary<ulong, long>();
        foreach (var other in Others(node).Where(other => other.IsRunning))
        {
            foreach (var group in (await StatusAsync(other))?.Groups ?? [])
            {
                applied[group.Range.Group] = Math.Max(applied.GetValueOrDefault(group.Range.Group), group.Applied);
            }
        }

        return applied;
    }

    public async ValueTask DisposeAsync()
    {
        // What each node says in the end: whoever reads of a test that waited in vain wants to know what it waited beside.
        foreach (var node in Nodes.Where(node => node.IsRunning))
        {
            var groups = (await StatusAsync(node))?.Groups.Select(group => group.ToString()) ?? ["does not answer"];
            TestContext.Current.TestOutputHelper?.WriteLine($"--- node {node.Id} in the end\n{string.Join('\n', groups)}");
        }

        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
            TestContext.Current.TestOutputHelper?.WriteLine($"--- node {node.Id}\n{node.Log}");
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsLed(GroupStatus group) => group.Role == "Leader" && (group.LeaseLeft > 0 || group.Quiescent);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
