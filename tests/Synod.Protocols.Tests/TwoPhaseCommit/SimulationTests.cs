using Synod.Lab.Worlds;
using Xunit;

namespace Synod.Protocols.Tests.TwoPhaseCommit;

/// <summary>Two-phase commit among conflicting transactions under faults: it agrees, and once they are over everything ends.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void Faults_of_every_kind_and_progress_after_them() => Runs(
        20, seed => CommitWorld<TwoPhase.Message, TwoPhase.Record>.RunAnywhere(seed, CommitRooms.TwoPhase(), 5));

    [Fact]
    public void A_storm_and_progress_after_it() => Runs(
        10, seed => CommitWorld<TwoPhase.Message, TwoPhase.Record>.RunStormy(
            seed, CommitRooms.TwoPhase(), 5, checkpointBytes: 8 << 10));

    private void Runs(ulong seeds, Func<ulong, CommitRun> run)
    {
        var total = new CommitRun(0, 0, 0, 0, 0, 0, "");
        for (ulong seed = 1; seed <= seeds; seed++)
        {
            total += run(seed);
        }

        output.WriteLine(total.ToString());
        Assert.True(total is { Committed: > 500, Aborted: > 100, Unknown: > 10, Crashes: > 20 }, total.ToString());
    }
}
