using Synod.Core;
using Synod.Crdt;

namespace Synod.Lab.Scenarios.Convergence;

/// <summary>One story of a shopping cart, kept by an OR-Set, by a LWW-Element-Set, and by one under a clock that is ahead (crdt.md §4.3, §4.4).</summary>
public sealed class ShoppingCart : Scenario
{
    private static readonly string[] s_devices = ["phone", "laptop"];

    public override string Name => "shopping-cart";

    public override string Title => "A phone and a laptop edit one cart offline: what is in it in the end depends on the kind of set, and on clocks.";

    public override Promise Promise { get; } = Promise
        .That(
            "StrongEventualConsistency.OrSet", "EveryoneHasSeenEverything.OrSet", "AddWins.OrSet",
            "StrongEventualConsistency.ExactClocks", "EveryoneHasSeenEverything.ExactClocks", "LastActionWins.ExactClocks",
            "StrongEventualConsistency.PhoneAhead", "EveryoneHasSeenEverything.PhoneAhead", "CartsDiffer")
        .ButNot("LastActionWins.PhoneAhead");

    protected override void Play(Report report, ulong seed)
    {
        var orSet = new ConvergentCast<OrSet<string>>(seed, s_devices, new(Wires.Text), SetOperations.Observed);
        var (exact, ahead) = (ByTime(seed, Duration.Zero), ByTime(seed, Duration.FromSeconds(2)));
        if (!Script(orSet, report, "OR-Set") || !Script(exact, report, "LWW-Element-Set") || !Script(ahead, report, "LWW-Element-Set, the phone's clock 2 s ahead"))
        {
            return;
        }

        report.Tell($"Both devices know of milk and bread. Offline, the phone takes out the milk and adds bread once more; a little later the laptop adds milk once more and takes out the bread.");
        report.Tell($"The OR-Set has {orSet[1]}: neither removal had seen the other device's add, and an add wins over a removal that has not seen it, whichever came first.");
        report.Tell($"The LWW-Element-Set has {SetOperations.Show(exact[1])}: the later action on each article counts, and the laptop's were later.");
        report.Tell($"With the phone's clock ahead it has {SetOperations.Show(ahead[1])}: the phone's actions carry the later times, and what the laptop did later is lost without a trace.");
        orSet.JudgeConvergence(report, ".OrSet");
        exact.JudgeConvergence(report, ".ExactClocks");
        ahead.JudgeConvergence(report, ".PhoneAhead");
        orSet.JudgeAddWins(report, static set => set.Elements, ".OrSet");
        LastActionWins(report, exact, ".ExactClocks");
        LastActionWins(report, ahead, ".PhoneAhead");
        string[] carts = [$"{orSet[1]}", SetOperations.Show(exact[1]), SetOperations.Show(ahead[1])];
        report.Measure("CartsDiffer", carts.Distinct().Count() == carts.Length, $"{string.Join(", ", carts)}");
    }

    private static ConvergentCast<LwwElementSet<string>> ByTime(ulong seed, Duration ahead) => new(
        seed,
        s_devices,
        new(Wires.Text, Bias.Add),
        SetOperations.ByTime,
        node => node.Value == 1 ? ahead : Duration.Zero,
        print: SetOperations.Show);

    private static bool Script<TState>(ConvergentCast<TState> cast, Report report, string heading)
        where TState : class, ILattice<TState>
    {
        cast.At(0, 2, "add milk");
        cast.At(3, 2, "add bread");
        cast.AloneBetween(30, 90);
        cast.At(40, 1, "remove milk");
        cast.At(45, 1, "add bread");
        cast.At(60, 2, "add milk");
        cast.At(65, 2, "remove bread");
        cast.SyncAt(100);
        return cast.Play(report, heading, 200);
    }

    /// <summary>What a user expects who looks at the clock on the wall: the last action on an article decides.</summary>
    private static void LastActionWins(Report report, ConvergentCast<LwwElementSet<string>> cast, string of)
    {
        var last = cast.Happenings.GroupBy(what => cast.Subjects[what.Number]).Select(actions => actions.Last());
        var lost = last.Where(what => cast[1].Contains(cast.Subjects[what.Number]) != (what.Operation == "add"))
            .Select(what => $"'{what.Operation} {cast.Subjects[what.Number]}' came last and has no effect").ToList();
        report.Safety($"LastActionWins{of}", lost.Count == 0, $"{(lost.Count == 0 ? SetOperations.Show(cast[1]) : string.Join("; ", lost))}");
    }
}
