using System.Collections.Immutable;
using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;
using Record = Synod.Protocols.Consensus.MultiPaxos.Record;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>paxos.md §3.2, §3.3, §6: becoming leader, counting, and which sets suffice.</summary>
public sealed class ElectionTests
{
    private static readonly MultiPaxosOptions Plain = new() { LeasesEnabled = false, PreVoteEnabled = false };

    [Fact]
    public void The_value_of_the_highest_ballot_is_adopted()
    {
        var cluster = TestCluster.Majority(5, Plain);
        cluster.StartAll();
        Accept(cluster[1], new Ballot(3, new NodeId(2)), 1, "high");
        Accept(cluster[2], new Ballot(2, new NodeId(1)), 1, "low");
        Outbid(cluster, 3, 1, 2, 3);
        Assert.Equal("high", cluster.Agreed[new Slot(1)]);
    }

    /// <summary>Scenario 4: 5 and 7 accepted, 6 lost.</summary>
    [Fact]
    public void Gaps_are_filled_with_NoOps_and_numbering_goes_on_after_the_highest()
    {
        var cluster = TestCluster.Majority(3, Plain);
        cluster.StartAll();
        Accept(cluster[1], new Ballot(2, new NodeId(2)), 5, "five");
        Accept(cluster[1], new Ballot(2, new NodeId(2)), 7, "seven");
        Outbid(cluster, 3, 1, 3);
        Assert.Equal(["", "", "", "", "five", "", "seven", ""], cluster.Agreed.Values);
        cluster.Propose(3, "next");
        cluster.Settle(1, 3);
        Assert.Equal("next", cluster.Agreed[new Slot(9)]);
        Assert.Equal(["five", "seven", "next"], cluster[3].State.Commands.Values);
    }

    [Fact]
    public void A_promise_counts_with_its_last_chunk()
    {
        var cluster = TestCluster.Majority(3, Plain with { ChunkEntries = 2 });
        cluster.StartAll();
        for (var slot = 1; slot <= 5; slot++)
        {
            Accept(cluster[1], new Ballot(1, new NodeId(2)), slot, $"v{slot}");
        }

        cluster.Submit(3, new Command.Campaign());
        cluster.Deliver(3, 3);
        for (var chunk = 0; chunk < 2; chunk++)
        {
            cluster.Deliver(3, 1, message => message is Message.Prepare);
            var promise = Assert.IsType<Message.Promise>(cluster.Deliver(1, 3, message => message is Message.Promise));
            Assert.False(promise.IsLast);
            Assert.Equal(PaxosRole.Candidate, cluster[3].Paxos.Role);
        }

        cluster.Settle(1, 3);
        Assert.Equal(PaxosRole.Leader, cluster[3].Paxos.Role);
        Assert.Equal(["v1", "v2", "v3", "v4", "v5", ""], cluster.Agreed.Values);
    }

    [Fact]
    public void Own_acceptance_counts_after_own_fsync_and_duplicates_once()
    {
        var cluster = TestCluster.Majority(3, Plain);
        cluster.StartAll();
        cluster.Elect(1);
        cluster.AutoFsync = false;
        cluster.Propose(1, "a");
        cluster.Deliver(1, 2, message => message is Message.Accept);
        cluster[2].Fsync();
        var accepted = cluster.Deliver(2, 1, message => message is Message.Accepted);
        cluster[1].Receive(new NodeId(2), accepted);
        Assert.Equal(new Slot(1), cluster[1].Paxos.Chosen);
        cluster[1].Fsync();
        cluster.Deliver(1, 1);
        Assert.Equal(new Slot(2), cluster[1].Paxos.Chosen);
    }

    [Fact]
    public void A_rejected_leader_steps_down_and_outbids()
    {
        var cluster = TestCluster.Majority(3, Plain);
        cluster.StartAll();
        cluster.Elect(1);
        var higher = new Ballot(99, new NodeId(3));
        cluster[1].Receive(new NodeId(2), new Message.Reject(cluster[1].Paxos.Ballot, higher));
        Assert.Equal(PaxosRole.Follower, cluster[1].Paxos.Role);
        Assert.False(cluster[1].Paxos.IsReady);
        cluster.Elect(1);
        Assert.True(cluster[1].Paxos.Ballot > higher);
    }

    [Fact]
    public void A_round_is_not_used_again_after_a_restart()
    {
        var cluster = TestCluster.Majority(3, Plain);
        cluster.StartAll();
        cluster.AutoFsync = false;
        cluster.Submit(1, new Command.Campaign());
        Assert.Empty(cluster.Wire);
        cluster[1].Fsync();
        Assert.NotEmpty(cluster.Wire);
        var before = cluster[1].Paxos.Ballot;
        cluster[1].Crash();
        cluster[1].Start();
        cluster.Submit(1, new Command.Campaign());
        Assert.True(cluster[1].Paxos.Ballot > before);
    }

