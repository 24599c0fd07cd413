using CsCheck;
using Xunit;

namespace Synod.Core.Tests.Values;

/// <summary>Spanner §3: what TT.after and TT.before may say.</summary>
public sealed class TimeTests
{
    [Fact]
    public void After_and_before_are_true_only_for_every_true_time_inside() =>
        Gen.Select(Gen.Long[0, 100], Gen.Long[0, 20], Gen.Long[0, 130], Gen.Long[0, 20]).Sample((earliest, width, stamp, offset) =>
        {
            var now = new TimeInterval(new Timestamp(earliest), new Timestamp(earliest + width), ClockStatus.Synchronized);
            var truth = earliest + Math.Min(offset, width);
            Assert.False(now.After(new Timestamp(stamp)) && truth <= stamp);
            Assert.False(now.Before(new Timestamp(stamp)) && truth >= stamp);
            Assert.False(now.After(new Timestamp(stamp)) && now.Before(new Timestamp(stamp)));
        });

    [Fact]
    public void The_bounds_themselves_are_not_over()
    {
        var now = new TimeInterval(new Timestamp(10), new Timestamp(20), ClockStatus.FreeRunning);
        Assert.True(now.After(new Timestamp(9)));
        Assert.False(now.After(new Timestamp(10)));
        Assert.True(now.Before(new Timestamp(21)));
        Assert.False(now.Before(new Timestamp(20)));
    }

    [Fact]
    public void An_unknown_bound_says_nothing()
    {
        var now = new TimeInterval(new Timestamp(10), new Timestamp(20), ClockStatus.Unknown);
        Assert.False(now.IsTrusted);
        Assert.False(now.After(Timestamp.Zero));
        Assert.False(now.Before(Timestamp.MaxValue));
        Assert.EndsWith("?", now.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Arithmetic_does_not_wrap()
    {
        Assert.Throws<OverflowException>(() => Timestamp.MaxValue.Next);
        Assert.Throws<OverflowException>(() => new Timestamp(long.MinValue).Previous);
        Assert.Throws<OverflowException>(() => Timestamp.MaxValue + new Duration(1));
        Assert.Throws<OverflowException>(() => Duration.FromSeconds(long.MaxValue));
        Assert.Throws<OverflowException>(() => new Instant(long.MaxValue) + new Duration(1));
        Assert.Throws<OverflowException>(() => new Slot(long.MaxValue).Next);
    }

    [Fact]
    public void Units_are_nanoseconds()
    {
        Assert.Equal(1_500_000, (Duration.FromMilliseconds(1) + Duration.FromMicroseconds(500)).Nanoseconds);
        Assert.Equal(2_000, Duration.FromSeconds(2).Milliseconds);
        Assert.Equal("1.5ms", Duration.FromMicroseconds(1_500).ToString());
        Assert.Equal(new Duration(7), new Timestamp(10) - new Timestamp(3));
        Assert.Equal(new Instant(13), new Instant(10) + new Duration(3));
    }
}
