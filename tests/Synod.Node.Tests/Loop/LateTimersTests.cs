using Synod.Core;

namespace Synod.Node.Tests;

/// <summary>Who slept through what others said hears them before it acts on their silence.</summary>
public sealed class LateTimersTests
{
    private static readonly Duration s_late = Duration.FromSeconds(2);

    [Theory]
    [InlineData(99, true, true, false)]
    [InlineData(100, true, false, true)]
    [InlineData(100, false, true, true)]
    [InlineData(2_000, false, false, false)]
    public void Late_timers_wait_while_there_is_something_to_hear(int milliseconds, bool heard, bool hasMore, bool waits) =>
        Assert.Equal(waits, new LateTimers().Wait(Duration.FromMilliseconds(milliseconds), heard, hasMore));

    [Fact]
    public void They_do_not_wait_for_ever()
    {
        var timers = new LateTimers();
        for (var turn = 0; turn < LateTimers.MostTurns; turn++)
        {
            Assert.True(timers.Wait(s_late, heard: true, hasMore: true));
        }

        Assert.False(timers.Wait(s_late, heard: true, hasMore: true));
    }

    [Fact]
    public void Each_pause_has_its_own_turns()
    {
        var timers = new LateTimers();
        for (var turn = 0; turn < LateTimers.MostTurns; turn++)
        {
            _ = timers.Wait(s_late, heard: true, hasMore: true);
        }

        Assert.False(timers.Wait(s_late, heard: false, hasMore: false));
        Assert.True(timers.Wait(s_late, heard: true, hasMore: true));
    }
}
