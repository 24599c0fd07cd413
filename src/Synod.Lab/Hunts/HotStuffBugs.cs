using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>
/// Known mistakes of HotStuff (hotstuff.md §9): those of replicas under the weather in which they show, those of rules under
/// schedules by rounds with a twin.
/// </summary>
public static class HotStuffBugs
{
    private static readonly Duration s_storm = Duration.FromSeconds(5);
    private static readonly Duration s_patience = Duration.FromSeconds(40);

    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Replica("small-quorum", HotStuffMutation.SmallQuorum, "jolteon", "equivocating"),
        Replica("vote-before-durable", HotStuffMutation.VoteBeforeDurable, "hotstuff-basic"),
        Replica("vote-forgotten", HotStuffMutation.VoteForgotten, "hotstuff-basic"),
        Replica("timeout-forgotten", HotStuffMutation.TimeoutForgotten, "jolteon"),
        Replica("certificates-forgotten", HotStuffMutation.CertificatesForgotten, "hotstuff-2"),
        Replica("proposal-forgotten", HotStuffMutation.ProposalForgotten, "jolteon"),
        Replica("vote-twice", HotStuffMutation.VoteTwice, "jolteon", "equivocating and repeating itself"),
        Replica("vote-after-timeout", HotStuffMutation.VoteAfterTimeout, "jolteon"),
        Replica("vote-without-ancestry", HotStuffMutation.VoteWithoutAncestry, "jolteon"),
        Replica("learn-before-checking", HotStuffMutation.LearnBeforeChecking, "jolteon", "forged parents"),
        Replica("votes-unchecked", HotStuffMutation.VotesUnchecked, "jolteon", "damaged votes"),
        Replica("certificates-unchecked", HotStuffMutation.CertificatesUnchecked, "hotstuff-chained", "forged certificates"),
        Replica("duplicates-count", HotStuffMutation.DuplicatesCount, "hotstuff-2", "two votes"),
        Replica("timeout-not-bound", HotStuffMutation.TimeoutNotBound, "jolteon", "rewritten time-outs"),
        Replica("latest-report-wins", HotStuffMutation.LatestReportWins, "hotstuff-basic"),
        Replica("ancestors-skipped", HotStuffMutation.AncestorsSkipped, "jolteon"),
        Replica("executed-twice", HotStuffMutation.ExecutedTwice, "jolteon", "repeating"),
        Replica("no-empty-blocks", HotStuffMutation.NoEmptyBlocks, "hotstuff-chained"),
        Replica("entered-unproven", HotStuffMutation.EnteredUnproven, "hotstuff-chained", "stale view"),
        Replica("commands-unchecked", HotStuffMutation.CommandsUnchecked, "jolteon", "inventing"),
        Replica("checkpoint-before-durable", HotStuffMutation.CheckpointBeforeDurable, "jolteon", absences: true),
        Replica("checkpoints-unchecked", HotStuffMutation.CheckpointsUnchecked, "jolteon", "forged proofs", absences: true),
        Replica("parts-unchecked", HotStuffMutation.PartsUnchecked, "jolteon", "forged parts", absences: true),
        Replica("clients-forgotten", HotStuffMutation.ClientsForgotten, "jolteon", absences: true),
        Replica("lock-forgotten-on-install", HotStuffMutation.LockForgottenOnInstall, "hotstuff-basic", absences: true),
        Replica("cut-forgets-words", HotStuffMutation.CutForgetsWords, "jolteon", absences: true),
        Rules("views-not-consecutive", new VulnerableRules(), 6),
        Rules("chain-of-two-among-three", UnsoundRules.ChainOfTwo, 6),
        Rules("committed-when-certified", UnsoundRules.ChainOfOne, 4),
    ];

    private static RoomBug Replica(string name, HotStuffMutation mutation, string rules, string? lies = null, bool absences = false) =>
        new($"hotstuff-{name}", "HotStuff", seed => Caught(seed, () =>
        {
            var world = HotStuffWorld.Under(seed, rules, lies, mutation, absences ? HotStuffWorld.Absences(seed) : null);
            world.StartClients();
            world.World.RunUntil(s_storm);
            world.DemandProgress(s_patience);
        }));

    private static RoomBug Rules(string name, IHotStuffRules rules, int rounds) =>
        new($"hotstuff-{name}", "HotStuff", seed =>
        {
            var found = HotStuffTwins.Wander(rules, rounds, seed, 500);
            return found is null ? null : new SimulationFailure(seed, found.Property, Duration.Zero, NodeId.None, found.ToString());
        });

    internal static SimulationFailure? Caught(ulong seed, Action run)
    {
        try
        {
            run();
            return null;
        }
        catch (SimulationFailure failure)
        {
            return failure;
        }
        catch (InvariantViolation violation)
        {
            return new SimulationFailure(seed, violation.Invariant, Duration.Zero, NodeId.None, violation.Message, violation);
        }
    }
}
