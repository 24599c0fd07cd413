using Synod.Core;

namespace Synod.Lab.Scenarios.Consensus;

/// <summary>epaxos.md §4, §11.2: two replicas set the same key at once. One sees the other, pays a second round, and all agree on the order.</summary>
public sealed class EPaxosConflict : Scenario
{
    private static readonly Duration s_hop = Duration.FromMilliseconds(10);

    public override string Name => "epaxos-conflict";

    public override string Title => "Two replicas write the same key at once, without a leader: one order everywhere, and a second round for who comes second.";

    public override Promise Promise { get; } = Promise.That(
        "AgreementAndVisibility", "OneOrder", "BothAreServed", "OtherKeysTakeOneRound", "SecondPaysASecondRound");

    protected override void Play(Report report, ulong seed)
    {
        var cast = new EPaxosCast(seed, ["A", "B", "C"], (_, _) => s_hop, sync: Duration.Zero);
        var (stage, a, b, c) = (cast.Stage, cast.Nodes[0], cast.Nodes[1], cast.Nodes[2]);

        // A and C want x; C a little later, so that B has heard of A's when C's arrives. B wants something else.
        cast.Put(a, "x", "1", tag: 1);
        cast.Put(b, "y", "2", tag: 2);
        var later = Duration.FromMilliseconds(3);
        stage.At(later, () => cast.Put(c, "x", "3", tag: 3));
        if (!report.Guard(() => stage.RunUntil(Duration.FromMilliseconds(80))))
        {
            return;
        }

        var (first, other, second) = (cast.Answered(1), cast.Answered(2), cast.Answered(3) - later);
        report.Show("Three replicas; A and C set x, B sets y", stage.History);
        report.Tell($"A sets x=1, C sets x=3 before it has heard of that, B sets y=2. Each asks the others at once; nobody leads.");
        report.Tell($"B saw A's command first and tells C so. C has to make the others accept that dependency: {Said(second)} instead of {Said(first)}.");
        report.Tell($"y interferes with neither: {Said(other)}. Everybody executes x in the order {string.Join(", ", Order(cast, a))}.");
        cast.Judge(report);
        report.Safety(
            "OneOrder",
            cast.Nodes.All(node => Order(cast, node).SequenceEqual(Order(cast, a))) && Order(cast, a).Count == 2,
            $"{string.Join("; ", cast.Nodes.Select(node => $"{stage.NameOf(node)}: {string.Join(" ", Order(cast, node))}"))}");
        report.Liveness("BothAreServed", first is not null && other is not null && second is not null, $"{stage.Answers.Count} of 3 answered");
        report.Measure("OtherKeysTakeOneRound", first == s_hop * 2 && other == s_hop * 2, $"{Said(first)} and {Said(other)}; a round is {Report.Ms(s_hop * 2)}");
        report.Measure("SecondPaysASecondRound", second == s_hop * 4, $"{Said(second)}");
    }

    private static List<string> Order(EPaxosCast cast, NodeId node) => cast.Executed.TryGetValue(node, out var executed)
        ? executed.FindAll(item => item.StartsWith("x=", StringComparison.Ordinal))
        : [];

    private static string Said(Duration? time) => time is { } length ? Report.Ms(length) : "never";
}
