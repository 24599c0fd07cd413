using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
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

    internal static HotStuffWorld Run(string rules, ulong seed, string? adversary, HotStuffMutation mutation = HotStuffMutation.None)
    {
        // Three phases in a chain need leaders that stay for more than a view if one of four is silent (hotstuff.md §6).
        var group = HotStuffGroup.Of(4, HotStuffGroup.Rules(rules), rules == "hotstuff-chained" ? 2 : 1).With(options => options with
        {
            ViewTimeout = Duration.FromMilliseconds(300),
            LongestTimeout = Duration.FromSeconds(2),
            Spread = seed % 2 == 0 ? TimeoutSpread.NextLeaders : TimeoutSpread.Everyone,
            MaxCommands = 1 + (int)(seed % 3),
            MaxFetched = 3,
            Mutation = mutation,
        });
        var liar = new NodeId(1 + (int)(seed % 4));
        SortedDictionary<NodeId, Func<Adversary<HotStuff.Message>>> corrupted = [];
        if (adversary is not null)
        {
            corrupted.Add(liar, () => HotStuffLiars.Make(adversary, group, liar));
        }

        var run = new HotStuffWorld(seed, FaultPlan.Swarm(seed), group, clients: 3, corrupted);
        run.StartClients();
        run.World.RunUntil(Duration.FromSeconds(8));
        run.DemandProgress(Duration.FromSeconds(40));
        return run;
    }
}
