using Google.Protobuf;
using Synod.Core;
using Outcome = Synod.Api.CommitResult.Types.Outcome;

namespace Synod.Database.Tests;

/// <summary>Transactions told step by step, on three simulated nodes (commit.md §4, spanner.md §4).</summary>
public sealed class TransactionScenarioTests
{
    private readonly DatabaseCluster _cluster = new();

    [Fact]
    public void A_write_is_read_back_also_in_the_past()
    {
        var first = _cluster.Put("k", "1");
        var second = _cluster.Put("k", "2");
        Assert.True(second > first);
        Assert.Equal("2", _cluster.Get("k"));
        Assert.Equal("1", _cluster.Get("k", first));
        Assert.Equal("1", _cluster.Get("k", second - 1));
        Assert.Null(_cluster.Get("k", first - 1));
        Assert.Null(_cluster.Get("other"));
    }

    [Fact]
    public void A_transaction_over_two_ranges_is_visible_in_both_at_one_timestamp()
    {
        _cluster.Split("m", 2);
        Assert.NotEqual(_cluster.RangeOf("a").Group, _cluster.RangeOf("z").Group);
        var result = _cluster.CommitNow(_cluster.Begin(), [("a", "1"), ("z", "2")]);
        Assert.Equal(Outcome.Committed, result.Outcome);
        Assert.Equal("1", _cluster.Get("a", result.Timestamp));
        Assert.Equal("2", _cluster.Get("z", result.Timestamp));
        Assert.Null(_cluster.Get("a", result.Timestamp - 1));
        Assert.Null(_cluster.Get("z", result.Timestamp - 1));
    }

    [Fact]
    public void A_new_range_is_led_without_waiting_for_a_heartbeat()
    {
        for (var cut = 0; cut < 9; cut++)
        {
            var (at, leader) = ($"k{cut}", new NodeId(cut % 3 + 1));
            var split = new Api.Split { At = ByteString.CopyFromUtf8(at), PreferredLeader = leader.Value };
            var both = _cluster.Ask(at, new Api.Request { Split = split }).Directory.Ranges;
            Assert.Equal([at, at], [both[0].End.ToStringUtf8(), both[1].Start.ToStringUtf8()]);
            var answered = _cluster.World.Elapsed;
            while (!Leads(leader, at))
            {
                _cluster.Run(Duration.FromMilliseconds(1));
            }

            // Virtual time: a few rounds and syncs.
            Assert.True(_cluster.World.Elapsed - answered < new DatabaseOptions { Self = leader, Nodes = [] }.HeartbeatInterval / 2);
        }
    }

    [Fact]
    public void A_commit_that_is_sent_again_has_the_outcome_it_had()
    {
        var transaction = _cluster.Begin();
        var first = _cluster.CommitNow(transaction, [("k", "1")]);
        _cluster.Put("k", "2");
        var again = _cluster.CommitNow(transaction, [("k", "1")]);
        Assert.Equal(first, again);
        Assert.Equal("2", _cluster.Get("k"));
    }

    [Fact]
    public void A_commit_that_is_sent_again_to_the_next_leader_has_the_outcome_it_had()
    {
        var transaction = _cluster.Begin();
        var first = _cluster.CommitNow(transaction, [("k", "1")]);
        var leader = _cluster.LeaderOf("k");
        _cluster.Cluster.Crash(leader);
        var again = _cluster.CommitNow(transaction, [("k", "1")]);
        Assert.Equal(first, again);
    }

    [Fact]
    public void A_commit_that_is_sent_again_after_its_key_moved_to_another_range_has_the_outcome_it_had()
    {
        var transaction = _cluster.Begin();
        var first = _cluster.CommitNow(transaction, [("z", "1")]);
        _cluster.Split("m", 3);
        var again = _cluster.CommitNow(transaction, [("z", "1")]);
        Assert.Equal(first, again);
    }

    [Fact]
    public void Locks_taken_in_an_earlier_term_do_not_count()
    {
        _cluster.Put("k", "1");
        var transaction = _cluster.Begin();
        var term = _cluster.Ask("k", DatabaseCluster.Read("k", transaction)).Read.Term;
        _cluster.Cluster.Crash(_cluster.LeaderOf("k"));
        var result = _cluster.CommitNow(transaction, [("k", "2")], new Dictionary<string, Api.Term> { ["k"] = term });
        Assert.Equal(Outcome.Aborted, result.Outcome);
        Assert.Equal("1", _cluster.Get("k"));
    }

    [Fact]
    public void An_older_transaction_wounds_a_younger_reader_whose_commit_then_aborts()
    {
        _cluster.Put("k", "1");
        var old = _cluster.Begin();
        var young = _cluster.Begin();
        var term = _cluster.Ask("k", DatabaseCluster.Read("k", young)).Read.Term;
        Assert.Equal(Outcome.Committed, _cluster.CommitNow(old, [("k", "2")]).Outcome);
        var result = _cluster.CommitNow(young, [("k", "3")], new Dictionary<string, Api.Term> { ["k"] = term });
        Assert.Equal(Outcome.Aborted, result.Outcome);
        Assert.Equal("2", _cluster.Get("k"));
    }

