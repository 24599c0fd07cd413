using Synod.Core;
using Synod.Simulation.Histories;

namespace Synod.Simulation.Tests.Histories;

public class TimestampCheckerTests
{
    private static TimedTransaction Commit(long start, long end, long at, string key, string? value) =>
        new(0, start, end, new Timestamp(at), false, false, [new TimedItem(key, value, Timestamp.Zero)]);

    private static TimedTransaction Read(long start, long end, long at, string key, string? value, long version) =>
        new(1, start, end, new Timestamp(at), true, false, [new TimedItem(key, value, new Timestamp(version))]);

    private static string[] Names(params TimedTransaction[] history) =>
        [.. TimestampChecker.Check(history).Select(anomaly => anomaly.Name)];

    [Fact]
    public void Timestamps_in_the_order_of_time_are_fine() => Assert.Empty(Names(
        Commit(1, 10, 5, "x", "a"), Commit(11, 20, 15, "x", "b"), Read(21, 30, 25, "x", "b", 15)));

    [Fact]
    public void Overlapping_commits_may_take_either_order() => Assert.Empty(Names(
        Commit(1, 10, 9, "x", "a"), Commit(2, 12, 5, "y", "b")));

    // The numbers of time.md §3: without commit wait, T1 at 109 is acknowledged at 101, and T2 starts at 102 and gets 103.
    [Fact]
    public void A_skipped_commit_wait_is_seen() => Assert.Equal(
        ["external-consistency"], Names(Commit(100, 101, 109, "x", "a"), Commit(102, 104, 103, "y", "b")));

    [Fact]
    public void A_snapshot_below_an_acknowledged_commit_is_seen() => Assert.Contains(
        "external-consistency", Names(Commit(1, 10, 5, "x", "a"), Read(11, 20, 4, "x", null, 0)));

    [Fact]
    public void A_read_of_the_past_is_asked_for() => Assert.Empty(Names(
        Commit(1, 10, 5, "x", "a"), Read(11, 20, 4, "x", null, 0) with { IsPast = true }));

    [Fact]
    public void A_snapshot_shows_every_version_up_to_its_timestamp() => Assert.Equal(
        ["missed-version"], Names(Commit(1, 10, 5, "x", "a"), Read(2, 20, 6, "x", null, 0)));

    [Fact]
    public void A_snapshot_shows_nothing_above_its_timestamp() => Assert.Contains(
        "read-of-the-future", Names(Commit(1, 10, 5, "x", "a"), Read(2, 20, 4, "x", "a", 5)));

    [Fact]
    public void A_version_has_one_value() => Assert.Contains(
        "two-values", Names(Commit(1, 10, 5, "x", "a"), Read(2, 20, 6, "x", "b", 5)));

    [Fact]
    public void A_deleted_key_is_absent()
    {
        Assert.Empty(Names(Commit(1, 10, 5, "x", "a"), Commit(11, 12, 7, "x", null), Read(13, 20, 14, "x", null, 0)));
        Assert.Contains(
            "missed-version",
            Names(Commit(1, 10, 5, "x", "a"), Commit(11, 12, 7, "x", null), Read(13, 20, 14, "x", "a", 5)));
    }
}
