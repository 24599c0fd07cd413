using Xunit;

namespace Synod.Core.Tests.Values;

/// <summary>Time notes §4: close to physical time, and never behind what was seen.</summary>
public sealed class HybridClockTests
{
    private static readonly Duration s_skew = Duration.FromMilliseconds(500);

    private static Timestamp Ms(long time) => new(time * 1_000_000);

    [Fact]
    public void It_follows_physical_time_and_counts_when_that_stands_or_falls_back()
    {
        var clock = new HybridClock(s_skew);
        Assert.Equal(new HybridTimestamp(Ms(10), 0), clock.Tick(Ms(10)));
        Assert.Equal(new HybridTimestamp(Ms(10), 1), clock.Tick(Ms(10)));
        Assert.Equal(new HybridTimestamp(Ms(10), 2), clock.Tick(Ms(7)));
        Assert.Equal(new HybridTimestamp(Ms(11), 0), clock.Tick(Ms(11)));
    }

    [Fact]
    public void What_happens_after_a_message_has_a_larger_timestamp()
    {
        var (fast, slow) = (new HybridClock(s_skew), new HybridClock(s_skew));
        var sent = fast.Tick(Ms(400));
        Assert.True(slow.Observe(sent, Ms(1)));
        Assert.True(slow.Tick(Ms(2)) > sent);
        Assert.Equal(Ms(400), slow.Last.Physical);
        Assert.True(slow.Observe(new HybridTimestamp(Ms(3), 9), Ms(3)));
        Assert.Equal(Ms(400), slow.Last.Physical);
    }

    [Fact]
    public void A_timestamp_from_too_far_in_the_future_is_refused_and_changes_nothing()
    {
        var clock = new HybridClock(s_skew);
        clock.Tick(Ms(100));
        Assert.False(clock.Observe(new HybridTimestamp(Ms(601), 0), Ms(100)));
        Assert.Equal(new HybridTimestamp(Ms(100), 0), clock.Last);
        Assert.True(clock.Observe(new HybridTimestamp(Ms(600), 3), Ms(100)));
        Assert.False(clock.Accepts(new HybridTimestamp(Timestamp.MaxValue, 0), Ms(100)));
        Assert.True(clock.Accepts(new HybridTimestamp(Timestamp.MaxValue, 0), Timestamp.MaxValue));
    }

    [Fact]
    public void A_restart_goes_on_from_the_last_one()
    {
        var before = new HybridClock(s_skew);
        var last = before.Tick(Ms(900));
        Assert.True(new HybridClock(s_skew, last).Tick(Ms(1)) > last);
    }

    [Fact]
    public void The_counter_runs_over_into_time()
    {
        var last = new HybridTimestamp(Ms(5), uint.MaxValue);
        Assert.Equal(new HybridTimestamp(Ms(5).Next, 0), last.Next);
        Assert.True(last.Next > last);
    }
}
