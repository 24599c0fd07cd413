using Synod.Core;
using Synod.Simulation;
using Outcome = Synod.Api.CommitResult.Types.Outcome;

namespace Synod.Database.Tests;

/// <summary>What reads at a timestamp show, and when (spanner.md §3, §4.2, §6; time.md §3). Each rule with the mistake that it prevents.</summary>
public sealed class VisibilityTests
{
    private static readonly NodeId One = new(1);
    private static readonly NodeId Two = new(2);

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), false)]
    [InlineData(nameof(DatabaseMutation.SkipCommitWait), true)]
    public void Nothing_is_told_before_its_timestamp_has_passed(string mutation, bool isEarly)
    {
        var cluster = Nodes(mutation, new ClockConditions { Bound = Duration.FromMilliseconds(40), Steady = Duration.FromMilliseconds(50) });
        var early = 0;
        for (var i = 0; i < 20; i++)
        {
            early += new Timestamp(cluster.Put("k", $"{i}")) < cluster.World.TrueTime ? 0 : 1;
        }

        Assert.Equal(isEarly, early > 0);
    }

    /// <summary>The split carries the floor, and is proposed: nobody will tell the new group of a later read.</summary>
    [Fact]
    public void No_read_is_served_above_the_floor_that_is_handed_over()
    {
        var cluster = Nodes(nameof(DatabaseMutation.None));
        cluster.Put("k", "1");
        cluster.Transfer(1);
        var before = cluster.World.TrueTime.Nanoseconds;
        cluster.Network.Block(One.Value, Two.Value);
        cluster.Network.Block(One.Value, 3);
        var group = cluster.RangeOf("k").Group;
        cluster.Send(One, new Api.Request { Group = group, Split = new Api.Split { At = Google.Protobuf.ByteString.CopyFromUtf8("m") } });
        cluster.Run(Duration.FromMilliseconds(50));
        var (now, then) = (DatabaseCluster.Read("k"), DatabaseCluster.Read("k", at: before - 1_000_000_000));
        (now.Group, now.Read.ChooseTimestamp, then.Group) = (group, true, group);
        var (later, earlier) = (cluster.Send(One, now), cluster.Send(One, then));
        cluster.Run(Duration.FromMilliseconds(50));
        Assert.Equal(Api.Response.BodyOneofCase.Unavailable, cluster.AnswerTo(later)?.BodyCase);
        Assert.Equal(Api.Response.BodyOneofCase.Read, cluster.AnswerTo(earlier)?.BodyCase);
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.IgnoreReadTimestamps), false)]
    public void A_commit_is_above_every_read_that_was_served(string mutation, bool isRepeatable)
    {
        var cluster = Nodes(mutation);

        // A moment that is still to come for this leader, as one of a client whose first read was at a clock that runs early.
        var later = cluster.Put("k", "1") + Duration.FromMilliseconds(500).Nanoseconds;
        Assert.Equal("1", cluster.Get("k", later));
        cluster.Put("k", "2");
        cluster.Run(Duration.FromSeconds(1));
        Assert.Equal(isRepeatable ? "1" : "2", cluster.Get("k", later));
        Assert.Equal("2", cluster.Get("k"));
    }

    [Theory]
    [InlineData(nameof(DatabaseMutation.None), true)]
    [InlineData(nameof(DatabaseMutation.ReadThroughIntents), false)]
    public void A_read_waits_for_what_may_be_committed_below_it(string mutation, bool isRepeatable)
    {
        var cluster = Nodes(mutation);
        cluster.Split("m", 2);
        cluster.Run(() => cluster.LeaderOf("a") == One);
        var read = DatabaseCluster.Read("z");
        read.Group = cluster.RangeOf("z").Group;
        read.Read.ChooseTimestamp = true;

        // Prepared at node 2, whose vote does not arrive.
        var commit = cluster.Commit(cluster.Begin(), [("a", "1"), ("z", "2")]);
        cluster.Network.Block(2, 1);
        var committing = cluster.Send(One, commit);
        cluster.Run(Duration.FromMilliseconds(100));
        var reading = cluster.Send(Two, read);
        cluster.Run(Duration.FromMilliseconds(100));
        Assert.Equal(isRepeatable, cluster.AnswerTo(reading) is null);

        cluster.Network.Heal();
        Assert.Equal(Outcome.Committed, cluster.Wait(committing).Commit.Outcome);
        var seen = cluster.Wait(reading).Read;
        cluster.Run(Duration.FromMilliseconds(100));
        Assert.Equal(isRepeatable, seen.Items.SingleOrDefault()?.Value.ToStringUtf8() == cluster.Get("z", seen.At));
    }

    [Fact]
    public void A_leader_reads_and_commits_inside_its_lease_alone()
    {
        var cluster = new DatabaseCluster(1, options => options with
        {
            LeaseDuration = Duration.FromMilliseconds(600),
            ElectionTimeout = Duration.FromMilliseconds(300),
            HeartbeatInterval = Duration.FromMilliseconds(100),
        });
        cluster.Put("k", "1");
        var leader = cluster.LeaderOf("k");
        var group = cluster.RangeOf("k").Group;

        // These are answered at once, so no time passes and the lease is not extended meanwhile.
        var time = cluster.World.Elapsed;
        var status = cluster.Wait(cluster.Send(leader, new Api.Request { Status = new Api.StatusQuery() })).Status;
        var now = Read(0).Read.At;
        var end = now + status.Groups.Single(found => found.Range.Group == group).LeaseLeft;
        Assert.Equal(Api.Response.BodyOneofCase.Unavailable, Read(end).BodyCase);
        Assert.Equal("1", Assert.Single(Read(end - 1).Read.Items).Value.ToStringUtf8());
        Assert.Equal(time, cluster.World.Elapsed);

        // Only a timestamp that is no longer the lease's is above what was read.
        var result = cluster.CommitNow(cluster.Begin(), [("k", "2")]);
        Assert.Equal((Outcome.Aborted, true), (result.Outcome, result.Reason.Contains("lease", StringComparison.Ordinal)));
        cluster.Run(Duration.FromSeconds(1));
        Assert.True(cluster.Put("k", "3") > end);

        Api.Response Read(long at)
        {
            var read = DatabaseCluster.Read("k", at: at);
            read.Group = group;
            read.Read.ChooseTimestamp = at == 0;
            return cluster.Wait(cluster.Send(leader, read));
        }
    }

    private static DatabaseCluster Nodes(string mutation, ClockConditions? clocks = null)
    {
        var parsed = Enum.Parse<DatabaseMutation>(mutation);
        return new DatabaseCluster(1, options => options with { Mutation = parsed }, clocks);
    }
}
