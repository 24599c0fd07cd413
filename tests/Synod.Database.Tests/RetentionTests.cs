using Synod.Core;
using Synod.Database.Ranges;

namespace Synod.Database.Tests;

/// <summary>Old versions and silent sessions go; what is still to be seen stays (spanner.md §8).</summary>
public sealed class RetentionTests
{
    private readonly DatabaseCluster _cluster = new(adapt: options => options with { Retention = Duration.FromSeconds(30) });

    [Fact]
    public void Reads_below_the_threshold_are_refused_and_the_newest_version_stays()
    {
        var first = _cluster.Put("k", "1");
        _cluster.Put("k", "2");
        _cluster.Run(Duration.FromSeconds(150));
        var response = _cluster.Ask("k", DatabaseCluster.Read("k", at: first));
        Assert.Equal(Api.Response.BodyOneofCase.Refused, response.BodyCase);
        Assert.Equal("2", _cluster.Get("k"));
    }

    /// <summary>Old versions go a thousand keys at a time, and whoever proposes the next thousand may be gone before it does.</summary>
    [Fact]
    public void A_new_leader_goes_on_where_the_former_one_was_collecting()
    {
        (string, string?)[] writes = [.. Enumerable.Range(0, 3_500).Select(key => ($"k{key:d4}", (string?)"1"))];
        _cluster.CommitNow(_cluster.Begin(), writes);
        _cluster.CommitNow(_cluster.Begin(), writes);
        var leader = _cluster.LeaderOf("k");
        _cluster.Run(() => States().Any(state => state.CollectNext is not null), 150);
        _cluster.Cluster.Crash(leader);
        _cluster.Run(Duration.FromSeconds(150));
        Assert.All(States(), state => Assert.Null(state.CollectNext));

        IEnumerable<RangeState> States() => _cluster.Nodes.Where(_cluster.Cluster.IsUp)
            .Select(node => _cluster.Protocols[node].StateOf(DatabaseNode.FirstGroup));
    }

    [Fact]
    public void A_session_that_was_silent_for_long_is_forgotten_and_goes_on_where_it_was()
    {
        var (id, age) = _cluster.Begin();
        _cluster.CommitNow((id, age), [("k", "1")]);
        _cluster.Run(Duration.FromSeconds(150));
        id = new Api.TransactionId { Client = id.Client, Sequence = id.Sequence + 1 };
        Assert.Equal(Api.CommitResult.Types.Outcome.Committed, _cluster.CommitNow((id, age), [("k", "2")]).Outcome);
        Assert.Equal("2", _cluster.Get("k"));
    }

    [Fact]
    public void Nothing_is_collected_at_or_above_the_timestamp_of_who_may_still_commit()
    {
        var one = new NodeId(1);
        var cluster = new DatabaseCluster(adapt: options => options with
        {
            Retention = Duration.FromSeconds(1), VoteTimeout = Duration.FromSeconds(300),
        });
        cluster.Split("m", 2);
        cluster.Run(() => cluster.LeaderOf("a") == one);
        cluster.Put("z", "0");

        // Prepared at node 2 and staged at node 1, for longer than versions are kept.
        var commit = cluster.Commit(cluster.Begin(), [("a", "1"), ("z", "2")]);
        cluster.Network.Block(2, 1);
        var tag = cluster.Send(one, commit);
        cluster.Run(Duration.FromSeconds(100));
        Assert.Null(cluster.AnswerTo(tag));
        cluster.Network.Heal();
        var at = cluster.Wait(tag).Commit.Timestamp;
        Assert.Equal(("1", "2"), (cluster.Get("a", at), cluster.Get("z", at)));
    }
}
