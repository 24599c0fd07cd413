using Synod.Core;
using Synod.Database.Transactions;

namespace Synod.Database.Tests;

/// <summary>A node whose disk was lost (paxos.md §8: its identity must not vote on what it forgot).</summary>
public sealed class ComebackTests
{
    [Fact]
    public void A_wiped_node_is_taken_in_as_a_new_replica_of_a_new_group_and_everything_acknowledged_is_there()
    {
        var cluster = new DatabaseCluster();
        cluster.Put("k", "1");
        cluster.Split("m", 2);
        cluster.Put("z", "2");
        var before = cluster.RangeOf("k").Group;
        var wiped = new NodeId(3);
        cluster.Cluster[wiped].Wipe();
        cluster.Incarnations[wiped] = 77;
        cluster.Cluster.StartAfter(wiped, Duration.Zero);
        cluster.Run(() => cluster.RangeOf("k").Group != before, 60);
        cluster.Put("k", "3");

        // Without the others' help: the new replica holds the data and its vote counts.
        var transfer = new Api.Request { TransferLeadership = new Api.TransferLeadership { To = 3 } };
        cluster.Run(() => cluster.Ask("k", transfer).BodyCase == Api.Response.BodyOneofCase.Done && cluster.LeaderOf("k") == wiped, 60);
        Assert.Equal("3", cluster.Get("k"));
        Assert.Equal("2", cluster.Get("z"));
        cluster.Cluster.Crash(new NodeId(1));
        cluster.Put("k", "4");
        Assert.Equal("4", cluster.Get("k"));
    }

    /// <summary>
    /// What a node told before its disk was lost must not make others take what it tells now for old: who has no replica of a range
    /// hears of its leader by rumors alone.
    /// </summary>
    [Fact]
    public void Nodes_without_a_replica_believe_where_a_node_that_came_back_leads()
    {
        var cluster = new DatabaseCluster(nodes: 5);
        var (wiped, stranger) = (new NodeId(3), new NodeId(5));
        for (var round = 0; round < 4; round++)
        {
            cluster.Transfer(3);
            cluster.Transfer(1);
        }

        var before = cluster.RangeOf("k").Group;
        cluster.Cluster[wiped].Wipe();
        cluster.Incarnations[wiped] = 77;
        cluster.Cluster.StartAfter(wiped, Duration.Zero);
        cluster.Run(() => cluster.RangeOf("k").Group != before, 60);
        cluster.Transfer(3);
        cluster.Run(Duration.FromMilliseconds(300));
        var directory = cluster.Wait(cluster.Send(stranger, new Api.Request { Directory = new Api.DirectoryQuery() })).Directory;
        Assert.Equal(3, directory.Ranges.Single().Leader);
    }

