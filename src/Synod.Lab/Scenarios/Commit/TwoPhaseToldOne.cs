using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

/// <summary>commit.md §1.7, 1, second half: one participant was told, so the others can learn it from there.</summary>
public sealed class TwoPhaseToldOne : Scenario
{
    public override string Name => "2pc-coordinator-told-one";

    public override string Title => "The coordinator dies after telling one participant: the others ask it, and nobody is blocked.";

    public override Promise Promise { get; } =
        Promise.That("Agreement", "CommitValidity", "Ledger.Agreement", "NonBlocking", "EndsWithoutCoordinator");

    protected override void Play(Report report, ulong seed)
    {
        var options = TwoPhaseCommitOptions.Default;
        var cast = new CommitCast<TwoPhaseCommit.Message, TwoPhaseCommit.Record>(
            new TwoPhaseCommitBill(options), seed, ["K", "A", "B", "C"], Duration.FromMilliseconds(2));
        var (stage, k, a) = (cast.Stage, cast.Nodes[0], cast.Nodes[1]);
        stage.Lose((_, to, message) => to != a && message is TwoPhaseCommit.Message.Decide);
        stage.OnRecord((node, record) => node == k && record is TwoPhaseCommit.Record.Decided, () => stage.Crash(k));
        cast.BeginOn(cast.Nodes.Skip(1));
        if (!report.Guard(() => stage.RunUntil(Duration.FromMilliseconds(1_300))))
        {
            return;
        }

        var witness = cast.Witness(cast.First);
        report.Show("Two-phase commit, the coordinator gone for good", stage.History);
        report.Tell($"All three voted yes. K made its decision durable and died while telling it: only A's copy got through.");
        report.Tell($"B and C wait for {Report.Ms(options.Inquire)}, then ask K, which is gone, and each other and A, which knows.");
        foreach (var (node, wait) in witness.Waits(stage.Now))
        {
            report.Tell($"{stage.NameOf(node)} was in doubt for {Report.Ms(wait)}.");
        }

        cast.Judge(report, cast.First, tag: 1, [.. cast.Nodes.Skip(1)], options.Inquire + Duration.FromMilliseconds(30));
        report.Liveness(
            "EndsWithoutCoordinator",
            !stage.Cluster.IsUp(k) && cast.Nodes.Skip(1).All(node => witness.EndingOn(node) is not null),
            $"K is down, and A, B and C know the outcome");
    }
}
