using Synod.Core;
using Synod.Crdt;
using Synod.Lab.Worlds.Convergence;

namespace Synod.Lab.Scenarios.Convergence;

/// <summary>An apple is removed and added again at the same time, and later removed for good; also with the naive set (crdt.md §4.3, §9).</summary>
public sealed class ReAddedApple : Scenario
{
    public override string Name => "re-added-apple";

    public override string Title => "An add wins over a removal that has not seen it, and what is removed stays removed: not so with a union of tags.";

    public override Promise Promise { get; } = Promise
        .That(
            "StrongEventualConsistency.OrSet", "EveryoneHasSeenEverything.OrSet", "AddWins.OrSet", "ReAddedAppleStays",
            "StrongEventualConsistency.UnionOfTags", "EveryoneHasSeenEverything.UnionOfTags")
        .ButNot("AddWins.UnionOfTags");

    protected override void Play(Report report, ulong seed)
    {
        var orSet = new ConvergentCast<OrSet<string>>(seed, ["A", "B"], new(Wires.Text), SetOperations.Observed);
        var naive = new ConvergentCast<NaiveOrSet>(seed, ["A", "B"], new(), SetOperations.ByTags);
        var both = false;
        orSet.Stage.At(Duration.FromMilliseconds(130), () => both = orSet.States.All(set => set.Contains("apple")));
        if (!Script(orSet, report, "OR-Set by causal context") || !Script(naive, report, "Union of tags"))
        {
            return;
        }

        report.Tell($"A adds an apple and B hears of it. Then, out of touch, B removes it while A adds it once more. A's second add has a dot that B's removal has not seen, so the apple {(both ? "is there for both" : "is gone")} when they meet again.");
        report.Tell($"Later B removes the apple for good, and then an old state of A arrives that still holds it. B's context says that its dot was seen, and B does not hold it: it was removed, and stays so. Both have {orSet[1]}.");
        report.Tell($"The union of tags forgets the tags that it removes. The old state brings them back as if they were new, and so does every other replica that still holds them: both have {naive[1]}.");
        orSet.JudgeConvergence(report, ".OrSet");
        naive.JudgeConvergence(report, ".UnionOfTags");
        orSet.JudgeAddWins(report, static set => set.Elements, ".OrSet");
        naive.JudgeAddWins(report, static set => set.Elements, ".UnionOfTags");
        report.Safety("ReAddedAppleStays", both, $"at both replicas after the network healed");
    }

    private static bool Script<TState>(ConvergentCast<TState> cast, Report report, string heading)
        where TState : class, ILattice<TState>
    {
        cast.At(0, 1, "add apple");
        cast.AloneBetween(30, 70);
        cast.At(35, 2, "remove apple");
        cast.At(45, 1, "add apple");
        cast.SyncAt(80);

        // A's state of 140 takes its time: B's removal comes between.
        var (sent, end) = (Duration.FromMilliseconds(139), Duration.FromMilliseconds(150));
        cast.Stage.At(sent, () => cast.Stage.Hold((from, _, message) => from.Value == 1 && message.Label == "state" && cast.Stage.Now < end, Duration.FromMilliseconds(50)));
        cast.SyncAt(140, 1);
        cast.At(160, 2, "remove apple");
        cast.SyncAt(220);
        return cast.Play(report, heading, 300);
    }
}
