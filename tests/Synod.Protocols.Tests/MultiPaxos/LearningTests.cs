using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;
using Record = Synod.Protocols.Consensus.MultiPaxos.Record;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>paxos.md §3.3 and §8: catching up by log and by snapshot, and what survives checkpoints and restarts.</summary>
public sealed class LearningTests
{
    private static readonly MultiPaxosOptions Short = new() { RetainedSlots = 4, ChunkEntries = 3, IdleHeartbeats = 0 };

    [Fact]
    public void A_lagging_replica_catches_up_by_log()
    {
        var cluster = WithLaggard(new MultiPaxosOptions { ChunkEntries = 3, IdleHeartbeats = 0 }, 20);
        cluster[3].Start();
        cluster.Advance(Duration.FromSeconds(1));
        Assert.Equal(cluster[1].State.Commands, cluster[3].State.Commands);
        Assert.DoesNotContain(cluster[3].Durable, record => record is Record.Chosen { SnapshotAt.Value: > 0 });
    }

    [Fact]
    public void A_replica_behind_the_log_gets_a_snapshot()
    {
        var cluster = WithLaggard(Short, 20);
        cluster[3].Start();
        cluster.Advance(Duration.FromSeconds(1));
        Assert.Equal(cluster[1].State.Commands, cluster[3].State.Commands);
        Assert.Contains(cluster[3].Durable, record => record is Record.Chosen { SnapshotAt.Value: > 0 });
    }

    [Fact]
    public void A_lost_chunk_is_asked_for_again_and_a_lost_view_starts_again()
    {
        var cluster = WithLaggard(Short, 20);
        cluster[3].Start();
        cluster.Advance(Duration.FromMilliseconds(90));
        cluster[3].Receive(new NodeId(1), new Message.Heartbeat(
            cluster[1].Paxos.Ballot, cluster[1].Paxos.Chosen, 1, Timestamp.Zero, Duration.Zero));
        cluster.Wire.Clear();
        cluster[3].Fire(new TimerId((int)MultiPaxosTimer.CatchUp));
        cluster.Deliver(3, 1, message => message is Message.Fetch);
        cluster.Deliver(1, 3, message => message is Message.InstallSnapshot { Chunk.Index: 0 });
        Assert.Equal(new Slot(-1), cluster[3].State.Applied);
        cluster.Deliver(3, 1, message => message is Message.FetchSnapshot { Index: 1 });
        cluster.Wire.Clear();
        cluster[1].State.CloseView(new NodeId(3));
        cluster.Advance(Duration.FromSeconds(1));
        Assert.Equal(cluster[1].State.Commands, cluster[3].State.Commands);
    }

    [Fact]
    public void A_late_question_does_not_send_the_reader_back_to_the_start()
    {
        var cluster = WithLaggard(Short, 20);
        var (sender, reader) = (cluster[1], new NodeId(3));
        cluster.Wire.Clear();
        sender.Receive(reader, new Message.FetchSnapshot(Slot.None, 0));
        var at = Assert.IsType<Message.InstallSnapshot>(Assert.Single(cluster.Wire).Message).Chunk.At;
        sender.Receive(reader, new Message.FetchSnapshot(at, 1));
        sender.Receive(reader, new Message.FetchSnapshot(at, 2));
        cluster.Wire.Clear();
        sender.Receive(reader, new Message.FetchSnapshot(at, 1));
        Assert.Empty(cluster.Wire);
        Assert.Equal(Refusal.Duplicate, sender.Refusals[^1]);

        // The last one may have been lost.
        sender.Receive(reader, new Message.FetchSnapshot(at, 2));
        Assert.Equal(2, Assert.IsType<Message.InstallSnapshot>(Assert.Single(cluster.Wire).Message).Chunk.Index);
    }

