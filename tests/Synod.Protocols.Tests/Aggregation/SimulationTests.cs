using Synod.Core;
using Synod.Lab.Worlds;
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
}