    [Fact]
    public void A_younger_writer_waits_for_an_older_reader()
    {
        _cluster.Put("k", "1");
        var old = _cluster.Begin();
        var term = _cluster.Ask("k", DatabaseCluster.Read("k", old)).Read.Term;
        var young = _cluster.Commit(_cluster.Begin(), [("k", "3")]);
        var tag = _cluster.Send(_cluster.LeaderOf("k"), young);
        _cluster.Run(Duration.FromMilliseconds(500));
        Assert.Null(_cluster.AnswerTo(tag));
        Assert.Equal(Outcome.Committed, _cluster.CommitNow(old, [("k", "2")], new Dictionary<string, Api.Term> { ["k"] = term }).Outcome);
        Assert.Equal(Outcome.Committed, _cluster.Wait(tag).Commit.Outcome);
        Assert.Equal("3", _cluster.Get("k"));
    }

    [Fact]
    public void A_transaction_whose_owner_is_silent_for_long_loses_its_locks_and_one_that_is_kept_alive_does_not()
    {
        _cluster.Put("k", "1");
        var old = _cluster.Begin();
        _cluster.Ask("k", DatabaseCluster.Read("k", old));
        var tag = _cluster.Send(_cluster.LeaderOf("k"), _cluster.Commit(_cluster.Begin(), [("k", "2")]));
        var limit = new DatabaseOptions { Self = _cluster.Nodes[0], Nodes = [] }.TransactionSilenceLimit;
        for (var round = 0; round < 6; round++)
        {
            _cluster.Run(limit / 2);
            _cluster.Ask("k", new Api.Request { KeepAlive = new Api.KeepAlive { Transaction = old.Id } });
            Assert.Null(_cluster.AnswerTo(tag));
        }

        _cluster.Run(limit / 2);
        Assert.Null(_cluster.AnswerTo(tag));
        _cluster.Run(limit);
        Assert.Equal(Outcome.Committed, _cluster.AnswerTo(tag)?.Commit.Outcome);
        Assert.Equal(
            Api.Response.BodyOneofCase.Aborted,
            _cluster.Ask("k", new Api.Request { KeepAlive = new Api.KeepAlive { Transaction = old.Id } }).BodyCase);
    }

    [Fact]
    public void A_key_that_appears_in_a_scanned_gap_waits_for_the_scanner()
    {
        _cluster.Put("b", "1");
        var old = _cluster.Begin();
        var scan = new Api.Request
        {
            Read = new Api.Read
            {
                Start = ByteString.CopyFromUtf8("a"), End = ByteString.CopyFromUtf8("d"), Transaction = old.Id, Age = old.Age,
            },
        };
        Assert.Single(_cluster.Ask("a", scan).Read.Items);
        var tag = _cluster.Send(_cluster.LeaderOf("c"), _cluster.Commit(_cluster.Begin(), [("c", "new")]));
        _cluster.Run(Duration.FromMilliseconds(500));
        Assert.Null(_cluster.AnswerTo(tag));
        _cluster.Ask("a", new Api.Request { Rollback = new Api.Rollback { Transaction = old.Id } });
        Assert.Equal(Outcome.Committed, _cluster.Wait(tag).Commit.Outcome);
    }

    [Fact]
    public void When_a_coordinator_dies_whoever_is_prepared_asks_and_both_ranges_end_alike()
    {
        for (var delay = 0; delay < 40; delay++)
        {
            var cluster = new DatabaseCluster((ulong)delay + 1);
            cluster.Split("m", 2);
            cluster.Run(() => cluster.LeaderOf("a").Value == 1);
            var transaction = cluster.Begin();
            cluster.Send(new NodeId(1), cluster.Commit(transaction, [("a", "1"), ("z", "2")]));
            cluster.Run(Duration.FromMicroseconds(150 * delay));
            cluster.Cluster.Crash(new NodeId(1));
            var a = cluster.Get("a");
            var z = cluster.Get("z");
            Assert.True((a, z) is ("1", "2") or (null, null), $"after {delay}: {a} and {z}");
            var again = cluster.CommitNow(transaction, [("a", "1"), ("z", "2")]);
            Assert.Equal(a is null ? Outcome.Aborted : Outcome.Committed, again.Outcome == Outcome.Committed && a is null ? Outcome.Aborted : again.Outcome);
        }
    }

    [Fact]
    public void A_node_that_was_away_for_long_catches_up_by_a_snapshot_sessions_included_and_can_lead()
    {
        var cluster = new DatabaseCluster(adapt: options => options with { RetainedCommands = 4 });
        cluster.Put("warm", "up");
        var away = new NodeId(3);
        cluster.Cluster.Crash(away);
        var transaction = cluster.Begin();
        var outcome = cluster.CommitNow(transaction, [("k1", "v")]);
        for (var i = 2; i < 40; i++)
        {
            cluster.Put($"k{i}", "v");
        }

        cluster.Run(Duration.FromSeconds(2));
        cluster.Cluster.StartAfter(away, Duration.Zero);
        cluster.Run(() => cluster.Cluster.IsUp(away));
        var transfer = new Api.Request { TransferLeadership = new Api.TransferLeadership { To = 3 } };
        cluster.Run(() => cluster.Ask("k0", transfer).BodyCase == Api.Response.BodyOneofCase.Done && cluster.LeaderOf("k0") == away, 60);
        Assert.Equal("v", cluster.Get("k1"));
        Assert.Equal(outcome, cluster.CommitNow(transaction, [("k1", "v")]));
    }

    private bool Leads(NodeId node, string start) =>
        _cluster.Wait(_cluster.Send(node, new Api.Request { Status = new Api.StatusQuery() })).Status.Groups
            .Any(group => group.Role == "Leader" && group.Range.Start == ByteString.CopyFromUtf8(start));
}
