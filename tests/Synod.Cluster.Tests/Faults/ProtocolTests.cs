using System.Text.Json.Nodes;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.Faults;

/// <summary>Every protocol by itself as processes with real disks, killed while clients wait for it.</summary>
public class ProtocolTests
{
    private const int Usage = 2;

    [Theory]
    [InlineData("multipaxos", 3)]
    [InlineData("epaxos", 3)]
    [InlineData("2pc", 3)]
    [InlineData("3pc", 3)]
    [InlineData("paxos-commit", 3)]
    [InlineData("pbft", 4)]
    [InlineData("hotstuff", 4)]
    public async Task Killed_processes_come_back_and_nothing_is_lost_or_done_twice(string protocol, int nodes)
    {
        var report = JsonNode.Parse((await SynodProgram.RunAsync(
            "bench", "protocol", "--protocol", protocol, "--nodes", $"{nodes}", "--clients", "8", "--seconds", "2", "--warmup", "0.5",
            "--kill", "1", "--kill", "2", "--conflict", "20", "--tls", "on", "--checkpoint-bytes", "10000", "--json")).Ends(0).Output)!;
        Assert.True((bool)report["ok"]!);
        Assert.Equal(0, (long)report["acked_lost"]!);
        Assert.Equal(0, (long)report["repeated"]!);
        Assert.True((long)report["acked"]! > 0);
        Assert.True((double)report["messages_per_decision"]! > 0);
        Assert.True((long)report["checkpoints"]! > 0);
        Assert.Equal([1, 2], report["killed_nodes"]!.AsArray().Select(node => (int)node!));
    }

    [Theory]
    [InlineData("grid 2x3")]
    [InlineData("zones 1,2|3,4|5,6 survive 1 node 1 zone")]
    public async Task Quorums_of_a_grid_and_of_zones_lose_nothing(string quorums)
    {
        var report = JsonNode.Parse((await SynodProgram.RunAsync(
            "bench", "protocol", "-p", "multipaxos", "--nodes", "6", "--quorums", quorums, "--clients", "4", "--seconds", "1", "--warmup", "0.5", "--durable",
            "off", "--json")).Ends(0).Output)!;
        Assert.True((bool)report["ok"]!);
        Assert.Equal(0, (long)report["acked_lost"]!);
        Assert.Equal(quorums, (string)report["quorums"]!);
    }

    [Fact]
    public async Task No_process_outlives_the_one_that_started_it()
    {
        await using var bench = SynodProgram.Start("bench", "protocol", "-p", "multipaxos", "--clients", "1", "--seconds", "60");
        IReadOnlyList<int> nodes = [];
        await Await.UntilAsync("three nodes are started", () => (nodes = bench.Children()).Count == 3);
        await bench.KillAsync();
        await Await.UntilAsync("they have ended", () => !nodes.Any(node => Directory.Exists($"/proc/{node}")));
    }

    [Fact]
    public async Task What_a_decision_costs_is_counted()
    {
        var report = JsonNode.Parse((await SynodProgram.RunAsync(
            "bench", "protocol", "-p", "multipaxos", "--clients", "1", "--seconds", "1", "--warmup", "0.5", "--durable", "off", "--json"))
            .Ends(0).Output)!;
        Assert.InRange((double)report["messages_per_decision"]!, 4, 8);
        Assert.True((double)report["records_per_decision"]! >= 3);
        Assert.False((bool)report["durable"]!);
    }

    [Theory]
    [InlineData("pbft")]
    [InlineData("hotstuff")]
    public async Task The_largest_values_are_agreed_on(string protocol)
    {
        var report = JsonNode.Parse((await SynodProgram.RunAsync(
            "bench", "protocol", "-p", protocol, "--clients", "2", "--seconds", "1", "--warmup", "0.5", "--durable", "off", "--value-bytes", "65536", "--json"))
            .Ends(0).Output)!;
        Assert.True((bool)report["ok"]!);
    }

    /// <summary>Whoever cannot check a signature believes nobody: each of four checks each command once, and a few votes beside.</summary>
    [Theory]
    [InlineData("pbft")]
    [InlineData("hotstuff")]
    public async Task Checked_signatures_are_counted_beside_what_the_machine_can_check(string protocol)
    {
        string[] run = ["bench", "protocol", "-p", protocol, "--clients", "24", "--seconds", "1", "--warmup", "1", "--durable", "off", "--json"];
        var report = JsonNode.Parse((await SynodProgram.RunAsync(run)).Ends(0).Output)!;
        Assert.InRange((double)report["verified_per_decision"]!, 4, 4 + 16);
        Assert.True((double)report["verification_limit_per_second"]! > 0);
        Assert.True((double)report["verification_share"]! > 0);

        var unsigned = JsonNode.Parse((await SynodProgram.RunAsync([.. run, "--client-signatures", "off", "--block", "4"])).Ends(0).Output)!;
        Assert.True((bool)unsigned["ok"]!);
        Assert.False((bool)unsigned["client_signatures"]!);
        Assert.Equal(4, (int)unsigned["block"]!);
    }

    [Theory]
    [InlineData("There is no protocol 'raft'", "-p", "raft")]
    [InlineData("2 + 2 is not more than 4", "-p", "multipaxos", "--nodes", "4", "--quorums", "2/2")]
    [InlineData("'two' is no number", "-p", "multipaxos", "--quorums", "two/2")]
    [InlineData("2 rows of 3 columns need 6 members", "-p", "multipaxos", "--nodes", "5", "--quorums", "grid 2x3")]
    [InlineData("without a zone are {n5,n6}", "-p", "multipaxos", "--nodes", "6", "--quorums", "zones 1,2|3,4 survive 1 node 0 zones")]
    [InlineData("pbft runs on 4 to", "-p", "pbft", "--nodes", "3")]
    [InlineData("epaxos runs on 3 to 7 nodes, not on 8", "-p", "epaxos", "--nodes", "8")]
    [InlineData("--quorums has no effect on pbft", "-p", "pbft", "--quorums", "3/2")]
    [InlineData("--pipeline has no effect on hotstuff", "-p", "hotstuff", "--pipeline", "2")]
    [InlineData("--block has no effect on multipaxos", "-p", "multipaxos", "--block", "2")]
    [InlineData("--client-signatures has no effect on 2pc", "-p", "2pc", "--client-signatures", "off")]
    [InlineData("--durable takes on or off, not 'yes'", "-p", "2pc", "--durable", "yes")]
    [InlineData("There is no node 9 to kill", "-p", "multipaxos", "--kill", "9")]
    public async Task What_cannot_run_is_refused_with_the_reason(string says, params string[] arguments) =>
        (await SynodProgram.RunAsync(["bench", "protocol", .. arguments])).Fails(Usage, says);
}
