using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

/// <summary>
/// commit.md §2.3, step by step: the network splits into {A, B} | {C}, each side takes the other for crashed, and each finishes. The
/// split decision is what three-phase commit does in a network that is not synchronous; the promise is that it shows.
/// </summary>
public sealed class ThreePhasePartition : Scenario
{
    public override string Name => "3pc-partition";

    public override string Title => "The network splits {A, B} | {C}: A and B commit, C aborts. Three-phase commit is not safe where suspicion can be wrong.";

    public override Promise Promise { get; } = Promise.That("CommitValidity", "NonBlocking").ButNot("Agreement", "Ledger.Agreement");

    protected override void Play(Report report, ulong seed)
    {
        var cast = new CommitCast<ThreePhaseCommit.Message, ThreePhaseCommit.Record>(
            new ThreePhaseCommitBill(), seed, ["K", "A", "B", "C"], Duration.FromMilliseconds(2));
        var (stage, k, a, b, c) = (cast.Stage, cast.Nodes[0], cast.Nodes[1], cast.Nodes[2], cast.Nodes[3]);
        var preCommitted = 0;

        // K's PreCommit to C is slow; by then A and B have theirs, K is dead, and C is on its own.
        stage.Hold((from, to, message) => from == k && to == c && message is ThreePhaseCommit.Message.PreCommit, Duration.FromMilliseconds(500));
        stage.OnRecord((_, record) => record is ThreePhaseCommit.Record.PreCommitted && ++preCommitted == 2, () =>
        {
            stage.Crash(k);
            stage.Cut(NodeSet.Of(a, b), NodeSet.Of(c));
            stage.At(stage.Now + Duration.FromMilliseconds(200), () =>
            {
                cast.Suspect([a, b], k, c);
                cast.Suspect([c], k, a, b);
            });
        });
        cast.BeginOn([a, b, c]);
        stage.At(Duration.FromMilliseconds(450), stage.Heal);
        report.Guard(() => stage.RunUntil(Duration.FromMilliseconds(700)));
        var witness = cast.Witness(cast.First);
        report.Show("Three-phase commit across a partition", stage.History);
        report.Tell($"A, B and C have voted yes. A and B learn of that (PreCommit), C's copy is slow. Then K dies and the network splits.");
        report.Tell($"A and B take K and C for crashed. Both have pre-committed, so they commit: A {Said(witness.EndingOn(a))}, B {Said(witness.EndingOn(b))}.");
        report.Tell($"C takes everybody else for crashed. It waits, as far as it knows nobody has pre-committed, so it aborts: C {Said(witness.EndingOn(c))}.");
        report.Tell($"Each side follows the protocol to the letter. When the network heals, money has moved in two of three databases.");
        cast.Judge(report, cast.First, tag: 1, [a, b, c], Duration.FromMilliseconds(300));
    }

    private static string Said(bool? ending) => ending switch { true => "committed", false => "aborted", null => "is open" };
}
