using Synod.Core;

namespace Synod.Node.Tests;

/// <summary>time.md §2 and §6.</summary>
public sealed class ClockTests
{
    private const long Second = 1_000_000_000;

    private readonly BentTime _time = new() { Real = 1_000 * Second, Boot = 50 * Second, Known = new(true, Duration.FromMilliseconds(2), Duration.Zero) };

    [Fact]
    public void The_kernels_bound_grows_at_500_ppm_between_refreshes_and_counts_what_is_still_slewed()
    {
        _time.Known = new(true, Duration.FromMilliseconds(2), Duration.FromMilliseconds(1));
        var clock = new KernelClock(_time);
        Assert.Equal(2 * (2_000_000 + 1_000_000 + 500_000), (clock.Now().Latest - clock.Now().Earliest).Nanoseconds);
        _time.Advance(Second / 2);
        var interval = clock.Now();
        Assert.Equal(2 * (2_000_000 + 1_000_000 + 750_000), (interval.Latest - interval.Earliest).Nanoseconds);
        Assert.Equal(1, _time.Reads);
        _time.Advance(Second / 2);
        _ = clock.Now();
        Assert.Equal(2, _time.Reads);
    }

    [Fact]
    public void The_time_that_reading_took_widens_the_interval()
    {
        var clock = new KernelClock(_time);
        var quick = clock.Now();
        _time.BootPerRead = 1_000_000;
        var slow = clock.Now();
        Assert.True(slow.Latest - slow.Earliest >= quick.Latest - quick.Earliest + Duration.FromMilliseconds(2));
    }

    [Fact]
    public void An_unsynchronised_kernel_is_not_trusted()
    {
        _time.Known = _time.Known with { Synchronized = false };
        Assert.False(new KernelClock(_time).Now().IsTrusted);
    }

    [Fact]
    public void A_clock_that_someone_sets_is_asked_again_at_once()
    {
        var clock = new KernelClock(_time);
        Assert.True(clock.Now().IsTrusted);
        _time.Advance(Second / 10);
        _time.Real += 5 * Second;
        _time.Known = _time.Known with { Synchronized = false };
        Assert.False(clock.Now().IsTrusted);
    }

    [Fact]
    public void Beyond_the_configured_maximum_a_clock_is_not_trusted()
    {
        var clock = new LimitedClock(new KernelClock(_time), Duration.FromMilliseconds(3));
        Assert.True(clock.Now().IsTrusted);
        _time.Known = new(true, Duration.FromMilliseconds(4), Duration.Zero);
        _time.Advance(2 * Second);
        Assert.False(clock.Now().IsTrusted);
        Assert.False(clock.Now().After(Timestamp.Zero));
        Assert.False(clock.Now().Before(Timestamp.MaxValue));
    }

    [Fact]
    public void Both_ends_never_go_back_and_no_end_is_lowered()
    {
        var clock = new ClampedClock(new BoundedClock(Duration.FromMilliseconds(5), _time));
        var first = clock.Now();
        _time.Real -= 4_000_000;
        var second = clock.Now();
        Assert.Equal(first.Earliest, second.Earliest);
        Assert.Equal(first.Latest, second.Latest);
        Assert.True(second.IsTrusted);
    }

    [Fact]
    public void A_clock_that_falls_behind_what_it_promised_is_not_trusted_until_it_has_caught_up()
    {
        var clock = new ClampedClock(new BoundedClock(Duration.FromMilliseconds(5), _time));
        _ = clock.Now();
        _time.Real -= 20_000_000;
        Assert.False(clock.Now().IsTrusted);
        _time.Advance(11_000_000);
        Assert.True(clock.Now().IsTrusted);
    }

    [Fact]
    public void One_machines_clock_has_no_width_and_says_so()
    {
        var clock = new BoundedClock(Duration.Zero, _time);
        var now = clock.Now();
        Assert.Equal(now.Earliest, now.Latest);
        Assert.Contains("one machine", clock.Source, StringComparison.Ordinal);
        _ = Assert.Throws<ArgumentOutOfRangeException>(() => new BoundedClock(new Duration(-1)));
    }

    [Fact]
    public void A_peer_whose_earliest_lies_beyond_our_latest_makes_us_doubt_for_a_while()
    {
        var clock = new GuardedClock(new BoundedClock(Duration.FromMilliseconds(5), _time), _time);
        var own = clock.Now();
        Assert.True(clock.Agrees(own with { Earliest = own.Latest, Latest = own.Latest.Next }));
        Assert.True(clock.Agrees(new(own.Latest.Next, own.Latest.Next, ClockStatus.Unknown)));
        Assert.True(clock.Now().IsTrusted);
        Assert.False(clock.Agrees(new(own.Latest.Next, own.Latest.Next, ClockStatus.Synchronized)));
        Assert.False(clock.Now().IsTrusted);
        _time.Advance(GuardedClock.Quarantine.Nanoseconds);
        Assert.True(clock.Now().IsTrusted);
    }

    [Fact]
    public void The_machines_clocks_can_be_read()
    {
        var before = SystemTime.Now;
        var now = new BoundedClock(Duration.Zero).Now();
        Assert.True(SystemTime.Now >= before);
        Assert.Equal(DateTimeOffset.UtcNow.Year, DateTimeOffset.FromUnixTimeSeconds(now.Earliest.Nanoseconds / Second).Year);
        Assert.True(SystemTime.Instance.Error().MaxError >= Duration.Zero);
    }

    private sealed class BentTime : ISystemTime
    {
        public long Real { get; set; }

        public long Boot { get; set; }

        public long BootPerRead { get; set; }

        public KernelError Known { get; set; }

        public int Reads { get; private set; }

        public void Advance(long nanoseconds)
        {
            Real += nanoseconds;
            Boot += nanoseconds;
        }

        public long Realtime() => Real;

        public long Boottime() => Boot += BootPerRead;

        public KernelError Error()
        {
            Reads++;
            return Known;
        }
    }
}
