using System.Globalization;
using System.Text.Json;
using Synod.Cluster.Tests.Support;
using Synod.Node;

namespace Synod.Cluster.Tests.Faults;

/// <summary>Nodes that know one address, and find the others by it.</summary>
public sealed class JoinTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("synod-join-").FullName;
    private readonly string _key = ClusterKeys.Draw();
    private readonly int[] _ports = LocalPorts.Take(8);
    private readonly List<SynodProgram> _started = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _started)
        {
            await program.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Two_nodes_that_know_the_first_ones_address_make_a_cluster_with_it_and_see_each_other_die_and_come_back()
    {
        await Start(1, 1, _key).SaysAsync("n1, n2, n3 hold a new cluster's first range");
        _ = Start(2, 2, _key, Seed);
        var third = Start(3, 3, _key, Seed);
        await SeesAsync(1, 2, "ALIVE");
        await SeesAsync(2, 3, "ALIVE");
        await SeesAsync(3, 2, "ALIVE");
        (await SynodProgram.RunAsync("kv", "put", "a", "1", "-e", Clients(2))).Ends(0);

        await third.KillAsync();
        await SeesAsync(2, 3, "DEAD");
        (await SynodProgram.RunAsync("kv", "put", "a", "2", "-e", Clients(2))).Ends(0);

        // On other ports than before, and again with one address to ask at.
        _ = Start(3, 4, _key, Seed);
        await SeesAsync(2, 3, "ALIVE");
        await Await.UntilAsync("node 2 knows where node 3 is now", async () =>
            await StatusAsync(2) is { } status && Node(status, 2, 3) is { } node
            && node.GetProperty("nodeAddress").GetString() == Peers(4) && node.GetProperty("address").GetString() == Clients(4));
        Assert.Equal("2", (await SynodProgram.RunAsync("kv", "get", "a", "-e", Clients(4))).Ends(0).Output.Trim());
    }

    [Fact]
    public async Task Nodes_that_have_met_find_each_other_again_whoever_is_missing()
    {
        var first = Start(1, 1, _key);
        var second = Start(2, 2, _key, Seed);
        var third = Start(3, 3, _key, Seed);
        await SeesAsync(2, 3, "ALIVE");
        await SeesAsync(3, 2, "ALIVE");
        (await SynodProgram.RunAsync("kv", "put", "a", "1", "-e", Clients(2))).Ends(0);
        await Task.WhenAll(first.KillAsync(), second.KillAsync(), third.KillAsync());
        _ = Start(2, 2, _key, Seed);
        _ = Start(3, 3, _key, Seed);
        Assert.Equal("1", (await SynodProgram.RunAsync("kv", "get", "a", "-e", Clients(2), "--timeout", "60")).Ends(0).Output.Trim());
    }

    [Fact]
    public async Task A_node_with_another_cluster_key_is_refused_and_the_others_say_so()
    {
        var first = Start(1, 1, _key, "--replicas", "1", "--http", Http(1));
        await Await.UntilAsync("node 1 answers", async () => await StatusAsync(1) is not null);
        var stranger = Start(2, 2, ClusterKeys.Draw(), Seed);
        await stranger.SaysAsync("does not know our cluster key");
        await first.SaysAsync("did not prove that it knows a cluster key of this node");
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri($"http://{Http(1)}/metrics"), TestContext.Current.CancellationToken);
        Assert.Contains("synod_packets_refused", metrics, StringComparison.Ordinal);
        Assert.Contains("fault=\"Forged\"", metrics, StringComparison.Ordinal);
        Assert.True(await StatusAsync(1) is { } status && Node(status, 1, 2) is null);
    }

    private string[] Seed => ["--join", Peers(1)];

    private SynodProgram Start(int id, int place, string key, params IEnumerable<string> more)
    {
        var program = SynodProgram.Start(
        [
            "start", "--id", Text(id), "--data", Path.Combine(_folder, Text(id)), "--cluster", Path.GetFileName(_folder),
            "--clock", "bound", "--max-offset", "0", "--cluster-key", key,
            "--node", string.Create(CultureInfo.InvariantCulture, $"{id}={Peers(place)}/{_ports[place + 3]}"), .. more,
        ]);
        _started.Add(program);
        return program;
    }

    private string Peers(int place) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_ports[place - 1]}");

    private string Clients(int place) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_ports[place + 3]}");

    private string Http(int place) => Peers(place + 2);

    private Task SeesAsync(int observer, int member, string status) =>
        Await.UntilAsync($"node {observer} sees node {member} {status}", async () =>
            await StatusAsync(observer) is { } answer && Node(answer, observer, member) is { } node
            && node.TryGetProperty("status", out var seen) && seen.GetString() == status);

    /// <summary>What <c>synod status --json</c> prints; null if the node asked does not answer yet.</summary>
    private async Task<JsonElement?> StatusAsync(int node)
    {
        var finished = await SynodProgram.RunAsync("status", "--json", "-e", Clients(node), "--timeout", "2");
        return finished.Output.StartsWith('{') ? JsonDocument.Parse(finished.Output).RootElement : null;
    }

    /// <summary>A node as another one describes it.</summary>
    private static JsonElement? Node(JsonElement status, int observer, int id)
    {
        var described = status.GetProperty("nodes").EnumerateArray()
            .Where(node => node.GetProperty("node").GetInt32() == observer && node.TryGetProperty("nodes", out _))
            .SelectMany(node => node.GetProperty("nodes").EnumerateArray());
        return described.Where(node => node.GetProperty("id").GetInt32() == id).Select(node => (JsonElement?)node).FirstOrDefault();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
