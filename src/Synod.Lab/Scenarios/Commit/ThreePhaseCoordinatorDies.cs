using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

/// <summary>
/// commit.md §2: where processes only crash, messages arrive in time and suspicion is never wrong, nobody waits for the coordinator:
/// neither before anyone has pre-committed, nor after one has.
/// </summary>
public sealed class ThreePhaseCoordinatorDies : Scenario
{
    private static readonly Duration s_detection = Duration.FromMilliseconds(200);

    /// <summary>The failure detector, five delays of at most 12 ms with their records, and what was on the way before.</summary>
    private static readonly Duration s_patience = Duration.FromMilliseconds(200 + 100);

    public override string Name => "3pc-coordinator-dies";

    public override string Title => "The coordinator dies after the votes, or after one PreCommit: a backup finishes at once, if failures are never mistaken.";

    public override Promise Promise { get; } = Promise.That(
        [.. new[] { "Agreement", "CommitValidity", "Ledger.Agreement", "NonBlocking", "EndsWithoutCoordinator" }
            .SelectMany(name => new[] { $"{name} (all wait)", $"{name} (one pre-committed)" })]);

    protected override void Play(Report report, ulong seed)
    {
        var waiting = Play(report, seed, " (all wait)", told: 0);
        var told = Play(report, seed, " (one pre-committed)", told: 1);
        report.Tell($"With all votes in and nobody told, K dies. A, the lowest that lives, asks where the others stand: all wait, nobody can have committed, so it is {Said(waiting)}.");
        report.Tell($"If A had the PreCommit, K may have committed and died. A brings B and C to the same state first, and it is {Said(told)}.");
        report.Tell($"Nobody waited longer than {Report.Ms(s_detection)} for the failure detector and the rounds that follow. All of it hangs on that detector: see 3pc-partition.");
    }

    private static bool? Play(Report report, ulong seed, string suffix, int told)
    {
        var cast = new CommitCast<ThreePhaseCommit.Message, ThreePhaseCommit.Record>(
            new ThreePhaseCommitBill(), seed, ["K", "A", "B", "C"], Duration.FromMilliseconds(2));
        var (stage, k, a) = (cast.Stage, cast.Nodes[0], cast.Nodes[1]);
        NodeId[] rest = [.. cast.Nodes.Skip(1)];
        var votes = 0;
        if (told == 0)
        {
            stage.OnArrival((_, to, message) => to == k && message is ThreePhaseCommit.Message.Vote && ++votes == 3, Die);
            stage.Lose((from, _, message) => from == k && message is ThreePhaseCommit.Message.PreCommit);
        }
        else
        {
            stage.Lose((from, to, message) => from == k && to != a && message is ThreePhaseCommit.Message.PreCommit);
            stage.OnArrival((_, to, message) => to == a && message is ThreePhaseCommit.Message.PreCommit, Die);
        }

        cast.BeginOn(rest);
        report.Guard(() => stage.RunUntil(Duration.FromMilliseconds(600)));
        report.Show(told == 0 ? "Three-phase commit, the coordinator dies with the votes" : "Three-phase commit, one participant has pre-committed", stage.History);
        cast.Judge(report, cast.First, tag: 1, rest, s_patience, suffix);
        report.Liveness(
            $"EndsWithoutCoordinator{suffix}",
            !stage.Cluster.IsUp(k) && rest.All(node => cast.Witness(cast.First).EndingOn(node) is not null),
            $"K is down, and A, B and C know the outcome");
        return cast.Witness(cast.First).EndingOn(a);

        void Die()
        {
            stage.Crash(k);
            stage.At(stage.Now + s_detection, () => cast.Suspect(rest, k));
        }
    }

    private static string Said(bool? ending) => ending switch { true => "committed", false => "aborted", null => "open" };
}
