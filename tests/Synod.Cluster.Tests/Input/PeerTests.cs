using System.Globalization;
using Synod.Client;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.Input;

/// <summary>Nodes that are not the cluster's: each is turned away with the reason on both sides, and everybody stays up.</summary>
public class PeerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_of_another_cluster_is_refused()
    {
        await using var cluster = new TestCluster();
        await StartTwoAsync(cluster);
        string[] others = [.. cluster.Arguments.Select(argument => argument == cluster.Name ? "another" : argument)];
        await using var stranger = SynodProgram.Start(["start", "--id", "3", "--data", Path.Combine(cluster.Folder, "stranger"), .. others]);
        await IsTurnedAwayAsync(cluster, stranger, "(ForeignCluster)");

        // The node that belongs there takes its place.
        await stranger.KillAsync();
        cluster.Node(3).Start();
        await cluster.AnswersAsync(cluster.Node(3));
        await cluster.CaughtUpAsync(cluster.Node(3));
    }

    [Fact]
    public async Task A_node_that_nobody_knows_is_refused()
    {
        await using var cluster = new TestCluster();
        await StartTwoAsync(cluster);
        var ports = LocalPorts.Take(2);
        await using var stranger = SynodProgram.Start(
            ["start", "--id", "4", "--data", Path.Combine(cluster.Folder, "stranger"), .. cluster.Arguments,
             "--node", string.Create(CultureInfo.InvariantCulture, $"4=127.0.0.1:{ports[0]}/{ports[1]}")]);
        await IsTurnedAwayAsync(cluster, stranger, "(UnknownPeer)");
    }

    private static async Task StartTwoAsync(TestCluster cluster)
    {
        foreach (var node in cluster.Nodes.Take(2))
        {
            node.Start();
            await cluster.AnswersAsync(node);
        }
    }

    private static async Task IsTurnedAwayAsync(TestCluster cluster, SynodProgram stranger, string reason)
    {
        await stranger.SaysAsync(reason);
        foreach (var node in cluster.Nodes.Take(2))
        {
            await node.Program.SaysAsync(reason);
        }

        (await cluster.Client.PutAsync("a", "1", Cancellation)).EnsureCommitted();
        Assert.True(stranger.IsRunning);
        Assert.All(cluster.Nodes.Take(2), node => Assert.True(node.IsRunning));
    }
}
