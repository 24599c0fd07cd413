using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Simulation;
using Xunit;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>Every rule set under every fault plan, with and without a liar; when the faults stop, progress is demanded.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static readonly string[] RuleSets = ["hotstuff-basic", "hotstuff-chained", "hotstuff-2", "jolteon"];

    public static TheoryData<string> EveryRuleSet => [.. RuleSets];

    public static TheoryData<string> EveryAdversary => [.. HotStuffLiars.All];

    [Theory]
    [MemberData(nameof(EveryRuleSet))]
    public void Crash_faults_of_every_kind(string rules)
    {
        long crashes = 0, agreed = 0, damaged = 0;
        for (ulong seed = 1; seed <= 24; seed++)
        {
            var run = Run(rules, seed, null);
            crashes += run.Cluster.Nodes.Sum(node => run.Cluster.Counts(node).Crashes);
            damaged += run.Cluster.Nodes.Sum(node => run.Cluster.Counts(node).Damaged);
            agreed += run.Agreed;
        }

        output.WriteLine($"{rules}: {agreed} commands, {crashes} crashes, {damaged} damaged frames");
        Assert.True(crashes > 10 && damaged > 0 && agreed > 500, "the weather was too mild");
    }

    [Theory]
    [MemberData(nameof(EveryAdversary))]
    public void One_liar_of_four(string adversary)
    {
        foreach (var rules in RuleSets)
        {
            for (ulong seed = 1; seed <= 4; seed++)
            {
                Run(rules, seed, adversary);
            }
        }
    }

    /// <summary>Who was cut off for longer than others keep their blocks comes back by a fetched state, also with one that forges it.</summary>
    [Theory]
    [InlineData("hotstuff-basic", null, false, 16)]
    [InlineData("hotstuff-chained", "forged proofs", true, 16)]
    [InlineData("hotstuff-2", "false checkpoints", false, 32)]
    [InlineData("jolteon", "forged parts", true, 64)]
    [InlineData("jolteon", null, false, 24)]
    public void Laggards_are_brought_up_by_a_state(string rules, string? adversary, bool isForging, int seeds)
    {
        int transfers = 0, agreed = 0;
        long cuts = 0, forged = 0;
        for (var seed = 1ul; seed <= (ulong)seeds; seed++)
        {
            var run = Run(rules, seed, adversary, HotStuffWorld.Absences(seed));
            transfers += run.Transfers;
            cuts += run.Cuts;
            agreed += run.Agreed;
            forged += run.Refused(Refusal.Forged);
            Assert.True(run.LastCheckpoint > 40, $"seed {seed}: {run.LastCheckpoint}");
        }

        output.WriteLine($"{rules}, {adversary}: {agreed} commands, {transfers} transfers, {cuts} cut logs, {forged} forgeries refused");
        Assert.True(transfers >= 2 && cuts >= 6 && (!isForging || forged > 0), "the weather was too mild");
    }

    private static HotStuffWorld Run(string rules, ulong seed, string? adversary, FaultPlan? plan = null)
    {
        var run = HotStuffWorld.Under(seed, rules, adversary, plan: plan);
        run.StartClients();
        run.World.RunUntil(Duration.FromSeconds(8));
        run.DemandProgress(Duration.FromSeconds(40));
        return run;
    }
}
