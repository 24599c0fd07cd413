using Synod.Exploration;
using Synod.Lab.Worlds;
using Xunit;

namespace Synod.Protocols.Tests.Pbft;

/// <summary>
/// Every order of deliveries while one replica of four runs twice and is primary: two batches for one slot, as far as so many steps go;
/// and at random to the end.
/// </summary>
public sealed class ExplorationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(6, 16_610)]
    public void A_primary_that_runs_twice_breaks_nothing(int depth, int states)
    {
        var model = PbftTwins.Replicas(new Quartet(Quartet.Small), Quartet.A);
        var result = (model with { Budgets = new Budgets { MaxDepth = depth } }).Explore();
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Equal(states, result.States);
    }

    [Fact]
    public void At_random_to_the_end_it_breaks_nothing_either()
    {
        var model = PbftTwins.Replicas(new Quartet(Quartet.Small), Quartet.A);
        var result = (model with { Budgets = new Budgets { Timers = 6, Duplicates = 4, Drops = 6 } }).Wander(seed: 1, walks: 300, length: 120);
        output.WriteLine(result.ToString());
        Assert.Null(result.Counterexample);
        Assert.Empty(result.Unreached);
    }
}
