using System.Text.Json.Nodes;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.CommandLine;

/// <summary><c>synod demo</c> beyond its defaults, which continuous integration runs.</summary>
public sealed class DemoTests
{
    [Fact]
    public async Task A_program_that_reads_the_verdict_gets_one_when_nothing_could_be_set_up()
    {
        var finished = await SynodProgram.RunAsync("", [("TMPDIR", "/no/such/folder")], ["demo", "--json"]);
        var report = JsonNode.Parse(finished.Fails(2, "/no/such/folder", "TMPDIR").Output)!;
        Assert.False((bool)report["ok"]!);
        Assert.Contains("/no/such/folder", (string)report["error"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_nodes_than_three_all_take_part_and_nothing_is_lost()
    {
        var finished = await SynodProgram.RunAsync("demo", "--nodes", "4", "--seconds", "5", "--accounts", "40", "--clients", "8", "--seed", "7", "--json");
        var report = JsonNode.Parse(finished.Ends(0).Output)!;
        Assert.True((bool)report["ok"]!, finished.Errors);
        Assert.True((bool)report["caught_up"]!, finished.Errors);
        Assert.True((long)report["transfers_committed"]! > 0);
        Assert.True((long)report["audits"]! > 0);
        Assert.Equal(40_000, (long)report["total_after"]!);
        Assert.Equal(0, (long)report["acked_lost"]!);
    }
}