    [Fact]
    public void A_first_chunk_that_comes_twice_begins_one_installation()
    {
        var cluster = WithLaggard(Short, 20);
        cluster[3].State = ListState.Absent();
        cluster[3].Start();
        cluster[1].Receive(new NodeId(3), new Message.FetchSnapshot(Slot.None, 0));
        var first = (Message.InstallSnapshot)cluster.Deliver(1, 3, message => message is Message.InstallSnapshot);
        cluster.Deliver(3, 1, message => message is Message.FetchSnapshot { Index: 1 });
        cluster[3].Receive(new NodeId(1), first);
        Assert.Equal(Refusal.Unexpected, cluster[3].Refusals[^1]);
        cluster.Deliver(1, 3, message => message is Message.InstallSnapshot { Chunk.Index: 1 });
        Assert.Contains(cluster.Wire, sent => sent.Message is Message.FetchSnapshot { Index: 2 });
    }

    [Fact]
    public void Each_snapshot_that_does_not_come_doubles_the_wait()
    {
        var cluster = TestCluster.Majority(3, Short);
        var absent = cluster[3];
        absent.State = ListState.Absent();
        absent.Start();
        var timer = new TimerId((int)MultiPaxosTimer.CatchUp);
        var waits = new List<Duration>();
        for (var call = 0; call < 8; call++)
        {
            waits.Add(absent.Timers[timer] - absent.Monotonic);
            cluster.Now += waits[^1].Nanoseconds;
            absent.Fire(timer);
        }

        Assert.Equal(new long[] { 1, 2, 4, 8, 16, 32, 64, 64 }, waits.Select(wait => wait.Nanoseconds / Short.HeartbeatInterval.Nanoseconds));
    }

    [Fact]
    public void A_snapshot_never_takes_a_replica_back()
    {
        var cluster = WithLaggard(Short, 5);
        var old = new SnapshotChunk(new Slot(2), 0, true, new byte[] { 0 });
        cluster[2].Receive(new NodeId(1), new Message.InstallSnapshot(old));
        Assert.Contains(Refusal.Duplicate, cluster[2].Refusals);
        Assert.Equal(5, cluster[2].State.Commands.Count);
    }

    [Fact]
    public void A_replica_without_state_accepts_does_not_stand_and_asks_for_a_snapshot()
    {
        var cluster = TestCluster.Majority(3);
        cluster[3].State = ListState.Absent();
        cluster.StartAll();
        cluster.Submit(3, new Command.Campaign());
        Assert.Equal(PaxosRole.Follower, cluster[3].Paxos.Role);
        cluster.Elect(1, 1, 3);
        cluster.Propose(1, "a");
        cluster.Settle(1, 3);
        Assert.Equal(["a"], cluster[1].State.Commands.Values);
        cluster.Advance(Duration.FromSeconds(1), 1, 3);
        Assert.Equal(["a"], cluster[3].State.Commands.Values);
    }

    [Fact]
    public void A_checkpoint_keeps_what_is_needed_and_nothing_else()
    {
        var cluster = TestCluster.Majority(3, Short);
        cluster.StartAll();
        cluster.Elect(1);
        Commit(cluster, 10, "before");
        var replica = cluster[1];
        replica.BeginCheckpoint();
        replica.State.Flush();
        Commit(cluster, 10, "after");
        replica.Checkpoint();
        Assert.Equal(10, replica.Durable.Count(record => record is Record.Accepted { Value.IsEmpty: false }));
        var (ballot, commands) = (replica.Paxos.Ballot, replica.State.Commands.ToList());

        replica.Crash();
        replica.Start();
        Assert.Equal(ballot, replica.Paxos.Ballot);
        Assert.Equal(commands, replica.State.Commands);
        Assert.Equal(new Slot(21), replica.Paxos.Executed);
    }

