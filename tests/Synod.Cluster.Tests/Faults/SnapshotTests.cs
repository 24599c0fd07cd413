using System.Text.Json.Nodes;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.Faults;

/// <summary>Chandy-Lamport snapshots of processes with real disks, killed while money moves and snapshots are open.</summary>
public class SnapshotTests
{
    private const int Usage = 2;

    [Theory]
    [InlineData("fifo")]
    [InlineData("none")]
    public async Task Every_cut_of_killed_processes_has_all_the_money_and_can_be_put_back_to(string order)
    {
        var report = JsonNode.Parse((await SynodProgram.RunAsync(
            "bench", "snapshots", "--clients", "8", "--seconds", "2", "--warmup", "0.5", "--kill", "1", "--kill", "3", "--tls", "on",
            "--order", order, "--checkpoint-bytes", "10000", "--json")).Ends(0).Output)!;
        Assert.True((bool)report["ok"]!);
        Assert.True((long)report["snapshots"]! > 0);
        Assert.True((long)report["in_channels"]! > 0);
        Assert.True((long)report["restored_in_channels"]! > 0);
        Assert.True((long)report["checkpoints"]! > 0);
        Assert.True((bool)report["restored"]!);
        Assert.Equal(3_000_000, (long)report["money"]!);
        Assert.True((long)report["acked"]! > 0);
        foreach (var wrong in (string[])["inconsistent", "wrong_total", "acked_lost", "repeated"])
        {
            Assert.Equal(0, (long)report[wrong]!);
        }
    }

    [Theory]
    [InlineData("There is no node 4 to kill", "--kill", "4")]
    [InlineData("--order takes fifo or none, not 'lifo'", "--order", "lifo")]
    public async Task What_cannot_run_is_refused_with_the_reason(string says, params string[] arguments) =>
        (await SynodProgram.RunAsync(["bench", "snapshots", .. arguments])).Fails(Usage, says);
}
