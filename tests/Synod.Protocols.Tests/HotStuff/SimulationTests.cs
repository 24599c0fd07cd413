using Synod.Core;
using Synod.Lab.Worlds;
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
        for (ulong seed = 1; seed <= 12; seed++)
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

    private static HotStuffWorld Run(string rules, ulong seed, string? adversary)
    {
        var run = HotStuffWorld.Under(seed, rules, adversary);
        run.StartClients();
        run.World.RunUntil(Duration.FromSeconds(8));
        run.DemandProgress(Duration.FromSeconds(40));
        return run;
    }
}
