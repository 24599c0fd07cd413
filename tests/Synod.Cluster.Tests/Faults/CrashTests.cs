using Synod.Cluster.Tests.Support;
using Synod.Workloads;

namespace Synod.Cluster.Tests.Faults;

/// <summary>Processes that die without a word.</summary>
public class CrashTests
{
    [Fact]
    public async Task Each_node_in_turn_is_killed_and_comes_back()
    {
        await using var cluster = new TestCluster();
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, new BankWorkload(new BankOptions()));
        foreach (var node in cluster.Nodes)
        {
            await run.CommitsAsync();
            await node.KillAsync();
            await run.CommitsAsync();
            node.Start();
            await cluster.AnswersAsync(node);
            await cluster.CaughtUpAsync(node);
        }

        await run.CommitsAsync();
        await run.FinishAsync();
    }

    [Fact]
    public async Task All_nodes_are_killed_at_once_and_nothing_acknowledged_is_lost()
    {
        await using var cluster = new TestCluster();
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, new BankWorkload(new BankOptions()));
        for (var round = 0; round < 2; round++)
        {
            await run.CommitsAsync();
            await Task.WhenAll(cluster.Nodes.Select(node => node.KillAsync()));
            foreach (var node in cluster.Nodes)
            {
                node.Start();
            }
        }

        await run.CommitsAsync();
        await run.FinishAsync();
        foreach (var node in cluster.Nodes)
        {
            await cluster.CaughtUpAsync(node);
        }
    }

    /// <summary>Two of five are no majority, but all of two zones: they elect, if the leader was lost, and replicate.</summary>
    [Fact]
    public async Task A_whole_zone_is_killed_with_most_nodes_in_it_and_the_others_go_on()
    {
        await using var cluster = new TestCluster(5, "--replicas", "5", "--quorums", "zones 1|2|3,4,5 survive 0 nodes 1 zone");
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, new BankWorkload(new BankOptions()));
        await run.CommitsAsync();
        var zone = cluster.Nodes.Where(node => node.Id > 2).ToArray();
        await Task.WhenAll(zone.Select(node => node.KillAsync()));
        await run.CommitsAsync();
        foreach (var node in zone)
        {
            node.Start();
        }

        await run.CommitsAsync();
        await run.FinishAsync();
    }
}
