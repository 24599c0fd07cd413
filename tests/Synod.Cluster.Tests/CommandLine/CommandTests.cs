using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.CommandLine;

/// <summary>The commands that talk to a cluster, from their arguments to what they print.</summary>
[Collection(SharedClusterTests.Name)]
public class CommandTests(SharedCluster shared)
{
    private const int Failed = 1;
    private const int Usage = 2;
    private const int Unavailable = 3;

    [Fact]
    public async Task Keys_are_written_read_in_the_past_scanned_and_deleted()
    {
        var first = Json(await shared.RunAsync("kv", "put", "cli/a", "one", "--json"));
        Assert.Equal("committed", (string?)first["outcome"]);
        var then = ((long)first["timestamp"]!).ToString(CultureInfo.InvariantCulture);
        Assert.StartsWith("committed at ", (await shared.RunAsync("kv", "put", "cli/a", "two")).Ends(0).Output, StringComparison.Ordinal);
        (await shared.RunAsync("kv", "put", "cli/b", "three")).Ends(0);

        Assert.Equal("two", (await shared.RunAsync("kv", "get", "cli/a")).Ends(0).Output);
        Assert.Equal("one", (await shared.RunAsync("kv", "get", "cli/a", "--at", then)).Ends(0).Output);
        Assert.Equal("cli/a\ttwo\ncli/b\tthree", (await shared.RunAsync("kv", "scan", "cli/", "cli0")).Ends(0).Output);
        Assert.Equal("cli/a\tone", (await shared.RunAsync("kv", "scan", "cli/", "cli0", "--at", then)).Ends(0).Output);
        Assert.Equal("two", (string?)Json(await shared.RunAsync("kv", "scan", "cli/", "cli0", "--limit", "1", "--json"))["value"]);

        (await shared.RunAsync("kv", "delete", "cli/a")).Ends(0);
        (await shared.RunAsync("kv", "get", "cli/a")).Fails(Failed, "no such key");
        Assert.False((bool)JsonNode.Parse((await shared.RunAsync("kv", "get", "cli/a", "--json")).Ends(Failed).Output)!["found"]!);
    }

    [Fact]
    public async Task A_transaction_is_read_from_standard_input()
    {
        (await shared.RunWithInputAsync("put txn/a 1\nput txn/b two words\n", "kv", "txn")).Ends(0);
        var report = Json(await shared.RunWithInputAsync("get txn/a\nget txn/none\ndel txn/a\ndelete txn/none\nput txn/c 3\n", "kv", "txn", "--json"));
        Assert.Equal("committed", (string?)report["outcome"]);
        Assert.Equal("1", (string?)report["reads"]![0]!["value"]);
        Assert.False((bool)report["reads"]![1]!["found"]!);
        Assert.Equal("txn/b\ttwo words\ntxn/c\t3", (await shared.RunAsync("kv", "scan", "txn/", "txn0")).Ends(0).Output);

        (await shared.RunWithInputAsync("put txn/d 1\nfly\n", "kv", "txn")).Fails(Usage, "'fly' is not understood");
        (await shared.RunAsync("kv", "get", "txn/d")).Ends(Failed);
    }

    [Fact]
    public async Task Ranges_are_cut_listed_and_led()
    {
        (await shared.RunAsync("range", "split", "ranges/m", "--leader", "2")).Ends(0);
        Assert.Equal("ranges/m", (string?)Json(await shared.RunAsync("range", "split", "ranges/m", "--json"))["split"]);
        var ranges = Json(await shared.RunAsync("range", "list", "--json")).AsArray();
        Assert.Equal("", (string?)ranges[0]!["start"]);
        Assert.Null(ranges[^1]!["end"]);
        var cut = Assert.Single(ranges, range => (string?)range!["start"] == "ranges/m")!;
        Assert.Equal([1, 2, 3], cut["replicas"]!.AsArray().Select(replica => (int)replica!).Order());
        Assert.Contains("[ranges/m, ", (await shared.RunAsync("range", "list")).Ends(0).Output, StringComparison.Ordinal);

        var group = cut["group"]!.ToString();
        await Await.UntilAsync("the range is led as preferred", async () => await LeaderAsync(group) == 2);
        (await shared.RunAsync("range", "lead", group, "99")).Fails(Failed);
        (await shared.RunAsync("kv", "put", "ranges/z", "1")).Ends(0);
    }

