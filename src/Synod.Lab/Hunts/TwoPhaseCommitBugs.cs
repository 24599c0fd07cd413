using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Commit;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of two-phase commit, looked for by random walks through the smallest bank (commit.md §1.6).</summary>
public static class TwoPhaseCommitBugs
{
    private const int Walks = 100;
    private const int Length = 40;

    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Of("vote-before-durable", TwoPhaseCommitMutation.VoteBeforeDurable),
        Of("decision-before-durable", TwoPhaseCommitMutation.DecideBeforeDurable),
        Of("ack-before-durable", TwoPhaseCommitMutation.AckBeforeDurable),
        Of("first-yes-decides", TwoPhaseCommitMutation.FirstYesDecides),
        Of("forgotten-before-acks", TwoPhaseCommitMutation.ForgetBeforeAcks),
        Of("abort-presumed-while-collecting", TwoPhaseCommitMutation.PresumeAbortWhileCollecting),
        Of("timeout-means-abort", TwoPhaseCommitMutation.TimeoutMeansAbort),
        Of("no-tombstone", TwoPhaseCommitMutation.NoTombstone),
        Of("tombstone-before-durable", TwoPhaseCommitMutation.TombstoneBeforeDurable),
        Of("mind-changed", TwoPhaseCommitMutation.MindChange),
        Of("ids-reused", TwoPhaseCommitMutation.ReuseIds),
        Of("recovered-without-locks", TwoPhaseCommitMutation.RecoverWithoutLocks),
        Of("aborted-alone", TwoPhaseCommitMutation.AbortWhatIsAlone),
        Of("answer-alone-before-durable", TwoPhaseCommitMutation.AnswerAloneBeforeDurable),
        Of("forgotten-too-early", TwoPhaseCommitMutation.ForgetTooEarly),
    ];

    /// <summary>Walks through the configuration in which <paramref name="shown"/> shows. The seed also says which node crashes, if one does.</summary>
    internal static SimulationFailure? Run(ulong seed, TwoPhaseCommitMutation shown, TwoPhaseCommitMutation mutation)
    {
        var model = TwoPhaseCommitWorld.Showing(shown, mutation);
        var crashing = model.Nodes[(int)(seed % (ulong)model.Nodes.Count)];
        model = model with { Budgets = model.Budgets with { MayCrash = NodeSet.Of(crashing) } };
        return RoomBug.Find(seed, model.Wander((int)seed, Walks, Length));
    }

    private static RoomBug Of(string name, TwoPhaseCommitMutation mutation) =>
        new($"2pc-{name}", "TwoPhaseCommit", seed => Run(seed, mutation, mutation));
}
