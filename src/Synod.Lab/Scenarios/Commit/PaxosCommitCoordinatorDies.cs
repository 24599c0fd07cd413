using Synod.Core;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

/// <summary>commit.md §3.7: with three acceptors the votes outlive the coordinator, and whoever waits can find out what was chosen.</summary>
public sealed class PaxosCommitCoordinatorDies : Scenario
{
    private static readonly Duration s_detection = Duration.FromMilliseconds(200);

    public override string Name => "paxos-commit-coordinator-dies";

    public override string Title => "The coordinator dies with the votes in hand, as in 2pc-blocking: the acceptors have them too, and nobody is blocked.";

    public override Promise Promise { get; } =
        Promise.That("Agreement", "CommitValidity", "Ledger.Agreement", "NonBlocking", "EndsWithoutCoordinator");

    protected override void Play(Report report, ulong seed)
    {
        var options = new PaxosCommitOptions(new NodeId(1), new NodeId(2), new NodeId(3));
        var cast = new CommitCast<PaxosCommit.Message, PaxosCommit.Record>(
            new PaxosCommitBill(options), seed, ["K", "A", "B", "C"], Duration.FromMilliseconds(2));
        var (stage, k) = (cast.Stage, cast.Nodes[0]);
        NodeId[] rest = [.. cast.Nodes.Skip(1)];
        stage.OnArrival((_, to, message) => to == k && message is PaxosCommit.Message.Phase2b, () =>
        {
            stage.Crash(k);
            stage.At(stage.Now + s_detection, () => cast.Suspect(rest, k));
        });

        // What K decided in the step of that arrival does not get out.
        stage.Lose((from, _, message) => from == k && message is PaxosCommit.Message.Decide);
        cast.BeginOn(rest);
        report.Guard(() => stage.RunUntil(
            () => rest.All(node => cast.Witness(cast.First).EndingOn(node) is not null), Duration.FromSeconds(10)));
        report.Guard(() => stage.RunUntil(stage.Now + Duration.FromMilliseconds(30)));
        report.Show("Paxos Commit, F=1, acceptors K, A and B", stage.History);
        report.Tell($"A, B and C send their votes as Paxos proposals to the acceptors K and A. K dies when it has heard of all of them, and tells nobody.");
        report.Tell($"A hears that K seems dead and leads a ballot of its own: the majority A and B of the acceptors is enough, and A has the votes. Had the detector been wrong, the ballots would still agree.");
        foreach (var (node, wait) in cast.Witness(cast.First).Waits(stage.Now))
        {
            report.Tell($"{stage.NameOf(node)} was in doubt for {Report.Ms(wait)} and {(cast.Witness(cast.First).EndingOn(node) == true ? "committed" : "aborted")}. K is still down.");
        }

        // The detector, the votes before it, and two phases and the word after it.
        cast.Judge(report, cast.First, tag: 1, rest, s_detection + Duration.FromMilliseconds(100));
        report.Liveness(
            "EndsWithoutCoordinator",
            !stage.Cluster.IsUp(k) && rest.All(node => cast.Witness(cast.First).EndingOn(node) is not null),
            $"K is down, and A, B and C know the outcome");
    }
}
