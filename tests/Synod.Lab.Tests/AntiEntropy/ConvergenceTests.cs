using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip.AntiEntropy;

namespace Synod.Lab.Tests.AntiEntropy;

/// <summary>
/// Replicated convergent objects over links that lose, double and reorder, with crashes, wiped and restored disks and replicas that are
/// given up: equal states and equal bytes in the end, nothing acknowledged is lost, nothing removed comes back, no stock below zero.
/// </summary>
public sealed class ConvergenceTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("Synchronous")]
    [InlineData("Asynchronous")]
    public void Replicas_end_equal_to_the_byte_and_show_what_they_have_observed(string durability)
    {
        var (operations, acknowledged, views, crashes, wiped, restored, fenced, duplicates) = (0, 0, 0, 0L, 0, 0, 0, 0L);
        for (var seed = 100ul; seed < 130; seed++)
        {
            var world = new ConvergentWorld(seed, ConvergentWorld.Options with { Durability = Enum.Parse<DeltaDurability>(durability) });
            world.Run(Duration.FromSeconds(6), Duration.FromSeconds(60));
            operations += world.Operations;
            acknowledged += world.Acknowledged;
            views += world.Views;
            crashes += world.Crashes;
            wiped += world.Wiped;
            restored += world.Restored;
            fenced += world.Fenced;
            duplicates += world.Refusals(Refusal.Duplicate);
        }

        output.WriteLine($"{operations} operations, {acknowledged} acknowledged, {views} views, {crashes} crashes, {wiped} wiped, {restored} restored, {fenced} fenced, {duplicates} duplicates");
        Assert.True(
            operations > 2_000 && acknowledged > 2_000 && views > 1_000 && crashes > 60 && wiped > 10 && restored > 5 && fenced > 10 && duplicates > 100,
            "the runs are too tame");
    }

    [Fact]
    public void A_seed_gives_the_same_run_again()
    {
        static string Trace()
        {
            var text = new StringWriter();
            new ConvergentWorld(5, ConvergentWorld.Options, trace: text).Run(Duration.FromSeconds(2), Duration.FromSeconds(60));
            return text.ToString();
        }

        Assert.Equal(Trace(), Trace());
    }
}
