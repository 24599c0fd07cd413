using System.Globalization;
using Synod.Crdt;
using Synod.Lab.Worlds.Convergence;

namespace Synod.Lab.Scenarios.Convergence;

/// <summary>A counter that goes up and down, and the one that keeps only the difference (crdt.md §4.1).</summary>
public sealed class UpAndDownCounter : Scenario
{
    private const string OfDifferences = ".OfDifferences";

    public override string Name => "pn-counter";

    public override string Title => "Additions and subtractions are kept apart: the larger of two differences forgets what was taken.";

    public override Promise Promise { get; } = Promise
        .That(
            "StrongEventualConsistency", "EveryoneHasSeenEverything", "ExactSum",
            $"StrongEventualConsistency{OfDifferences}", $"EveryoneHasSeenEverything{OfDifferences}")
        .ButNot($"ExactSum{OfDifferences}");

    protected override void Play(Report report, ulong seed)
    {
        var right = new ConvergentCast<PnCounter>(seed, ["Europe", "America", "Asia"], new(), static (counter, me, _, text) => counter.Add(me, Amount(text)));
        var wrong = new ConvergentCast<DifferenceCounter>(
            seed, ["Europe", "America", "Asia"], new(), static (counter, me, _, text) => counter.Add(me, Amount(text)));
        if (!Script(right, report, "Additions and subtractions apart") || !Script(wrong, report, "Their difference alone"))
        {
            return;
        }

        var sum = right.Subjects.Sum(text => long.Parse(text, CultureInfo.InvariantCulture));
        report.Tell($"Europe puts 10 into the stock and sends word. Then it takes 4, while America takes 3 and Asia puts in 5; nobody reaches anybody.");
        report.Tell($"With additions and subtractions apart, both only grow, and the larger is the later: everybody comes to {right[1].Value}.");
        report.Tell($"With one difference for each replica, Europe's 6 meets the older 10, and the larger one wins: everybody agrees on {wrong[1].Value}, and it is {sum}.");
        right.JudgeConvergence(report);
        wrong.JudgeConvergence(report, OfDifferences);
        report.Safety("ExactSum", right.States.All(state => state.Value == sum), $"{string.Join(", ", right.States)} of {sum}");
        report.Safety($"ExactSum{OfDifferences}", wrong.States.All(state => state.Value == sum), $"{string.Join(", ", wrong.States)} of {sum}");
    }

    private static bool Script<TState>(ConvergentCast<TState> cast, Report report, string heading)
        where TState : class, ILattice<TState>
    {
        cast.At(0, 1, "add 10");
        cast.AloneBetween(30, 70);
        cast.At(35, 1, "add -4");
        cast.At(40, 2, "add -3");
        cast.At(45, 3, "add 5");

        // What the others know of Europe is older than what Europe did since, and comes back to it.
        cast.SyncAt(80);
        return cast.Play(report, heading, 200);
    }

    private static long Amount(string text) => long.Parse(text.Split(' ')[1], CultureInfo.InvariantCulture);
}
