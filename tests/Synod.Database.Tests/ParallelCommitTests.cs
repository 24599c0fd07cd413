using Synod.Core;
using Synod.Database.Transactions;
using Synod.Simulation;
using Outcome = Synod.Api.CommitResult.Types.Outcome;

namespace Synod.Database.Tests;

/// <summary>
/// Parallel commit told step by step (commit.md §5.3, §5.4, §5.8): node 1 leads the range of "a" and coordinates, node 2 leads the
/// range of "z" and takes part. Each rule with the mistake that it prevents.
/// </summary>
public sealed class ParallelCommitTests
{
    private static readonly NodeId One = new(1);
    private static readonly NodeId Two = new(2);
    private static readonly NodeId Three = new(3);

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), false)]
    [InlineData(nameof(DatabaseMutation.PresumeAbortOfStaged), true)]
    [InlineData(nameof(DatabaseMutation.ResolveImplicitCommit), true)]
    public void What_was_acknowledged_stands_though_the_coordinator_dies_at_once(string mutation, bool isLost)
    {
        var lost = 0;
        for (ulong seed = 1; seed <= 25 && lost == 0; seed++)
        {
            var cluster = Ranges(mutation, seed);
            var result = cluster.Wait(cluster.Send(One, cluster.Commit(cluster.Begin(), [("a", "1"), ("z", "2")]))).Commit;
            Assert.Equal(Outcome.Committed, result.Outcome);
            cluster.Cluster.Crash(One);
            lost += (cluster.Get("a", result.Timestamp), cluster.Get("z", result.Timestamp)) == ("1", "2") ? 0 : 1;
        }

        Assert.Equal(isLost, lost > 0);
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), false)]
    [InlineData(nameof(DatabaseMutation.AcknowledgeStage), true)]
    public void A_stage_alone_commits_nothing(string mutation, bool isLost)
    {
        var cluster = Ranges(mutation);
        cluster.Network.Block(1, 2);
        var transaction = cluster.Begin();
        var tag = cluster.Send(One, cluster.Commit(transaction, [("a", "1"), ("z", "2")]));
        cluster.Run(Duration.FromMilliseconds(300));
        var isAcknowledged = cluster.AnswerTo(tag) is not null;
        cluster.Cluster.Crash(One);
        cluster.Network.Heal();
        Assert.Equal((null, null), (cluster.Get("a"), cluster.Get("z")));
        Assert.Equal(Outcome.Aborted, cluster.CommitNow(transaction, [("a", "1"), ("z", "2")]).Outcome);
        Assert.Equal(isLost, isAcknowledged);
    }

    [Fact]
    public void Who_finds_a_commit_that_nobody_was_told_of_commits_it()
    {
        var cluster = Ranges();
        var transaction = cluster.Begin();
        StageWithoutVote(cluster, transaction);
        cluster.Cluster.Crash(One);
        cluster.Network.Heal();
        Assert.Equal(("1", "2"), (cluster.Get("a"), cluster.Get("z")));
        Assert.Equal(Outcome.Committed, cluster.CommitNow(transaction, [("a", "1"), ("z", "2")]).Outcome);
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), Outcome.Aborted)]
    [InlineData(nameof(DatabaseMutation.FenceNotKept), Outcome.Committed)]
    [InlineData(nameof(DatabaseMutation.MissingMeansPrevented), Outcome.Committed)]
    public void After_a_participant_has_said_never_it_does_not_prepare(string mutation, Outcome outcome)
    {
        var cluster = Ranges(mutation);
        var transaction = cluster.Begin();
        var query = new NodeMessage.QueryPrepare(cluster.RangeOf("z").Group, IdOf(transaction), cluster.RangeOf("a").Group);
        cluster.Cluster[Two].Receive(One, query);
        cluster.Run(Duration.FromMilliseconds(300));
        Assert.Equal(outcome, cluster.CommitNow(transaction, [("a", "1"), ("z", "2")]).Outcome);
    }

    [Fact]
    public void After_an_inquiry_was_answered_with_abort_a_late_commit_request_is_aborted()
    {
        var cluster = Ranges();
        var transaction = cluster.Begin();
        var commit = cluster.Commit(transaction, [("a", "1"), ("z", "2")]);
        cluster.Cluster[One].Receive(Two, new NodeMessage.Inquire(cluster.RangeOf("a").Group, IdOf(transaction), cluster.RangeOf("z").Group));
        // Before the answer is agreed on: the request finds no outcome, and its Stage finds one.
        cluster.Run(Duration.FromMicroseconds(50));
        Assert.Equal(Outcome.Aborted, cluster.Wait(cluster.Send(One, commit)).Commit.Outcome);
        Assert.Equal((null, null), (cluster.Get("a"), cluster.Get("z")));
    }

    /// <summary>A read that was on its way for long can come to a leader that knows nothing of the commit which its client sent after it.</summary>
    [Fact]
    public void Who_asks_is_answered_though_the_transaction_reads_there_and_nobody_commits_it()
    {
        var cluster = Ranges();
        var transaction = cluster.Begin();
        var (a, z) = (cluster.RangeOf("a").Group, cluster.RangeOf("z").Group);
        cluster.Ask("a", DatabaseCluster.Read("a", transaction));
        cluster.Cluster[One].Receive(Two, new NodeMessage.Inquire(a, IdOf(transaction), z));
        cluster.Run(() => cluster.Protocols[One].StateOf(a).OutcomeOf(IdOf(transaction)) is not null);
        Assert.Equal(Outcome.Aborted, cluster.CommitNow(transaction, [("a", "1")]).Outcome);
    }

    /// <summary>While leadership moves consensus takes nothing: what is to be agreed on then waits for the end of it.</summary>
    [Fact]
    public void Who_asks_while_a_leader_hands_over_in_vain_is_answered_afterwards()
    {
        var cluster = Ranges();
        var transaction = cluster.Begin();
        var (a, z) = (cluster.RangeOf("a").Group, cluster.RangeOf("z").Group);
        // Node 3 cannot say that it has caught up, so that the transfer to it lasts until it is given up.
        cluster.Network.Block(3, 1);
        var transfer = new Api.Request { Group = a, TransferLeadership = new Api.TransferLeadership { To = 3 } };
        cluster.CommitNow(cluster.Begin(), [("a", "0")]);
        var asked = cluster.Send(One, transfer);
        cluster.Run(Duration.FromMilliseconds(100));
        cluster.Cluster[One].Receive(Two, new NodeMessage.Inquire(a, IdOf(transaction), z));
        Assert.Equal(Api.Response.BodyOneofCase.Unavailable, cluster.Wait(asked).BodyCase);
        Assert.Equal(One, cluster.LeaderOf("a"));
        cluster.Run(() => cluster.Protocols[One].StateOf(a).OutcomeOf(IdOf(transaction)) is not null);
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.NoMeansPrevented), false)]
    public void A_no_proves_nothing_to_who_finds_a_staged_transaction(string mutation, bool stands)
    {
        var lost = 0;
        for (ulong seed = 1; seed <= 25 && lost == 0; seed++)
        {
            var cluster = Ranges(mutation, seed);
            var transaction = cluster.Begin();
            var no = new NodeMessage.Vote(cluster.RangeOf("a").Group, IdOf(transaction), cluster.RangeOf("z").Group, false, default);
            cluster.Wait(cluster.Send(One, cluster.Commit(transaction, [("a", "1"), ("z", "2")])));
            cluster.Cluster.Crash(One);
            for (var i = 0; i < 5_000; i++)
            {
                // A vote that was taken back because of a deadlock, and was on its way for long.
                cluster.Cluster[Two].Receive(Two, no);
                cluster.Cluster[Three].Receive(Two, no);
                cluster.Run(Duration.FromMilliseconds(1));
            }

            lost += (cluster.Get("a"), cluster.Get("z")) == ("1", "2") ? 0 : 1;
        }

        Assert.Equal(stands, lost == 0);
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.FreeStagedLocksEarly), false)]
    public void The_locks_of_a_staged_transaction_hold_until_its_abort_is_chosen(string mutation, bool isRepeatable)
    {
        var cluster = Ranges(mutation);
        var transaction = cluster.Begin();
        StageWithoutVote(cluster, transaction);
        cluster.Network.Block(1, 2);
        cluster.Network.Block(1, 3);
        var group = cluster.RangeOf("a").Group;
        cluster.Cluster[One].Receive(Two, new NodeMessage.Vote(group, IdOf(transaction), cluster.RangeOf("z").Group, false, default));
        cluster.Run(Duration.FromMilliseconds(5));
        var read = DatabaseCluster.Read("a");
        read.Group = group;
        read.Read.ChooseTimestamp = true;
        var tag = cluster.Send(One, read);
        cluster.Run(Duration.FromMilliseconds(100));
        var answer = cluster.AnswerTo(tag)?.Read;
        cluster.Cluster.Crash(One);
        cluster.Network.Heal();
        Assert.Equal("1", cluster.Get("a"));
        Assert.Equal(isRepeatable, answer is null || cluster.Get("a", answer.At) == answer.Items.SingleOrDefault()?.Value.ToStringUtf8());
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.IgnorePrepareTimestamps), false)]
    public void The_commit_timestamp_is_above_what_a_participant_served_a_read_at(string mutation, bool isRepeatable)
    {
        var cluster = Ranges(mutation);
        var now = cluster.Put("y", "0");
        var later = now + Duration.FromMilliseconds(500).Nanoseconds;
        Assert.Null(cluster.Get("z", later));
        var result = cluster.CommitNow(cluster.Begin(), [("a", "1"), ("z", "2")]);
        Assert.Equal(Outcome.Committed, result.Outcome);
        cluster.Run(Duration.FromSeconds(1));
        Assert.Equal(isRepeatable, cluster.Get("z", later) is null);
        Assert.Equal("1", cluster.Get("a", result.Timestamp));
        Assert.Equal("2", cluster.Get("z", result.Timestamp));
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), false)]
    [InlineData(nameof(DatabaseMutation.AcknowledgeBeforePassed), true)]
    public void A_commit_is_acknowledged_when_its_timestamp_has_passed_everywhere(string mutation, bool isBroken)
    {
        var broken = 0;
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var cluster = Ranges(mutation, seed, new ClockConditions { Bound = Duration.FromMilliseconds(40) });
            cluster.Split("s", 3);
            var first = cluster.CommitNow(cluster.Begin(), [("a", "1"), ("n", "2")]);
            var next = cluster.Wait(cluster.Send(Three, cluster.Commit(cluster.Begin(), [("z", "3")]))).Commit;
            broken += next.Timestamp > first.Timestamp ? 0 : 1;
        }

        Assert.Equal(isBroken, broken > 0);
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), Outcome.Aborted)]
    [InlineData(nameof(DatabaseMutation.IgnoreVoteValidity), Outcome.Committed)]
    public void A_commit_above_what_the_lease_of_some_read_locks_covers_is_aborted(string mutation, Outcome outcome)
    {
        var cluster = Ranges(mutation);
        var old = cluster.Begin();
        cluster.Ask("a", DatabaseCluster.Read("a", old));
        var young = cluster.Begin();
        var terms = new Dictionary<string, Api.Term> { ["z"] = cluster.Ask("z", DatabaseCluster.Read("z", young)).Read.Term };
        var tag = cluster.Send(One, cluster.Commit(young, [("a", "1"), ("z", "2")], terms));
        cluster.Run(Duration.FromSeconds(3));
        Assert.Null(cluster.AnswerTo(tag));
        cluster.Ask("a", new Api.Request { Rollback = new Api.Rollback { Transaction = old.Id } });
        Assert.Equal(outcome, cluster.Wait(tag).Commit.Outcome);
    }

    [Fact]
    public void A_part_that_only_read_leaves_a_record_for_who_has_to_finish()
    {
        var cluster = Ranges();
        var transaction = cluster.Begin();
        var terms = new Dictionary<string, Api.Term> { ["z"] = cluster.Ask("z", DatabaseCluster.Read("z", transaction)).Read.Term };
        StageWithoutVote(cluster, transaction, null, terms);
        var status = cluster.Wait(cluster.Send(Two, new Api.Request { Status = new Api.StatusQuery() })).Status;
        Assert.Equal(1, status.Groups.Single(group => group.Range.Group == cluster.RangeOf("z").Group).Prepared);
        cluster.Cluster.Crash(One);
        cluster.Network.Heal();
        Assert.Equal("1", cluster.Get("a"));
    }

    [Fact]
    public void Locks_that_a_part_took_in_an_earlier_term_do_not_count()
    {
        var cluster = Ranges();
        var transaction = cluster.Begin();
        var terms = new Dictionary<string, Api.Term> { ["z"] = cluster.Ask("z", DatabaseCluster.Read("z", transaction)).Read.Term };
        cluster.Cluster.Crash(Two);
        cluster.Put("z", "9");
        Assert.Equal(Outcome.Aborted, cluster.CommitNow(transaction, [("a", "1"), ("z", null)], terms).Outcome);
        Assert.Null(cluster.Get("a"));
    }

    [Fact]
    public void An_older_transaction_has_a_staged_one_aborted_while_a_vote_is_missing()
    {
        var cluster = Ranges();
        var (old, young) = (cluster.Begin(), cluster.Begin());
        var tag = StageWithoutVote(cluster, young);
        Assert.Equal(Outcome.Committed, cluster.CommitNow(old, [("a", "old")]).Outcome);
        Assert.Equal(Outcome.Aborted, cluster.Wait(tag).Commit.Outcome);
        cluster.Network.Heal();
        Assert.Equal(("old", null), (cluster.Get("a"), cluster.Get("z")));
    }

    [Fact]
    public void A_reader_waits_for_the_record_of_a_commit_and_then_sees_it()
    {
        var cluster = Ranges();
        var commit = cluster.Commit(cluster.Begin(), [("a", "1"), ("z", "2")]);
        var read = DatabaseCluster.Read("z");
        read.Group = cluster.RangeOf("z").Group;
        cluster.Wait(cluster.Send(One, commit));
        Assert.Equal("2", Assert.Single(cluster.Wait(cluster.Send(Two, read)).Read.Items).Value.ToStringUtf8());
    }

    private static DatabaseCluster Ranges(string mutation = nameof(DatabaseMutation.None), ulong seed = 1, ClockConditions? clocks = null)
    {
        var parsed = Enum.Parse<DatabaseMutation>(mutation);
        var cluster = new DatabaseCluster(seed, options => options with { Mutation = parsed }, clocks);
        cluster.Split("m", 2);
        cluster.Run(() => cluster.LeaderOf("a") == One);
        return cluster;
    }

    private static TransactionId IdOf((Api.TransactionId Id, Api.Age Age) transaction) => Responses.Identify(transaction.Id);

    /// <summary>All records of the commit are chosen, and its coordinator does not hear so from node 2.</summary>
    private static long StageWithoutVote(
        DatabaseCluster cluster, (Api.TransactionId Id, Api.Age Age) transaction, string? z = "2",
        IReadOnlyDictionary<string, Api.Term>? terms = null)
    {
        var commit = cluster.Commit(transaction, [("a", "1"), ("z", z)], terms);
        cluster.Network.Block(2, 1);
        var tag = cluster.Send(One, commit);
        cluster.Run(Duration.FromMilliseconds(100));
        Assert.Null(cluster.AnswerTo(tag));
        return tag;
    }
}
