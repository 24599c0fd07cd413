using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;
using Xunit;

namespace Synod.Protocols.Tests.Rumors;

/// <summary>Seeds and faults; then the faults stop, and with anti-entropy behind it everybody must know everything that was promised.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(RumorStyle.Push)]
    [InlineData(RumorStyle.Pull)]
    [InlineData(RumorStyle.PushPull)]
    public void Everybody_is_told_everything_once(RumorStyle style)
    {
        var (delivered, crashes, found, refused) = (0, 0L, 0, 0L);
        for (var seed = 0ul; seed < 12; seed++)
        {
            var world = new RumorWorld(seed, RumorWorld.Options with { Style = style });
            world.Run(Duration.FromSeconds(4));
            (delivered, crashes, found) = (delivered + world.Delivered, crashes + world.Crashes, found + world.Found);
            refused += new[] { Refusal.Forged, Refusal.NotMember, Refusal.Malformed, Refusal.Unexpected }.Count(reason => world.Refusals(reason) > 0);
        }

        output.WriteLine($"{delivered} delivered, {crashes} crashes, {found} found by anti-entropy");
        Assert.True(delivered > 20_000 && crashes > 30 && found > 100 && refused == 48, "the runs are too tame");
    }

    [Fact]
    public void A_seed_gives_the_same_run_again()
    {
        static string Trace()
        {
            var text = new StringWriter();
            new RumorWorld(5, RumorWorld.Options, trace: text).Run(Duration.FromSeconds(1));
            return text.ToString();
        }

        Assert.Equal(Trace(), Trace());
    }
}
