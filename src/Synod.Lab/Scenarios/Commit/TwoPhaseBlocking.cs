using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

/// <summary>commit.md §1.7, 1: everyone voted yes, and the only one who could decide is away.</summary>
public sealed class TwoPhaseBlocking : Scenario
{
    private static readonly Duration s_back = Duration.FromMilliseconds(5_000);

    /// <summary>One inquiry, its answer, and the record.</summary>
    private static readonly Duration s_patience = Duration.FromMilliseconds(3_030);

    public override string Name => "2pc-blocking";

    public override string Title => "The coordinator dies after all votes and before the decision: everyone waits, locks held, until it is back.";

    public override Promise Promise { get; } =
        Promise.That("Agreement", "CommitValidity", "Ledger.Agreement", "LocksHeldMeanwhile", "EndsAfterReturn").ButNot("NonBlocking");

    protected override void Play(Report report, ulong seed)
    {
        var options = TwoPhaseCommitOptions.Default with { Inquire = Duration.FromMilliseconds(3_000) };
        var cast = new CommitCast<TwoPhaseCommit.Message, TwoPhaseCommit.Record>(
            new TwoPhaseCommitBill(options), seed, ["K", "A", "B", "C"], Duration.FromMilliseconds(1));
        var (stage, k, a) = (cast.Stage, cast.Nodes[0], cast.Nodes[1]);
        var votes = 0;
        stage.OnArrival((_, to, message) => to == k && message is TwoPhaseCommit.Message.Vote && ++votes == 3, () => stage.Crash(k));
        stage.At(s_back, () => stage.Restart(k));

        // Another client wants A's key, while it is locked and afterwards.
        stage.At(Duration.FromMilliseconds(1_000), () => stage.Submit(a, CommitCast<TwoPhaseCommit.Message, TwoPhaseCommit.Record>.Begin((a, "x", "7")), tag: 2));
        stage.At(Duration.FromMilliseconds(7_000), () => stage.Submit(a, CommitCast<TwoPhaseCommit.Message, TwoPhaseCommit.Record>.Begin((a, "x", "8")), tag: 3));
        cast.BeginOn(cast.Nodes.Skip(1));
        if (!report.Guard(() => stage.RunUntil(Duration.FromMilliseconds(7_100))))
        {
            return;
        }

        var witness = cast.Witness(cast.First);
        report.Show("Two-phase commit, the coordinator away for five seconds", stage.History);
        report.Tell($"K asks A, B and C to prepare; each makes its promise durable, votes yes, and from then on may neither commit nor abort alone.");
        report.Tell($"K dies with the last vote in its hands, before its decision is durable. Nobody was told anything.");
        foreach (var (node, wait) in witness.Waits(stage.Now).Where(item => item.Node != k))
        {
            report.Tell($"{stage.NameOf(node)} waits {Report.Ms(wait)} for the decision, its key locked. It asks the others, but they know no more.");
        }

        report.Tell($"Meanwhile another client is turned away from A's key: {Ending(cast.Told(2))}. After K's return the same write is {Ending(cast.Told(3))}.");
        report.Tell($"K comes back after {Report.Ms(s_back)}, finds {(witness.EndingOn(a) == true ? "its decision on the disk, which the crash did not tear" : "no decision on its disk, which means abort")}, and the others hear of it.");
        cast.Judge(report, cast.First, tag: 1, [.. cast.Nodes.Skip(1)], s_patience);
        report.Safety("LocksHeldMeanwhile", cast.Told(2) == false, $"a conflicting write was {Ending(cast.Told(2))} while A was in doubt");
        report.Liveness(
            "EndsAfterReturn",
            cast.Nodes.Skip(1).All(node => witness.EndingOn(node) is not null) && cast.Told(3) == true,
            $"all three know the outcome, and the key is free again");
    }

    private static string Ending(bool? told) => told switch { true => "committed", false => "aborted", null => "not answered" };
}
