using System.Collections.Immutable;
using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Consensus;
using Xunit;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>Random schedules of everything that can go wrong, and progress once it stops.</summary>
public sealed class SimulationTests
{
    [Theory]
    [InlineData("majority of 3", 120)]
    [InlineData("majority of 5", 30)]
    [InlineData("4/2 of 5", 30)]
    [InlineData("grid 2x2", 25)]
    [InlineData("weights 2,1,1,1", 25)]
    [InlineData("zones 2+2", 15)]
    public void Agreement_leases_reads_and_progress(string system, int seeds)
    {
        var (leases, reads, snapshots, crashes) = (0L, 0, 0, 0);
        for (var seed = 0; seed < seeds; seed++)
        {
            var cluster = new MultiPaxosWorld(System(system), MultiPaxosWorld.Options(), (ulong)seed);
            try
            {
                cluster.Run(Duration.FromSeconds(3));
            }
            catch (Exception failure)
            {
                throw new Xunit.Sdk.XunitException($"{system}, seed {seed}: {failure}");
            }

            leases += cluster.LeasesSeen;
            reads += cluster.ReadsAnswered;
            snapshots += cluster.SnapshotsSent;
            crashes += cluster.Crashes;
        }

        Assert.True(leases > seeds && reads > seeds && snapshots > 0 && crashes > seeds, "the schedules are too tame");
    }

    [Theory]
    [InlineData("majority of 3", 100)]
    [InlineData("4/2 of 5", 20)]
    [InlineData("grid 2x2", 20)]
    public void Agreement_and_progress_among_duelling_leaders(string system, int seeds)
    {
        for (var seed = 0; seed < seeds; seed++)
        {
            var cluster = new MultiPaxosWorld(
                System(system), MultiPaxosWorld.Duelling(MultiPaxosMutation.None), (ulong)seed, stormy: true);
            try
            {
                cluster.Run(Duration.FromSeconds(1));
            }
            catch (Exception failure)
            {
                throw new Xunit.Sdk.XunitException($"{system}, seed {seed}: {failure}");
            }
        }
    }

    /// <summary>Safety only: a group may have to wait if replicas forget what they installed from one another.</summary>
    [Fact]
    public void Agreement_although_installed_snapshots_are_lost()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var cluster = new MultiPaxosWorld(System("majority of 3"), MultiPaxosWorld.Options(), (ulong)seed);
            foreach (var replica in cluster.Replicas.Values)
            {
                replica.State.FlushesInstallations = false;
            }

            cluster.RunBriefly(Duration.FromSeconds(3));
        }
    }

    [Fact]
    public void Quorums_that_need_not_meet_are_found() => Assert.Contains(Enumerable.Range(0, 200), seed =>
    {
        var options = MultiPaxosWorld.Duelling(MultiPaxosMutation.None);
        var world = new MultiPaxosWorld(System("2/2 of 4"), options, (ulong)seed, stormy: true);
        return Record.Exception(() => world.RunBriefly(Duration.FromSeconds(1))) is InvariantViolation;
    });

    private static QuorumSystem System(string system) => system switch
    {
        "majority of 3" => SizedQuorums.Majority(TestCluster.Members(3)),
        "majority of 5" => SizedQuorums.Majority(TestCluster.Members(5)),
        "4/2 of 5" => new SizedQuorums(TestCluster.Members(5), 4, 2),
        "grid 2x2" => new GridQuorums(TestCluster.Members(4), 2, 2),
        "weights 2,1,1,1" => new WeightedQuorums(TestCluster.Members(4), ImmutableArray.Create(2, 1, 1, 1), 3, 3),
        "zones 2+2" => new ZoneQuorums(
            TestCluster.Members(4), [NodeSet.Of(new(1), new(2)), NodeSet.Of(new(3), new(4))], NodeFaults: 1, ZoneFaults: 0),
        "2/2 of 4" => new SizedQuorums(TestCluster.Members(4), 2, 2),
        _ => throw new ArgumentOutOfRangeException(nameof(system), system, null),
    };
}
