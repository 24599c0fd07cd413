using Synod.Core;
using Synod.Lab.Worlds;
using Xunit;

namespace Synod.Protocols.Tests.Gossip.AntiEntropy;

/// <summary>Seeds and drawn faults; then the faults stop, and everybody must come to have the same.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void Notes_arrive_and_what_was_deleted_stays_deleted()
    {
        var (acknowledged, deleted, wiped, restored, fenced, floors, crashes, forged) = (0, 0, 0, 0, 0, 0, 0L, 0L);
        for (var seed = 0ul; seed < 25; seed++)
        {
            var world = new ScuttlebuttWorld(seed, ScuttlebuttWorld.Options);
            world.Run(Duration.FromSeconds(6), Duration.FromSeconds(60));
            acknowledged += world.Acknowledged;
            deleted += world.Deleted;
            wiped += world.Wiped;
            restored += world.Restored;
            fenced += world.Fenced;
            floors += world.Floors;
            crashes += world.Crashes;
            forged += world.Refusals(Refusal.Forged);
        }

        output.WriteLine($"{acknowledged} answered, {deleted} deleted, {wiped} wiped, {restored} restored, {fenced} fenced, {floors} floors, {crashes} crashes, {forged} forged");
        Assert.True(
            acknowledged > 4_000 && deleted > 500 && wiped > 10 && restored > 10 && fenced > 20 && floors > 200 && crashes > 60 && forged > 100,
            "the runs are too tame");
    }

    [Fact]
    public void Stores_become_equal_and_keep_what_was_acknowledged()
    {
        var (reconciled, moved, crashes, stale) = (0, 0L, 0L, 0L);
        for (var seed = 0ul; seed < 25; seed++)
        {
            var world = new RangeWorld(seed, RangeWorld.Options);
            world.Run(Duration.FromSeconds(5), Duration.FromSeconds(60));
            reconciled += world.Reconciled;
            moved += world.Moved;
            crashes += world.Crashes;
            stale += world.Refusals(Refusal.Unexpected);
        }

        output.WriteLine($"{reconciled} reconciled, {moved} items moved, {crashes} crashes, {stale} stale answers");
        Assert.True(reconciled > 400 && moved > 5_000 && crashes > 30 && stale > 50, "the runs are too tame");
    }

    [Fact]
    public void A_seed_gives_the_same_run_again()
    {
        static string Notes()
        {
            var text = new StringWriter();
            new ScuttlebuttWorld(5, ScuttlebuttWorld.Options, trace: text).Run(Duration.FromSeconds(1), Duration.FromSeconds(60));
            return text.ToString();
        }

        static string Stores()
        {
            var text = new StringWriter();
            new RangeWorld(5, RangeWorld.Options, trace: text).Run(Duration.FromSeconds(1), Duration.FromSeconds(60));
            return text.ToString();
        }

        Assert.Equal(Notes(), Notes());
        Assert.Equal(Stores(), Stores());
    }
}