    /// <summary>
    /// A retired group may have lost the members that could lead it. Whoever waits for what it decided, or asks what it prepared, is
    /// answered by its successor.
    /// </summary>
    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.RetiredIsSilent), false)]
    public void The_successor_speaks_for_a_retired_group(string mutation, bool isEnded)
    {
        var cluster = new DatabaseCluster(adapt: options => options with { Mutation = Enum.Parse<DatabaseMutation>(mutation) });
        cluster.Put("a", "1");
        cluster.Split("m", 2);
        var retired = cluster.RangeOf("a").Group;
        var wiped = new NodeId(3);
        cluster.Cluster[wiped].Wipe();
        cluster.Incarnations[wiped] = 77;
        cluster.Cluster.StartAfter(wiped, Duration.Zero);
        cluster.Run(() => cluster.RangeOf("a").Group != retired && cluster.LeaderOf("z").Value == 2, 60);
        cluster.Transfer(3, "a");
        cluster.Transfer(2, "z");
        cluster.Cluster.Crash(new NodeId(1));
        cluster.Run(() => cluster.LeaderOf("z").Value == 2, 60);

        // Prepared for the retired group: its client had an old directory, and is gone.
        var abandoned = new TransactionId(4_711, 1);
        cluster.Cluster[new NodeId(2)].Receive(new NodeId(2), new NodeMessage.Prepare(
            cluster.RangeOf("z").Group, abandoned, new Age(1, 4_711), retired, Ballot.None, [new KeyWrite(Key.Of("z"), null)]));
        cluster.Run(Duration.FromSeconds(10));
        var groups = cluster.Wait(cluster.Send(new NodeId(2), new Api.Request { Status = new Api.StatusQuery() })).Status.Groups;
        Assert.Equal(isEnded ? 0 : 1, groups.Sum(group => group.Prepared));
    }

    [Fact]
    public void Until_a_successor_group_takes_it_in_a_wiped_node_has_no_replica_to_vote_with()
    {
        var cluster = new DatabaseCluster();
        cluster.Put("k", "1");
        var (wiped, other) = (new NodeId(3), new NodeId(2));
        cluster.Cluster[wiped].Wipe();
        cluster.Incarnations[wiped] = 77;

        // Only one of the others is up, so nothing can be agreed on but with the wiped node's vote.
        cluster.Cluster.Crash(other);
        cluster.Cluster.StartAfter(wiped, Duration.Zero);
        cluster.Run(Duration.FromSeconds(10));
        var status = cluster.Wait(cluster.Send(wiped, new Api.Request { Status = new Api.StatusQuery() })).Status;
        Assert.Empty(status.Groups);
        var tag = cluster.Send(new NodeId(1), cluster.Commit(cluster.Begin(), [("k", "2")]));
        cluster.Run(Duration.FromSeconds(10));
        Assert.NotEqual(Api.CommitResult.Types.Outcome.Committed, cluster.AnswerTo(tag)?.Commit?.Outcome);
    }

    /// <summary>Its node answers, so nobody misses it, and a group that has fallen silent has no timer that would.</summary>
    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.FollowStrangers), false)]
    public void A_silent_range_whose_leader_comes_back_as_another_incarnation_is_led_by_another(string mutation, bool isLed)
    {
        var cluster = new DatabaseCluster(adapt: options => options with { Mutation = Enum.Parse<DatabaseMutation>(mutation) });
        cluster.Put("k", "1");
        cluster.Transfer(1);
        cluster.Run(() => cluster.Nodes.All(node => cluster.Groups(node.Value).All(group => group.Quiescent)), 60);
        cluster.Lose(1);
        cluster.Run(Duration.FromSeconds(20));
        Assert.Equal(isLed, cluster.Nodes.Any(node => cluster.Groups(node.Value).Any(group => group.Role == "Leader")));
    }

    [Fact]
    public void A_range_that_nobody_asks_for_gets_its_lost_replica_back()
    {
        var cluster = new DatabaseCluster();
        cluster.Put("k", "1");
        cluster.Transfer(1);
        cluster.Run(() => cluster.Groups(1).All(group => group.Quiescent), 60);
        cluster.Run(Duration.FromSeconds(5));
        cluster.Lose(3);
        cluster.Run(Duration.FromSeconds(20));
        Assert.True(Assert.Single(cluster.Groups(3)).Applied >= 0);
    }

    /// <summary>With its disk it forgot how often it had started, and which names it gave.</summary>
    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.GroupsOfAFormerLife), false)]
    public void A_node_that_lost_its_disk_names_no_group_as_it_did_before(string mutation, bool areNew)
    {
        var cluster = new DatabaseCluster(adapt: options => options with { Mutation = Enum.Parse<DatabaseMutation>(mutation) });
        cluster.Split("m", 1);
        var before = cluster.RangeOf("z").Group;
        cluster.Lose(1);
        cluster.Run(() => cluster.Groups(1).Count == 2 && cluster.Groups(1).All(group => group.Applied >= 0), 60);
        cluster.Transfer(1, "a");
        var split = new Api.Request
        {
            Group = cluster.RangeOf("a").Group,
            Split = new Api.Split { At = Google.Protobuf.ByteString.CopyFromUtf8("c"), PreferredLeader = 1 },
        };
        Assert.Equal(areNew, cluster.Wait(cluster.Send(new NodeId(1), split)).Directory.Ranges[1].Group != before);
    }

    /// <summary>
    /// Whoever would tell it of the split again is gone: one member lost its disk before it, another one after, each taken in again in
    /// between.
    /// </summary>
    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.SplitToBeLearnedAgain), false)]
    public void A_replica_of_a_successor_outlives_a_crash_though_the_retired_group_is_gone(string mutation, bool isWhole)
    {
        ulong[] seeds = [1, 2, 3, 4];
        Assert.Equal(isWhole, Array.TrueForAll(seeds, seed => SurvivesTheRetired(seed, Enum.Parse<DatabaseMutation>(mutation))));
    }

    private static bool SurvivesTheRetired(ulong seed, DatabaseMutation mutation)
    {
        var cluster = new DatabaseCluster(seed, options => options with { Mutation = mutation });
        cluster.Put("k", "1");
        cluster.Transfer(1);
        cluster.Lose(3);
        cluster.Run(() => IsWhole(cluster), 60);
        cluster.Lose(1);
        cluster.Cluster.Crash(new NodeId(2));
        cluster.Cluster.StartAfter(new NodeId(2), Duration.Zero);
        return cluster.World.RunUntil(() => IsWhole(cluster), cluster.World.Elapsed + Duration.FromSeconds(60));
    }

    /// <summary>A late word of what a node was, or will be, has a group made for that: the node as it is takes no part in it.</summary>
    [Fact]
    public void A_node_holds_no_replica_of_a_group_of_which_another_incarnation_is_a_member()
    {
        var cluster = new DatabaseCluster();
        cluster.Put("k", "1");
        cluster.Transfer(1);
        var (leader, node) = (new NodeId(1), new NodeId(3));
        var before = cluster.RangeOf("k").Group;
        cluster.Network.Block(node.Value, leader.Value);
        for (var beat = 0; cluster.RangeOf("k").Group == before; beat++)
        {
            Assert.True(beat < 200);
            cluster.Cluster[leader].Receive(node, new NodeMessage.Heartbeat(1_000, 99));
            cluster.Run(Duration.FromMilliseconds(50));
        }

        cluster.Run(Duration.FromSeconds(1));
        Assert.Empty(cluster.Groups(3));
        cluster.Cluster.Crash(node);
        cluster.Cluster.StartAfter(node, Duration.Zero);
        cluster.Run(Duration.FromSeconds(1));
        Assert.Empty(cluster.Groups(3));
        cluster.Network.Heal();
        cluster.Run(() => IsWhole(cluster), 60);
        Assert.Equal("1", cluster.Get("k"));
    }

    /// <summary>Whether every node holds the one range, with state.</summary>
    private static bool IsWhole(DatabaseCluster cluster)
    {
        if (!cluster.Nodes.All(cluster.Cluster.IsUp))
        {
            return false;
        }

        var groups = cluster.Nodes.Select(node => cluster.Groups(node.Value)).ToList();
        return groups.TrueForAll(held => held.Count == 1 && held[0].Applied >= 0 && held[0].Range.Group == groups[0][0].Range.Group);
    }
}