    [Fact]
    public void A_cut_off_follower_asks_before_it_raises_ballots()
    {
        var cluster = TestCluster.Majority(3);
        cluster.StartAll();
        cluster.Elect(1);
        var ballot = cluster[1].Paxos.Ballot;
        cluster.Advance(Duration.FromSeconds(10), 1, 2);
        Assert.Equal(PaxosRole.PreCandidate, cluster[3].Paxos.Role);
        cluster.Advance(Duration.FromSeconds(5));
        Assert.All(cluster.Replicas.Values, replica => Assert.Equal(ballot, replica.Paxos.Ballot));
        Assert.Equal(new NodeId(1), cluster[3].Paxos.Leader);
    }

    [Fact]
    public void A_leader_without_answers_steps_down()
    {
        var cluster = TestCluster.Majority(3, new MultiPaxosOptions { IdleHeartbeats = 0 });
        cluster.StartAll();
        cluster.Elect(1);
        cluster.Advance(Duration.FromSeconds(2), 1);
        Assert.NotEqual(PaxosRole.Leader, cluster[1].Paxos.Role);
        Assert.IsType<Result.NotLeader>(cluster.Answers[cluster.Propose(1, "a")]);
    }

    /// <summary>Scenario 6: commits go on with two of five, elections need four.</summary>
    [Fact]
    public void Four_elect_and_two_replicate_of_five()
    {
        var cluster = new TestCluster(new SizedQuorums(TestCluster.Members(5), 4, 2));
        cluster.StartAll();
        cluster.Elect(1);
        cluster[3].Crash();
        cluster[4].Crash();
        cluster[5].Crash();
        cluster.Propose(1, "with two");
        cluster.Settle();
        Assert.Contains("with two", cluster.Agreed.Values);

        cluster[1].Crash();
        cluster[3].Start();
        cluster[4].Start();
        cluster.Advance(Duration.FromSeconds(10));
        Assert.DoesNotContain(cluster.Replicas.Values, replica => replica.IsUp && replica.Paxos.Role == PaxosRole.Leader);
        cluster[5].Start();
        var leader = cluster.AwaitLeader();
        Assert.Equal(["with two"], leader.State.Commands.Values);
    }

    [Fact]
    public void A_column_elects_and_a_row_replicates()
    {
        var cluster = new TestCluster(new GridQuorums(TestCluster.Members(4), 2, 2));
        cluster.StartAll();
        cluster.Submit(1, new Command.Campaign());
        cluster.Settle(1, 2);
        Assert.NotEqual(PaxosRole.Leader, cluster[1].Paxos.Role);
        cluster.Advance(Duration.FromMilliseconds(100), 1, 3);
        Assert.Equal(PaxosRole.Leader, cluster[1].Paxos.Role);
        Assert.False(cluster[1].Paxos.IsReady);
        cluster.Advance(Duration.FromMilliseconds(300), 1, 2);
        Assert.True(cluster[1].Paxos.IsReady);
    }

    [Fact]
    public void A_heavy_member_replicates_alone_and_elects_with_another()
    {
        var weights = ImmutableArray.Create(3, 1, 1, 1);
        var cluster = new TestCluster(new WeightedQuorums(TestCluster.Members(4), weights, 4, 3));
        cluster.StartAll();
        cluster.Submit(1, new Command.Campaign());
        cluster.Settle(1);
        Assert.NotEqual(PaxosRole.Leader, cluster[1].Paxos.Role);
        cluster.Advance(Duration.FromMilliseconds(100), 1, 4);
        Assert.True(cluster[1].Paxos.IsReady);
        cluster.Propose(1, "alone");
        cluster.Settle(1);
        Assert.Contains("alone", cluster.Agreed.Values);
    }

    [Fact]
    public void Unsafe_quorums_are_refused_with_the_reason()
    {
        var refused = Assert.Throws<ArgumentException>(() => new MultiPaxos(
            new NodeId(1), new SizedQuorums(TestCluster.Members(4), 2, 2), Plain, new ListState()));
        Assert.Contains("2 + 2 is not more than 4", refused.Message, StringComparison.Ordinal);
    }

    private static void Accept(Replica replica, Ballot ballot, long slot, string value) =>
        replica.Receive(ballot.Node, new Message.Accept(new Record.Accepted(new Slot(slot), ballot, Values.Of(value)), Slot.None));

    // The first candidacy may learn of higher ballots, the second exceeds them.
    private static void Outbid(TestCluster cluster, int id, params int[] among)
    {
        for (var tries = 0; tries < 3 && !cluster[id].Paxos.IsReady; tries++)
        {
            cluster.Submit(id, new Command.Campaign());
            cluster.Settle(among);
        }

        Assert.True(cluster[id].Paxos.IsReady);
    }
}
