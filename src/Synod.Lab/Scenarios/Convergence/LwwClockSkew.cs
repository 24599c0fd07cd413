using Synod.Core;
using Synod.Crdt;

namespace Synod.Lab.Scenarios.Convergence;

/// <summary>What a clock that is ten minutes ahead does to a set that goes by clocks (crdt.md §4.4, time.md §4).</summary>
public sealed class LwwClockSkew : Scenario
{
    public override string Name => "lww-clock-skew";

    public override string Title => "A clock ten minutes ahead removes an apple: adds that have not seen it are lost, unless its time is refused.";

    public override Promise Promise { get; } = Promise
        .That(
            "StrongEventualConsistency", "EveryoneHasSeenEverything", "AddAfterSeeingTheRemovalStays", "FutureIsRefused", "AddStays.FutureRefused")
        .ButNot("AddStays.ConcurrentWithTheFuture");

    protected override void Play(Report report, ulong seed)
    {
        var (trusting, careful) = (Cast(seed, null), Cast(seed, Duration.FromMilliseconds(500)));
        var (lost, refusals) = (false, 0);
        trusting.Stage.At(Duration.FromMilliseconds(145), () => lost = !trusting[1].Contains("apple"));
        careful.Stage.Stepped = (node, outbox) => refusals += node.Value == 1 ? outbox.Refusals.Length : 0;
        Script(trusting);
        Script(careful);
        trusting.At(150, 1, "add apple");
        trusting.SyncAt(180);
        if (!trusting.Play(report, "Every timestamp is believed", 280) || !careful.Play(report, "Timestamps more than 500 ms ahead are refused", 180))
        {
            return;
        }

        report.Tell($"The second replica's clock is ten minutes ahead. It removes the apple; 20 ms later, out of touch, a client adds the apple at the first replica and is told that it is there.");
        report.Tell($"When they meet, the removal carries the later time by ten minutes, and the add is gone. Every add at a correct clock that has not seen the removal would be, for ten minutes.");
        report.Tell($"The next add has seen the removal: its hybrid clock goes on from there, and the apple stays. Hybrid clocks cure what is seen, not what is concurrent.");
        report.Tell($"With a limit of 500 ms the first replica refuses what the second one sends ({refusals} times), and keeps its apple: a broken clock harms its own replica only.");
        trusting.JudgeConvergence(report);
        report.Safety("AddStays.ConcurrentWithTheFuture", !lost, $"{(lost ? "an add that was answered is gone after the meeting" : "the add stayed")}");
        report.Safety("AddAfterSeeingTheRemovalStays", trusting.States.All(set => set.Contains("apple")), $"{SetOperations.Show(trusting[1])}");
        report.Measure("FutureIsRefused", refusals > 0, $"{refusals} states and deltas");
        report.Safety("AddStays.FutureRefused", careful[1].Contains("apple"), $"{SetOperations.Show(careful[1])}");
    }

    private static ConvergentCast<LwwElementSet<string>> Cast(ulong seed, Duration? maxSkew) => new(
        seed,
        ["correct", "ahead"],
        new(Wires.Text, Bias.Add),
        SetOperations.ByTime,
        static node => node.Value == 2 ? Duration.FromSeconds(600) : Duration.Zero,
        maxSkew,
        SetOperations.Show);

    private static void Script(ConvergentCast<LwwElementSet<string>> cast)
    {
        cast.At(0, 1, "add apple");
        cast.AloneBetween(30, 80);
        cast.At(40, 2, "remove apple");
        cast.At(60, 1, "add apple");
        cast.SyncAt(90);
    }
}
