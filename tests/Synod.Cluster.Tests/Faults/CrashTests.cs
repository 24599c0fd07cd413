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
}
