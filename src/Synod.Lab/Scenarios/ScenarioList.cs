using Synod.Lab.Scenarios.Byzantine;
using Synod.Lab.Scenarios.Commit;
using Synod.Lab.Scenarios.Consensus;
using Synod.Lab.Scenarios.Gossip;
using Synod.Lab.Scenarios.Snapshots;

namespace Synod.Lab.Scenarios;

/// <summary>Every scenario there is, in the order of the chapter.</summary>
public static class ScenarioList
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new MoneyTransfer(),
        new TwoPhaseBlocking(),
        new TwoPhaseToldOne(),
        new ThreePhaseCoordinatorDies(),
        new ThreePhasePartition(),
        new PaxosCommitCoordinatorDies(),
        new CommitThreeContinents(),
        new FlexibleQuorums(),
        new MultiPaxosLeaderDies(),
        new EPaxosConflict(),
        new EPaxosLeaderless(),
        new PbftEquivocatingPrimary(),
        new PbftSilent(),
        new HotStuffLinear(),
        new HotStuffTwinned(),
        new ThreeBanks(),
        new DeadlockCycle(),
        new SnapshotRestore(),
        new FlappingNode(),
        new StatusSpreads(),
        new HalfTheClusterDies(),
        new AggregateUnderChurn(),
    ];

    /// <summary>The scenario of a name.</summary>
    /// <exception cref="ArgumentException">There is none; the message lists them all.</exception>
    public static Scenario Named(string name) => All.FirstOrDefault(scenario => scenario.Name == name)
        ?? throw new ArgumentException($"There is no scenario '{name}'. There are: {string.Join(", ", All.Select(scenario => scenario.Name))}.");
}
