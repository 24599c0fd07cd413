using System.Globalization;
using System.Net;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.CommandLine;

/// <summary><c>synod start</c>: what it accepts, and how it refuses the rest.</summary>
public sealed class StartTests : IDisposable
{
    private const int Usage = 2;

    private readonly string _folder = Directory.CreateTempSubdirectory("synod-start-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--fly", "--fly")]
    [InlineData("--id one", "one")]
    [InlineData("--id 1", "No data folder")]
    [InlineData("--data D --id 0", "0")]
    [InlineData("--data D --id 4 --node 1=127.0.0.1:1/2", "This is node 4")]
    [InlineData("--data D --node 1=127.0.0.1", "is no node", "1=127.0.0.1:7101/7201")]
    [InlineData("--data D --node 1=nowhere:99999/1", "not host:port")]
    [InlineData("--data D --clock bound --max-offset 0 --node 1=127.0.0.1:1/2 --node 1=127.0.0.1:3/4", "listed 2 times")]
    [InlineData("--data D --clock bound --max-offset -1", "--max-offset", "0 to 60,000")]
    [InlineData("--data D --clock sundial", "sundial")]
    [InlineData("--data D --quorums most", "'most'", "majority")]
    [InlineData("--data D --replicas 0", "--replicas", "1 to 127")]
    [InlineData("--data D --certs /nowhere", "/nowhere/ca.crt", "synod cert create")]
    [InlineData("--data D --client-listen 0.0.0.0:1", "without TLS")]
    [InlineData("--data D --client-listen here", "'here'")]
    [InlineData("--config /nowhere.json", "/nowhere.json")]
    public async Task What_cannot_be_meant_is_refused_with_the_reason(string arguments, params string[] says)
    {
        var finished = await SynodProgram.RunAsync(
            ["start", .. arguments.Split(' ').Select(argument => argument == "D" ? Path.Combine(_folder, "data") : argument)]);
        finished.Fails(Usage, says);
        Assert.False(Directory.Exists(Path.Combine(_folder, "data")));
    }

    [Theory]
    [InlineData("2/2", "2 + 2 is not more than 4")]
    [InlineData("weights 3,1,1,1 3/3", "3 + 3 is not more than the total weight 6")]
    [InlineData("weights 3,1,1 4/3", "one weight")]
    [InlineData("grid 3x2", "6 members")]
    [InlineData("zones 1,2|3,4,5 survive 0 nodes 1 zone", "no members {n5}")]
    [InlineData("zones 1,2|3,4 survive 2 nodes 0 zones", "of 2 nodes of zone {n1,n2} no more than 1 can be lost, not 2")]
    [InlineData("zones 1,2|3,4 1/0", "may be lost")]
    public async Task Quorums_that_need_not_meet_are_refused(string quorums, string says)
    {
        string[] nodes =
        [
            .. Enumerable.Range(1, 4).SelectMany(id => new[] { "--node", $"{Number(id)}=127.0.0.1:{Number(7000 + id)}/{Number(8000 + id)}" }),
        ];
        var finished = await SynodProgram.RunAsync(
            ["start", "--data", Path.Combine(_folder, "data"), "--clock", "bound", "--max-offset", "0", "--replicas", "4", "--quorums", quorums, .. nodes]);
        finished.Fails(Usage, says);
        Assert.False(Directory.Exists(Path.Combine(_folder, "data")));
    }

    [Theory]
    [InlineData("3/2")]
    [InlineData("weights 3,1,1,1 4/3")]
    [InlineData("grid 2x2")]
    [InlineData("zones 1,2|3,4 survive 1 node 0 zones")]
    public async Task Quorums_that_always_meet_are_used(string quorums)
    {
        var ports = LocalPorts.Take(8);
        string[] nodes =
        [
            .. Enumerable.Range(1, 4).SelectMany(id => new[] { "--node", $"{Number(id)}=127.0.0.1:{Number(ports[id - 1])}/{Number(ports[id + 3])}" }),
        ];
        await using var node = SynodProgram.Start(
            ["start", "--data", Path.Combine(_folder, "data"), "--clock", "bound", "--max-offset", "0", "--replicas", "4", "--quorums", quorums, .. nodes]);
        await node.SaysAsync("Listening for nodes on");
    }

    [Theory]
    [InlineData("{ \"dataFolder\": \"D\", \"colour\": \"red\" }", "colour", "dataFolder, rejoin, nodes")]
    [InlineData("{ \"dataFolder\": ", "not understood")]
    [InlineData("[]", "not understood")]
    [InlineData("null", "'null'")]
    [InlineData("{ \"nodeId\": \"first\" }", "nodeId")]
    public async Task A_configuration_that_is_not_understood_is_refused(string json, params string[] says)
    {
        var file = Path.Combine(_folder, "synod.json");
        await File.WriteAllTextAsync(file, json, Cancellation);
        (await SynodProgram.RunAsync("start", "--config", file)).Fails(Usage, [file, .. says]);
    }

    [Theory]
    [InlineData("{ \"dataFolder\": \"D\", \"replicas\": 0 }", "0 replicas keep nothing")]
    [InlineData("{ \"dataFolder\": \"D\", \"nodeId\": 0 }", "Node id 0 is out of range. Number the nodes from 1 to 127.")]
    [InlineData("{ \"dataFolder\": \"D\", \"nodeId\": 128 }", "Node id 128 is out of range. Number the nodes from 1 to 127.")]
    [InlineData("{ \"dataFolder\": \"D\", \"clock\": { \"source\": \"bound\", \"maxOffsetMilliseconds\": -1 } }", "clock's bound")]
    [InlineData("{ \"dataFolder\": \"D\", \"quorums\": \"zones 1\" }", "whole zones may be lost")]
    [InlineData("{ \"dataFolder\": \"D\", \"quorums\": \"grid 2x3\" }", "for the replicas of a range, which are {n1}")]
    public async Task A_configuration_that_cannot_be_meant_is_refused_with_the_reason(string json, string says)
    {
        var file = Path.Combine(_folder, "synod.json");
        await File.WriteAllTextAsync(file, json, Cancellation);
        (await SynodProgram.RunAsync("start", "--config", file)).Fails(Usage, says);
    }

    [Fact]
    public async Task The_configuration_in_the_README_is_understood()
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "../../../../../README.md"), Cancellation);
        var file = Path.Combine(_folder, "synod.json");
        await File.WriteAllTextAsync(file, readme.Split("```json")[1].Split("```")[0], Cancellation);
        var finished = await SynodProgram.RunAsync("start", "--config", file, "--data", Path.Combine(_folder, "data"));

        // Its certificates are not here, which is all that is wrong.
        finished.Fails(Usage, "certs/ca.crt", "certs/node-1.crt", "certs/node-1.key");
        Assert.Equal(3, finished.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Commands_and_flags_that_do_not_exist_are_refused()
    {
        (await SynodProgram.RunAsync("strat")).Fails(Usage, "strat");
        (await SynodProgram.RunAsync("kv", "get", "a", "--colour", "red")).Fails(Usage, "--colour");
        (await SynodProgram.RunAsync("kv", "get")).Fails(Usage, "key");
        (await SynodProgram.RunAsync("kv", "get", "a", "--at", "noon")).Fails(Usage, "noon", "--at", "whole number");
        (await SynodProgram.RunAsync("sim", "--workload", "casino")).Fails(Usage, "casino", "bank");
        (await SynodProgram.RunAsync("sim", "--seeds", "9..1")).Fails(Usage, "9..1", "1..200");
        (await SynodProgram.RunAsync("cert", "create", "--folder", "/proc/certs")).Fails(Usage, "--folder", "/proc/certs");
        Assert.Contains("Exit codes", (await SynodProgram.RunAsync("--help")).Ends(0).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("demo", "--seconds", "--accounts", "--nodes", "--seed", "--json")]
    [InlineData("start", "--id", "--data", "--node", "--certs", "--token", "--rejoin", "--quorums", "grid 2x3", "zones 1,2,3|4,5,6|7,8,9 survive 1 node 1 zone", "Example")]
    [InlineData("status", "--endpoint", "--json")]
    [InlineData("kv get", "--at", "--json")]
    [InlineData("kv put", "--json")]
    [InlineData("kv delete", "--json")]
    [InlineData("kv scan", "--at", "--limit", "--json")]
    [InlineData("kv txn", "--json", "Example")]
    [InlineData("range list", "--json")]
    [InlineData("range split", "--leader", "--json")]
    [InlineData("range lead", "--json")]
    [InlineData("cert create", "--node", "--host", "--json", "Example")]
    [InlineData("bench write", "--clients", "--value-bytes", "--seconds", "--json")]
    [InlineData("bench read", "--clients", "--json")]
    [InlineData("bench transfer", "--clients", "--json")]
    [InlineData("bench protocol", "--protocol", "--quorums", "grid 2x3", "zones 1,2,3|4,5,6|7,8,9 survive 1 node 1 zone", "--kill", "--json")]
    [InlineData("sim", "--workload", "--seeds", "--twice", "--bugs", "--json", "Example")]
    public async Task Every_command_explains_itself(string command, params string[] says)
    {
        var help = (await SynodProgram.RunAsync([.. command.Split(' '), "--help"])).Ends(0).Output;
        Assert.All(says, text => Assert.Contains(text, help, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Plain_connections_beyond_this_machine_take_a_flag()
    {
        var ports = LocalPorts.Take(2);
        string[] everywhere =
        [
            "start", "--data", Path.Combine(_folder, "data"), "--clock", "bound", "--max-offset", "0",
            "--node", $"1=127.0.0.1:{Number(ports[0])}/{Number(ports[1])}", "--node", "2=127.0.0.1:1/2",
            "--listen", $"0.0.0.0:{Number(ports[0])}",
        ];
        (await SynodProgram.RunAsync(everywhere)).Fails(Usage, "not a loopback address", "synod cert create");
        await using var node = SynodProgram.Start([.. everywhere, "--allow-plaintext"]);
        await node.SaysAsync("Listening for nodes on 0.0.0.0");
    }

    [Fact]
    public async Task A_port_in_use_is_told()
    {
        var ports = LocalPorts.Take(1);
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, ports[0]);
        taken.Start();
        var finished = await SynodProgram.RunAsync(
            "start", "--data", Path.Combine(_folder, "data"), "--client-listen", $"127.0.0.1:{Number(ports[0])}");
        finished.Fails(Usage, "cannot listen for clients", Number(ports[0]));
        Assert.DoesNotContain("   at ", finished.Output + finished.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_from_a_file_serves_its_health_its_metrics_and_its_log_as_json()
    {
        var ports = LocalPorts.Take(2);
        var file = Path.Combine(_folder, "synod.json");
        await File.WriteAllTextAsync(
            file,
            $$"""
            {
              // One node, with pages for operators.
              "dataFolder": "{{Path.Combine(_folder, "data")}}",
              "clientListen": "127.0.0.1:{{Number(ports[0])}}",
              "httpListen": "127.0.0.1:{{Number(ports[1])}}",
            }
            """,
            Cancellation);
        await using var node = SynodProgram.Start("start", "--config", file, "--json-log");
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Number(ports[1])}") };
        await Await.UntilAsync("the node is healthy", async () =>
        {
            Assert.True(node.IsRunning, node.Everything);
            return await IsHealthyAsync(http);
        });

        var endpoint = $"127.0.0.1:{Number(ports[0])}";
        (await SynodProgram.RunAsync("kv", "put", "a", "1", "-e", endpoint)).Ends(0);
        Assert.Contains("\"node\"", await http.GetStringAsync("/status", Cancellation), StringComparison.Ordinal);
        var metrics = await http.GetStringAsync("/metrics", Cancellation);
        Assert.Contains("# HELP synod_loop_turns_total Turns of the event loop.\n# TYPE synod_loop_turns_total counter", metrics, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/nothing", Cancellation)).StatusCode);

        node.Signal(Signal.Terminate);
        Assert.Equal(0, await node.ExitAsync());
        Assert.All(
            node.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.NotNull(System.Text.Json.Nodes.JsonNode.Parse(line)));
    }

    private static async Task<bool> IsHealthyAsync(HttpClient http)
    {
        try
        {
            return await http.GetStringAsync("/healthz", Cancellation) == "ok\n";
        }
        catch (HttpRequestException)
        {
            // It has not opened its port yet, or is not well yet.
            return false;
        }
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