    [Fact]
    public async Task Status_shows_every_node_and_range()
    {
        var status = Json(await shared.RunAsync("status", "--json"));
        Assert.Equal([1, 2, 3], status["nodes"]!.AsArray().Select(node => (int)node!["node"]!));
        Assert.All(status["nodes"]!.AsArray(), node => Assert.NotEmpty(node!["groups"]!.AsArray()));
        var groups = status["nodes"]!.AsArray().SelectMany(node => node!["groups"]!.AsArray()).ToList();
        Assert.All(groups, group => Assert.True(group!["applied"]!.GetValueKind() == JsonValueKind.Number && group["range"]!["start"] is not null));
        Assert.All(groups, group => Assert.True(group!["leaseLeft"] is not { } left || (long)left > 0));
        var drawn = (await shared.RunAsync("status")).Ends(0).Output;
        Assert.All(shared.Cluster.Endpoints, endpoint => Assert.Contains(endpoint, drawn, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("write")]
    [InlineData("read")]
    [InlineData("transfer")]
    public async Task A_load_is_measured(string load)
    {
        var result = Json(await shared.RunAsync(
            "bench", load, "--clients", "4", "--seconds", "1", "--warmup", "0", "--keys", "100", "--ranges", "2", "--json"));
        Assert.Equal(load, (string?)result["bench"]);
        Assert.True((long)result["operations"]! > 0);
        Assert.True((double)result["p99_ms"]! >= (double)result["p50_ms"]!);
        Assert.Equal(0, (long)result["failed"]!);
        Assert.Equal(0, (long)result["unknown"]!);
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_with_an_exit_code()
    {
        (await shared.RunAsync("kv", "put", new string('k', 4097), "v")).Fails(Usage, "4,097", "4,096");
        (await shared.RunAsync("kv", "put", "", "v")).Fails(Usage, "empty");
        (await shared.RunAsync("kv", "get", "a", "--at", "-1")).Fails(Usage, "--at", "'-1'");
        (await shared.RunAsync("kv", "get", "a", "--token", "wrong")).Fails(Failed, "token is not the cluster's");
        (await SynodProgram.RunAsync("kv", "get", "a", "-e", shared.Cluster.Node(1).Endpoint)).Fails(Failed, "asks for a token");
        (await shared.RunAsync("kv", "get", "a", "--ca", "/nowhere/ca.crt")).Fails(Usage, "/nowhere/ca.crt");
        (await shared.RunAsync("kv", "get", "a", "--ca", typeof(CommandTests).Assembly.Location)).Fails(Usage, "holds no certificate");
        (await shared.RunAsync("kv", "get", "a", "-e", "192.0.2.1:7201")).Fails(Failed, "TLS", "allow plain connections");

        var nobody = $"127.0.0.1:{LocalPorts.Take(1)[0].ToString(CultureInfo.InvariantCulture)}";
        (await shared.RunAsync("kv", "get", "a", "-e", nobody, "--timeout", "0.5")).Fails(Unavailable, nobody);
        (await shared.RunAsync("status", "-e", nobody, "--timeout", "0.5")).Fails(Unavailable, nobody);
    }

    private async Task<int> LeaderAsync(string group) =>
        (int)Json(await shared.RunAsync("range", "list", "--json")).AsArray()
            .Single(range => range!["group"]!.ToString() == group)!["leader"]!;

    private static JsonNode Json(Finished finished) => JsonNode.Parse(finished.Ends(0).Output)!;
}
