using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;
using Xunit;

namespace Synod.Protocols.Tests.Aggregation;

/// <summary>Seeds and faults under the books of every look; then the faults stop, and everybody comes to the truth.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void Mass_is_conserved_and_estimates_are_near()
    {
        var (audits, crashes, epochs, refused) = (0, 0L, 0L, 0L);
        for (var seed = 0ul; seed < 25; seed++)
        {
            var world = new AggregationWorld(seed, AggregationWorld.Options);
            world.Run(Duration.FromSeconds(6));
            (audits, crashes, epochs) = (audits + world.Audits, crashes + world.Crashes, epochs + world.Epoch);
            refused += new[] { Refusal.NotMember, Refusal.Malformed, Refusal.Unexpected, Refusal.StaleBallot }.Count(reason => world.Refusals(reason) > 0);
        }

        output.WriteLine($"{audits} audits, {crashes} crashes, {epochs} epochs");
        Assert.True(audits > 20_000 && crashes > 60 && epochs > 200 && refused == 100, "the runs are too tame");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(1_000)]
    public void Every_node_counts_and_averages_all(int nodes) => CountAndAverage(nodes);

    /// <summary>By hand: it takes a while.</summary>
    [Fact(Explicit = true)]
    public void Every_node_of_ten_thousand_counts_and_averages_all() => CountAndAverage(10_000);

    private void CountAndAverage(int nodes)
    {
        var churn = new AggregationChurn(1, nodes, new AggregationOptions());
        churn.Join(Enumerable.Range(1, nodes));
        churn.RunFor(Duration.FromSeconds(12));
        var (latest, sample) = (churn.Latest(), churn.Sample());
        var error = latest.Max(item => Math.Abs((item.Nodes ?? 0) - nodes));
        output.WriteLine($"{nodes}: count off by {error} at most, average {sample.Averaged} of {sample.Average}, {churn.Bytes / nodes / 12} bytes a second and node");
        Assert.Equal(nodes, latest.Count);
        Assert.InRange(error, 0, nodes / 1_000);
        Assert.All(latest, item => Assert.InRange(item.Average(0)!.Value, sample.Average - 2, sample.Average + 2));
        Assert.All(latest, item => Assert.Equal(Enumerable.Range(1, nodes).Max(number => AggregationChurn.Reading(new NodeId(number))), item.Most(0)));
        Assert.Null(churn.Imbalance);
    }
}
