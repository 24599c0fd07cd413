using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;
using Xunit;

namespace Synod.Protocols.Tests.ChandyLamport;

/// <summary>Seeds and faults; then the faults stop, and everybody must be able to take a snapshot (snapshots.md §9, 1, 2 and 4).</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(ChannelOrder.Fifo)]
    [InlineData(ChannelOrder.Unordered)]
    public void Every_cut_is_consistent_and_holds_all_the_money(ChannelOrder order)
    {
        var (taken, failed, inChannels, restored, joined, left, crashes, epochs) = (0, 0, 0, 0, 0, 0, 0L, 0L);
        for (var seed = 0ul; seed < 40; seed++)
        {
            var world = new SnapshotWorld(seed, SnapshotWorld.Options with { Order = order });
            world.Run(Duration.FromSeconds(6), Duration.FromSeconds(60));
            (taken, failed, inChannels, restored) = (
                taken + world.Taken, failed + world.Failed, inChannels + world.WithMoneyInChannels, restored + world.Restored);
            (joined, left, crashes, epochs) = (
                joined + world.Joined, left + world.Left, crashes + world.Crashes, epochs + world.Epoch);
        }

        output.WriteLine($"{taken} taken, {failed} failed, {inChannels} with money in channels, {restored} restored, {joined} joined, {left} left, {crashes} crashes, {epochs} epochs");
        Assert.True(taken > 400 && failed > 40 && inChannels > 100 && restored > 20 && crashes > 40 && epochs > 80 && joined > 15 && left > 15, "the runs are too tame");
    }

    [Fact]
    public void A_seed_gives_the_same_run_again()
    {
        static string Trace()
        {
            var text = new StringWriter();
            new SnapshotWorld(5, SnapshotWorld.Options, trace: text).Run(Duration.FromSeconds(2), Duration.FromSeconds(60));
            return text.ToString();
        }

        Assert.Equal(Trace(), Trace());
    }
}
