using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Ranges;
using Synod.Database.Transactions;
using Synod.Simulation;
using Synod.Storage;

namespace Synod.Database.Tests;

/// <summary>
/// A group that has retired goes away when nobody needs it any more (paxos.md §7: a replicating quorum of the new members has the state),
/// and its name goes on answering for it.
/// </summary>
public sealed class RetirementTests
{
    // Long enough for a retired group to go, if nobody needs it.
    private static readonly Duration Long = Duration.FromSeconds(20);

    [Fact]
    public void What_is_left_of_a_retired_group_is_its_name_also_after_a_restart()
    {
        var cluster = new DatabaseCluster(machine: new MachineConditions { SlowSyncPerMillion = 0, CheckpointBytes = 16 << 10 });
        cluster.Put("k", "1");
        cluster.Lose(3);
        cluster.Run(() => IsWhole(cluster), 60);
        Assert.Contains(cluster.Protocols.Values, node => node.RetiredReplicas > 0);
        cluster.Run(() => cluster.Protocols.Values.All(node => node.RetiredReplicas == 0), 60);

        // The log is cut, twice to be sure, and every node starts again from what it has kept.
        var before = cluster.Nodes.Select(node => cluster.Cluster.Counts(node).Checkpoints).ToArray();
        for (var value = 0; cluster.Nodes.Where((node, place) => cluster.Cluster.Counts(node).Checkpoints < before[place] + 2).Any(); value++)
        {
            cluster.Put("k", $"{value} {new string('x', 2_000)}");
        }

        cluster.RecordsRead.Clear();
        RestartAll(cluster);
        Assert.All(cluster.Protocols.Values, node => Assert.Equal(0, node.RetiredReplicas));
        Assert.DoesNotContain(cluster.RecordsRead.OfType<NodeRecord.Consensus>(), record => record.Group == DatabaseNode.FirstGroup);
        Assert.All(cluster.Nodes, node => Assert.DoesNotContain(
            cluster.Groups(node.Value), group => group.Range.Group == DatabaseNode.FirstGroup));
        cluster.Put("k", "2");
        Assert.Equal("2", cluster.Get("k"));
    }

    /// <summary>A store may flush of itself, and then the process dies before the log is cut: records are there of a group that is gone.</summary>
    [Fact]
    public void Records_of_a_group_that_is_gone_are_not_carried_on()
    {
        var cluster = new DatabaseCluster(
            machine: new MachineConditions { SlowSyncPerMillion = 0, StoreFlushPerMillion = 1_000_000, CheckpointBytes = 16 << 10 });
        cluster.Put("k", "1");
        cluster.Lose(3);
        cluster.Run(() => IsWhole(cluster), 60);
        cluster.Run(() => cluster.Protocols.Values.All(node => node.RetiredReplicas == 0), 60);
        RestartAll(cluster);
        Assert.Contains(cluster.RecordsRead.OfType<NodeRecord.Consensus>(), record => record.Group == DatabaseNode.FirstGroup);
        var before = cluster.Nodes.Select(node => cluster.Cluster.Counts(node).Checkpoints).ToArray();
        for (var value = 0; cluster.Nodes.Where((node, place) => cluster.Cluster.Counts(node).Checkpoints < before[place] + 2).Any(); value++)
        {
            cluster.Put("k", $"{value} {new string('x', 2_000)}");
        }

        cluster.RecordsRead.Clear();
        RestartAll(cluster);
        Assert.DoesNotContain(cluster.RecordsRead.OfType<NodeRecord.Consensus>(), record => record.Group == DatabaseNode.FirstGroup);
    }

