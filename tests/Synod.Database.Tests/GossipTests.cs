using Synod.Core;
using Synod.Simulation;

namespace Synod.Database.Tests;

/// <summary>What nodes hear of each other: who is there, and where ranges are led.</summary>
public sealed class GossipTests
{
    private const int Nodes = 9;
    private const int Moves = 12;

    [Fact]
    public void A_clients_first_request_after_a_move_seldom_meets_a_redirect()
    {
        var told = Redirects(options => options);
        var untold = Redirects(options => options with { Mutation = DatabaseMutation.TellNobody });
        TestContext.Current.TestOutputHelper?.WriteLine($"{told} of {Nodes * Moves} redirected with rumors, {untold} without");
        Assert.True(told * 10 <= Nodes * Moves, $"{told} of {Nodes * Moves} first requests were redirected.");
        Assert.True(untold >= 5 * told, $"Without rumors {untold}, with them {told}.");
    }

    [Fact]
    public void A_node_that_knows_only_the_first_one_meets_the_others_and_finds_them_again_without_it()
    {
        var cluster = new DatabaseCluster(adapt: OnlyTheFirst);
        ComesAbout(cluster, () => cluster.Nodes.All(node => Status(cluster, node).Nodes.Count(other => other.Status == Api.Node.Types.Status.Alive) == 3));
        foreach (var node in cluster.Nodes)
        {
            cluster.Cluster.Crash(node);
        }

        cluster.Cluster.StartAfter(new NodeId(2), Duration.Zero);
        cluster.Cluster.StartAfter(new NodeId(3), Duration.Zero);
        cluster.Run(() => cluster.Cluster.IsUp(new NodeId(2)) && cluster.Cluster.IsUp(new NodeId(3)));
        ComesAbout(cluster, () => Sees(cluster, 2, 3, Api.Node.Types.Status.Alive));
    }

    [Fact]
    public void Every_node_tells_who_lives_how_far_it_is_and_how_the_cluster_fares()
    {
        var cluster = new DatabaseCluster();
        ComesAbout(cluster, () => cluster.Nodes.All(node => Status(cluster, node).Cluster is { Nodes: 3, Replicas: 1 }));
        ComesAbout(cluster, () => cluster.Nodes.All(node =>
            Status(cluster, node).Nodes.All(other => other.Id == node.Value || other.RoundTrip > 0)));
        cluster.Cluster.Crash(new NodeId(3));
        ComesAbout(cluster, () => Sees(cluster, 1, 3, Api.Node.Types.Status.Dead));
        cluster.Cluster.StartAfter(new NodeId(3), Duration.Zero);
        ComesAbout(cluster, () => Sees(cluster, 1, 3, Api.Node.Types.Status.Alive));
    }

    /// <summary>Looks again and again, for two simulated minutes at most.</summary>
    private static void ComesAbout(DatabaseCluster cluster, Func<bool> holds)
    {
        for (var looks = 0; !holds(); looks++)
        {
            Assert.True(looks < 600, "It did not come about in time.");
            cluster.Run(Duration.FromMilliseconds(200));
        }
    }

    private static bool Sees(DatabaseCluster cluster, int observer, int member, Api.Node.Types.Status status) =>
        Status(cluster, new NodeId(observer)).Nodes.Any(node => node.Id == member && node.Status == status);

    private static DatabaseOptions OnlyTheFirst(DatabaseOptions options) => options with
    {
        Nodes = [.. options.Nodes.Where(node => node.Id.Value == 1 || node.Id == options.Self)],
        InitialReplicas = NodeSet.Of(new NodeId(1), new NodeId(2), new NodeId(3)),
    };

    private static Api.NodeStatus Status(DatabaseCluster cluster, NodeId node) =>
        cluster.Wait(cluster.Send(node, new Api.Request { Status = new Api.StatusQuery() })).Status;

    /// <summary>Moves the first range about; each time a client of each node asks it where to go, and goes there.</summary>
    private static int Redirects(Func<DatabaseOptions, DatabaseOptions> adapt)
    {
        var cluster = new DatabaseCluster(adapt: adapt, nodes: Nodes);
        cluster.Network.Conditions = new LinkConditions { LossPerMillion = 100_000 };
        var redirects = 0;
        for (var move = 0; move < Moves; move++)
        {
            var to = 1 + move % 3;
            cluster.Run(Duration.FromSeconds(1));
            var moved = cluster.Ask("a", new Api.Request { TransferLeadership = new Api.TransferLeadership { To = to } });
            Assert.Equal(Api.Response.BodyOneofCase.Done, moved.BodyCase);

            // A range that nobody leads for a moment redirects nobody: the move is over when it is served again.
            Assert.Equal(Api.Response.BodyOneofCase.Read, cluster.Ask("a", DatabaseCluster.Read("a")).BodyCase);
            cluster.Run(Duration.FromMilliseconds(300));
            redirects += cluster.Nodes.Count(node => MeetsRedirect(cluster, node));
        }

        return redirects;
    }

    private static bool MeetsRedirect(DatabaseCluster cluster, NodeId asked)
    {
        var directory = cluster.Wait(cluster.Send(asked, new Api.Request { Directory = new Api.DirectoryQuery() })).Directory;
        var range = directory.Ranges[0];
        var read = DatabaseCluster.Read("a");
        read.Group = range.Group;
        var answer = cluster.Wait(cluster.Send(new NodeId(range.Leader), read));
        return answer.BodyCase == Api.Response.BodyOneofCase.WrongRange || answer.NotLeader is { Leader: > 0 };
    }
}
