using Synod.Simulation.Histories;

namespace Synod.Simulation.Tests.Histories;

public class StateChecksTests
{
    [Fact]
    public void Totals()
    {
        Assert.Null(StateChecks.Total([3, 4, 5], 12));
        Assert.Equal("wrong-total", StateChecks.Total([3, 4, 6], 12)?.Name);
    }

    [Theory]
    [InlineData(new[] { 0 }, true)]
    [InlineData(new[] { 1, 2, 0 }, true)]
    [InlineData(new[] { 2, 0, 1 }, true)]
    [InlineData(new[] { 1, 0, 2 }, false)]
    [InlineData(new[] { 1, 2, 1 }, false)]
    [InlineData(new[] { 1, 3, 0 }, false)]
    [InlineData(new[] { 1, -1, 0 }, false)]
    public void Rings(int[] next, bool isRing) => Assert.Equal(isRing, StateChecks.Ring(next) is null);
}