    [Fact]
    public void An_acceptor_that_dropped_slots_says_so()
    {
        var cluster = TestCluster.Majority(3, Short with { LeasesEnabled = false });
        cluster.StartAll();
        cluster.Elect(1);
        Commit(cluster, 10, "v");
        cluster[1].BeginCheckpoint();
        cluster[1].State.Flush();
        cluster[1].Checkpoint();
        cluster[1].Crash();
        cluster[1].Start();
        cluster.Wire.Clear();
        var high = new Ballot(9, new NodeId(3));
        cluster[1].Receive(high.Node, new Message.Prepare(high, new Slot(1), Ballot.None));
        var promise = Assert.IsType<Message.Promise>(cluster.Wire[^1].Message);
        Assert.Equal(cluster[1].State.Applied, promise.Floor);
        Assert.All(promise.Report, entry => Assert.True(entry.Slot > promise.Floor));
    }

    [Fact]
    public void What_a_snapshot_covered_is_accepted_still_if_the_snapshot_is_lost()
    {
        var cluster = WithLaggard(Short, 20);
        var laggard = cluster[3];
        laggard.State.FlushesInstallations = false;
        laggard.State.WipeReachesDisk = false;
        laggard.Start();
        cluster.Advance(Duration.FromSeconds(1));
        Assert.Equal(20, laggard.State.Commands.Count);
        laggard.Crash();
        laggard.Start();
        Assert.Empty(laggard.State.Commands);
        Assert.Equal(Slot.None, laggard.Paxos.Chosen);
        cluster.Advance(Duration.FromSeconds(1));
        Assert.Equal(cluster[1].State.Commands, laggard.State.Commands);
    }

    [Fact]
    public void A_snapshot_that_the_state_does_not_take_is_refused_and_a_later_one_asked_for()
    {
        var cluster = WithLaggard(Short, 5);
        cluster[3].State = ListState.Absent();
        cluster[3].State.Least = cluster[1].State.Applied.Next;
        cluster[3].Start();
        cluster.Advance(Duration.FromSeconds(1));
        Assert.Equal(new Slot(-1), cluster[3].State.Applied);
        Assert.Contains(Refusal.NotReady, cluster[3].Refusals);
        Commit(cluster, 1, "later");
        cluster.Advance(Duration.FromSeconds(10));
        Assert.Equal(cluster[1].State.Commands, cluster[3].State.Commands);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_kept_as_chosen_is_executed_after_a_restart_with_nobody_to_ask(bool isKept)
    {
        var cluster = TestCluster.Majority(3);
        cluster.StartAll();
        cluster.Elect(1);
        Commit(cluster, 3, "v");
        cluster.Advance(Duration.FromMilliseconds(300));
        var (replica, commands) = (cluster[2], cluster[2].State.Commands.ToList());
        Assert.Equal(3, commands.Count);
        if (isKept)
        {
            cluster.Submit(2, new Command.KeepChosen());
        }

        replica.Crash();
        replica.Start();
        cluster.Advance(Duration.FromSeconds(1), 2);
        Assert.Equal(isKept ? commands : [], replica.State.Commands);
    }

    [Fact]
    public void A_lost_accept_is_sent_again()
    {
        var cluster = TestCluster.Majority(3, Short);
        cluster.StartAll();
        cluster.Elect(1);
        cluster.Propose(1, "lost");
        cluster.Settle(1);
        Assert.Equal(new Slot(1), cluster[1].Paxos.Chosen);
        cluster.Advance(Duration.FromMilliseconds(300));
        Assert.All(cluster.Replicas.Values, replica => Assert.Equal(["lost"], replica.State.Commands.Values));
        Assert.Equal(new Slot(2), cluster[1].Paxos.Progress(new NodeId(3)));
    }

    private static TestCluster WithLaggard(MultiPaxosOptions options, int commands)
    {
        var cluster = TestCluster.Majority(3, options);
        cluster[1].Start();
        cluster[2].Start();
        cluster.Elect(1);
        Commit(cluster, commands, "v");
        cluster.Advance(Duration.FromMilliseconds(300));
        return cluster;
    }

    private static void Commit(TestCluster cluster, int count, string name)
    {
        for (var index = 0; index < count; index++)
        {
            cluster.Propose(1, $"{name}{index}");
            cluster.Settle();
        }
    }
}
