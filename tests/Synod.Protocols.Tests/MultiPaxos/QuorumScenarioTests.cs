using Synod.Core;
using Synod.Protocols.Consensus;
using Xunit;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>Quorums other than majorities (paxos.md §6, §13.6).</summary>
public sealed class QuorumScenarioTests
{
    /// <summary>4/2 mirrored: safe by arithmetic, and wrong for its use, since every commit waits for the fourth nearest.</summary>
    [Fact]
    public void Two_elect_and_four_replicate_of_five()
    {
        var cluster = new TestCluster(new SizedQuorums(TestCluster.Members(5), 2, 4));
        cluster.StartAll();
        cluster.Elect(1);
        cluster[4].Crash();
        cluster.Propose(1, "with four");
        cluster.Settle();
        Assert.Contains("with four", cluster.Agreed.Values);
        cluster[5].Crash();
        cluster.Propose(1, "with three");
        cluster.Settle();
        Assert.DoesNotContain("with three", cluster.Agreed.Values);

        // Two are enough to elect, and find what four accepted; what three accepted may be found too.
        cluster[1].Crash();
        cluster[4].Start();
        cluster[5].Start();
        cluster.AwaitLeader();
        Assert.Contains("with four", cluster.Agreed.Values);
    }

    [Fact]
    public void A_zone_may_fail_with_a_node_of_each_other_and_commits_stay_in_two_zones()
    {
        // 1 2 3 | 4 5 6 | 7 8 9
        var zones = new ZoneQuorums(TestCluster.Members(9), [Set(1, 2, 3), Set(4, 5, 6), Set(7, 8, 9)], 1, 1);
        var cluster = new TestCluster(zones);
        cluster.StartAll();
        cluster.Elect(1);
        foreach (var id in new[] { 3, 6, 7, 8, 9 })
        {
            cluster[id].Crash();
        }

        cluster.Propose(1, "in two zones");
        cluster.Settle();
        Assert.Contains("in two zones", cluster.Agreed.Values);

        // Two nodes in each of two zones elect, and every such four meet the two in each of two zones that replicate.
        cluster[1].Crash();
        cluster.Advance(Duration.FromSeconds(10));
        Assert.DoesNotContain(cluster.Replicas.Values, replica => replica.IsUp && replica.Paxos.Role == PaxosRole.Leader);
        cluster[3].Start();
        var leader = cluster.AwaitLeader();
        Assert.Equal(["in two zones"], leader.State.Commands.Values);
    }

    [Theory]
    [InlineData(2, 3)]
    [InlineData(3, 3)]
    public void A_row_replicates_and_a_column_elects_in_larger_grids(int rows, int columns)
    {
        var cluster = new TestCluster(new GridQuorums(TestCluster.Members(rows * columns), rows, columns));
        cluster.StartAll();
        cluster.Elect(1);
        for (var id = columns + 1; id <= rows * columns; id++)
        {
            cluster[id].Crash();
        }

        cluster.Propose(1, "by a row");
        cluster.Settle();
        Assert.Contains("by a row", cluster.Agreed.Values);
        cluster[1].Crash();
        for (var id = columns + 2; id <= rows * columns; id += columns)
        {
            cluster[id].Start();
        }

        // The second column elects, and its member of the first row has what that row accepted; but no row is whole.
        cluster.Advance(Duration.FromSeconds(10));
        Assert.DoesNotContain(cluster.Replicas.Values, replica => replica.IsUp && replica.Paxos.IsReady);
        cluster[1].Start();
        Assert.Contains("by a row", cluster.AwaitLeader().State.Commands.Values);
    }

    private static NodeSet Set(params int[] ids) => NodeSet.Of([.. ids.Select(id => new NodeId(id))]);
}
