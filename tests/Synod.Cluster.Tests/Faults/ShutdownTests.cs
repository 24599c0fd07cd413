using Synod.Cluster.Tests.Support;
using Synod.Workloads;

namespace Synod.Cluster.Tests.Faults;

/// <summary>SIGTERM: in good order.</summary>
public class ShutdownTests
{
    [Fact]
    public async Task A_node_hands_its_leaderships_over_and_ends_with_zero()
    {
        await using var cluster = new TestCluster();
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, new BankWorkload(new BankOptions()));
        for (var round = 0; round < 2; round++)
        {
            await run.CommitsAsync();
            var node = await cluster.BusiestAsync();
            node.Program.Signal(Signal.Terminate);
            Assert.Equal(0, await node.Program.ExitAsync());
            Assert.DoesNotContain("before every leadership was handed over", node.Log, StringComparison.Ordinal);
            await cluster.LedByAsync(cluster.Others(node));
            await run.CommitsAsync();
            node.Start();
            await cluster.AnswersAsync(node);
            await cluster.CaughtUpAsync(node);
        }

        await run.CommitsAsync();
        await run.FinishAsync();
    }

    [Fact]
    public async Task All_nodes_stop_together_and_come_back_with_everything()
    {
        await using var cluster = new TestCluster();
        await cluster.StartAsync();
        await using var run = await WorkloadRun.StartAsync(cluster, new BankWorkload(new BankOptions()));
        await run.CommitsAsync();
        foreach (var node in cluster.Nodes)
        {
            node.Program.Signal(Signal.Terminate);
        }

        foreach (var node in cluster.Nodes)
        {
            Assert.Equal(0, await node.Program.ExitAsync());
            node.Start();
        }

        await run.CommitsAsync();
        await run.FinishAsync();
    }
}
