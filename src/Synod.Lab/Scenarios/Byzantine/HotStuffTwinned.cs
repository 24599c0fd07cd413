using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Scenarios.Byzantine;

/// <summary>
/// One member of four runs twice under one key (Bano et al. 2021), through schedules of splits and leaders drawn by the seed: the shipped
/// rules hold in all of them. <see cref="VulnerableRules"/>, which are kept for this, are searched schedule by schedule until one breaks them.
/// </summary>
public sealed class HotStuffTwinned : Scenario
{
    private const int Rounds = 7;
    private const int Schedules = 60;

    public override string Name => "hotstuff-twins";

    public override string Title => "One of four replicas runs twice under one key: the rules hold in every schedule drawn, and vulnerable ones are broken.";

    public override Promise Promise { get; } = Promise.That("Agreement (Jolteon)", "Agreement (chained)", "TwinsAreNotVacuous", "TwinsBreakVulnerableRules");

    protected override void Play(Report report, ulong seed)
    {
        var number = unchecked((int)(seed & int.MaxValue));
        var jolteon = HotStuffTwins.Model(new JolteonRules(), Rounds).Wander(number, Schedules);
        var chained = HotStuffTwins.Model(new ChainedRules(), Rounds).Wander(number, Schedules);
        var vulnerable = HotStuffTwins.Model(new VulnerableRules(), Rounds, pruned: true).Explore();
        var broken = vulnerable.Counterexample;
        report.Add(new(
            $"Schedules of {Rounds} rounds: who leads, and who hears whom",
            ["rules", "schedules", "worlds seen", "found"],
            [
                ["Jolteon", $"{Schedules} drawn", $"{jolteon.States}", Said(jolteon.Counterexample)],
                ["chained HotStuff", $"{Schedules} drawn", $"{chained.States}", Said(chained.Counterexample)],
                ["Jolteon, gaps between views allowed", "one after the other", $"{vulnerable.States}", Said(broken)],
            ]));
        report.Tell($"Node n1 runs at two addresses, n1 and n5. Each copy is correct; together they say anything that a Byzantine node can say by forgetting what it said.");
        report.Tell($"With the rules as shipped no two correct replicas ever commit conflicting blocks.");
        if (broken is not null)
        {
            report.Tell($"Ports of Jolteon often let a chain of two commit whatever views lie between its blocks. Then another chain may be certified in the gap:");
            foreach (var step in broken.Steps.Skip(1))
            {
                report.Tell($"  {step.Action}");
            }
        }

        report.Safety("Agreement (Jolteon)", jolteon.Counterexample is null, $"{Said(jolteon.Counterexample)} in {Schedules} schedules");
        report.Safety("Agreement (chained)", chained.Counterexample is null, $"{Said(chained.Counterexample)} in {Schedules} schedules");
        report.Measure(
            "TwinsAreNotVacuous",
            jolteon.Unreached.Count == 0,
            $"reached: {string.Join(", ", jolteon.Reached.Keys)}{(jolteon.Unreached.Count == 0 ? "" : $"; never: {string.Join(", ", jolteon.Unreached)}")}");
        report.Measure("TwinsBreakVulnerableRules", broken is not null, $"{Said(broken)}");
    }

    private static string Said(Counterexample? found) => found is null ? "nothing broken" : $"{found.Property} after {found.Steps.Count - 1} rounds";
}
