using Xunit;


namespace Synod.Protocols.Tests.MultiPaxosRoom;

public sealed class BasicTests
{
    [Fact]
    public void Three_replicas_elect_a_leader_and_agree()
    {
        var cluster = TestCluster.Majority(3);
        cluster.StartAll();
        var leader = cluster.AwaitLeader();
        cluster.Propose(leader.Id.Value, "a");
        cluster.Propose(leader.Id.Value, "b");
        cluster.Settle();
        cluster.Advance(Core.Duration.FromSeconds(1));

        Assert.All(cluster.Replicas.Values, replica => Assert.Equal(["a", "b"], replica.State.Commands.Values));
        Assert.True(leader.HoldsLease);
    }
}