    /// <summary>Only one node has the state that the successor began with: the others, when they are back, learn it from the old group.</summary>
    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.RetiredGoesAtOnce), false)]
    public void Until_a_quorum_has_its_successors_state_a_retired_group_stays(string mutation, bool stays)
    {
        var cluster = new DatabaseCluster(adapt: options => options with { Mutation = Enum.Parse<DatabaseMutation>(mutation) });
        cluster.Put("k", "1");
        cluster.Transfer(1);
        cluster.Lose(3);
        cluster.Run(() => cluster.Protocols[new NodeId(1)].RetiredReplicas > 0, 60);
        cluster.Cluster.Crash(new NodeId(2));
        cluster.Cluster.Crash(new NodeId(3));
        cluster.Run(Long);
        Assert.Equal(stays ? 1 : 0, cluster.Protocols[new NodeId(1)].RetiredReplicas);
        cluster.Cluster.StartAfter(new NodeId(2), Duration.Zero);
        cluster.Cluster.StartAfter(new NodeId(3), Duration.Zero);
        cluster.Run(() => IsWhole(cluster), 60);
        cluster.Run(() => cluster.Protocols.Values.All(node => node.RetiredReplicas == 0), 60);
        Assert.Equal("1", cluster.Get("k"));
    }

    /// <summary>All who could have told it that its group retired are gone for good: one after the other lost its disk meanwhile.</summary>
    [Fact]
    public void A_node_that_was_down_all_the_time_finds_its_way()
    {
        var cluster = new DatabaseCluster(adapt: options => options with { ReplicationFactor = 5 }, nodes: 5);
        cluster.Put("k", "1");
        cluster.Split("m", 2);
        cluster.Put("z", "1");
        var away = new NodeId(5);
        cluster.Cluster.Crash(away);
        for (var lost = 4; lost >= 1; lost--)
        {
            cluster.Lose(lost);
            cluster.Run(() => IsWhole(cluster, ranges: 2), 60);
            cluster.Run(() => cluster.Nodes.Where(cluster.Cluster.IsUp).All(node => cluster.Protocols[node].RetiredReplicas == 0), 60);
        }

        cluster.Put("k", "2");
        cluster.Cluster.StartAfter(away, Duration.Zero);
        cluster.Run(() => cluster.Cluster.IsUp(away) && IsWhole(cluster, ranges: 2), 60);
        Assert.Equal(0, cluster.Protocols[away].RetiredReplicas);

        // Its state is that of the others, and its vote is needed.
        cluster.Cluster.Crash(new NodeId(1));
        cluster.Cluster.Crash(new NodeId(2));
        Assert.Equal("2", cluster.Get("k"));
        Assert.Equal("1", cluster.Get("z"));
        cluster.Put("z", "2");
    }

    /// <summary>It keeps what made its successor's state until that is in the store for certain.</summary>
    [Fact]
    public void While_a_checkpoint_is_made_nothing_is_buried()
    {
        var cluster = new DatabaseCluster();
        cluster.Put("k", "1");
        cluster.Lose(3);
        cluster.Run(() => cluster.Protocols[new NodeId(1)].RetiredReplicas > 0, 60);
        cluster.Protocols[new NodeId(1)].BeginCheckpoint();
        cluster.Run(Long);
        Assert.Equal(1, cluster.Protocols[new NodeId(1)].RetiredReplicas);
        Assert.Equal(0, cluster.Protocols[new NodeId(2)].RetiredReplicas);
    }

    /// <summary>
    /// Two of three have said that they have the successor's state, and crash before it is in their stores. They wait for their clocks before
    /// they make it again; the third tells meanwhile that the old group is gone, and is gone itself then. What a crash leaves of a store differs
    /// from seed to seed.
    /// </summary>
    [Fact]
    public void A_replica_makes_its_successors_state_again_before_it_goes()
    {
        ulong[] seeds = [1, 2, 3, 4, 5, 6, 7, 8];
        Assert.True(seeds.Count(MakesItsSuccessorsStateAgain) > 2);
    }

    private static bool MakesItsSuccessorsStateAgain(ulong seed)
    {
        var cluster = new DatabaseCluster(seed);
        for (var value = 0; value < 50; value++)
        {
            cluster.Put("k", $"{value}");
        }

        cluster.Put("k", "1");
        cluster.Transfer(1);
        cluster.Lose(3);
        cluster.Run(() => IsWhole(cluster), 60);
        cluster.Run(() => cluster.Protocols.Values.All(node => node.RetiredReplicas == 0), 60);
        foreach (var node in cluster.Nodes.Take(2))
        {
            cluster.Cluster.Crash(node);
            cluster.Cluster.Clock(node).UnknownUntil = cluster.World.Now + Long.Nanoseconds;
            cluster.Cluster.StartAfter(node, Duration.Zero);
        }

        cluster.Run(Duration.FromSeconds(10));
        var isThere = cluster.Nodes.Take(2).All(node => cluster.Protocols[node].RetiredReplicas > 0);
        cluster.Cluster.Crash(new NodeId(3));
        cluster.Run(Long);
        Assert.Equal("1", cluster.Get("k"));
        return isThere;
    }

    /// <summary>
    /// It leads, but what it had decided is its successor's to tell; and the node has not heard of that one yet. A commit that was handed on
    /// looks like one that its client's session left behind, which means that it was aborted.
    /// </summary>
    [Theory]
    [InlineData(nameof(DatabaseMutation.None), 1)]
    [InlineData(nameof(DatabaseMutation.RetiredAnswers), 0)]
    public void A_retired_group_does_not_answer_for_itself(string mutation, int prepared)
    {
        const ulong retired = 77;
        var node = new NodeId(1);
        var cluster = new DatabaseCluster(adapt: options => options with { Mutation = Enum.Parse<DatabaseMutation>(mutation) }, nodes: 1);
        cluster.Put("k", "1");
        var (id, writer) = (new TransactionId(4_711, 1), new CodecWriter());
        var descriptor = new RangeDescriptor(retired, KeySpan.All, 5, NodeSet.Of(node), node) { IsRetired = true };
        var store = cluster.Cluster.Store(node);
        RangeState.Create(store, descriptor, Slot.None);
        var batch = new StoreBatch();
        batch.Put(RangeKeys.Session(retired, id.Client), RangeKeys.WriteSession(writer, id.Sequence + 1, Outcome.Abort, default));
        store.Write(batch);
        store.Flush();
        RestartAll(cluster);
        cluster.Run(() => cluster.Groups(1).All(group => group.Role == "Leader"));
        cluster.Cluster[node].Receive(node, new NodeMessage.Prepare(
            DatabaseNode.FirstGroup, id, new Age(1, id.Client), retired, Ballot.None, [new KeyWrite(Key.Of("z"), null)]));
        cluster.Run(Duration.FromSeconds(5));
        Assert.Equal(prepared, cluster.Groups(1).Sum(group => group.Prepared));
    }

    private static void RestartAll(DatabaseCluster cluster)
    {
        foreach (var node in cluster.Nodes)
        {
            cluster.Cluster.Crash(node);
        }

        foreach (var node in cluster.Nodes)
        {
            cluster.Cluster.StartAfter(node, Duration.Zero);
        }

        cluster.Run(() => cluster.Nodes.All(cluster.Cluster.IsUp));
    }

    /// <summary>Whether every node that is up holds the ranges, with state, of groups that have it as what it is.</summary>
    private static bool IsWhole(DatabaseCluster cluster, int ranges = 1)
    {
        var groups = cluster.Nodes.Where(cluster.Cluster.IsUp).Select(node => cluster.Groups(node.Value)).ToList();
        return groups.TrueForAll(held => held.Count == ranges
            && held.All(group => group.Applied >= 0 && groups[0].Any(other => other.Range.Group == group.Range.Group)));
    }
}
