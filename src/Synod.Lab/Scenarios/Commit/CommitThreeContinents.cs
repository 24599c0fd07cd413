using Synod.Core;
using Synod.Lab.Costs;
using Synod.Protocols.Commit;

namespace Synod.Lab.Scenarios.Commit;

/// <summary>
/// The chapter's transaction over three continents, 150 ms for a round: its 300 ms are two rounds until the coordinator may forget.
/// The client can be told after one, and what the other protocols pay for not blocking is counted beside it.
/// </summary>
public sealed class CommitThreeContinents : Scenario
{
    private static readonly Duration s_ocean = Duration.FromMilliseconds(75);
    private static readonly Duration s_near = Duration.FromMilliseconds(1);

    public override string Name => "commit-three-continents";

    public override string Title => "Three participants on three continents, 150 ms a round: the chapter's 300 ms, and what each protocol pays.";

    public override Promise Promise { get; } = Promise.That(
        "TwoRoundsAre300", "2PC tells its client after one round", "3PC tells its client after two rounds",
        "Paxos Commit tells its client after one and a half", "Faster Paxos Commit lets all know after one and a half");

    protected override void Play(Report report, ulong seed)
    {
        // K sits with A; B and C are overseas, also from each other.
        List<NodeId> participants = [new(2), new(3), new(4)];
        var acceptors = new PaxosCommitOptions(new NodeId(1), new NodeId(3), new NodeId(4));
        var two = CommitCount.Of(new TwoPhaseCommitBill(), 4, participants, Distance);
        var three = CommitCount.Of(new ThreePhaseCommitBill(), 4, participants, Distance);
        var paxos = CommitCount.Of(new PaxosCommitBill(acceptors), 4, participants, Distance);
        var faster = CommitCount.Of(new PaxosCommitBill(acceptors with { IsFaster = true }), 4, participants, Distance);
        report.Add(new(
            "One transaction; disks take no time here",
            ["protocol", "client knows", "all know", "coordinator forgets", "messages", "forced writes", "survives its coordinator"],
            [Row("2PC", two, "no: blocks"), Row("3PC", three, "if no failure is mistaken"), Row("Paxos Commit, F=1", paxos, "yes"), Row("Faster Paxos Commit, F=1", faster, "yes")]));
        report.Tell($"Two-phase commit: prepare and vote are one round, commit and ack another. The chapter's 300 ms are both, {Report.Ms(two.Forgotten)} until K may forget; but the decision is durable after one, and K tells the client at {Report.Ms(two.Answered)}.");
        report.Tell($"Three-phase commit pays a round more before anybody may be told: {Report.Ms(three.Answered)}.");
        report.Tell($"Paxos Commit writes the votes to acceptors on two continents: half a round more, {Report.Ms(paxos.Answered)}. If the acceptors tell everybody at once, all know at {Report.Ms(faster.Known)} instead of {Report.Ms(paxos.Known)}.");
        report.Measure("TwoRoundsAre300", two.Forgotten == s_ocean * 4, $"{Report.Ms(two.Forgotten)} until the last ack");
        report.Measure("2PC tells its client after one round", two.Answered == s_ocean * 2, $"{Report.Ms(two.Answered)}");
        report.Measure("3PC tells its client after two rounds", three.Answered == s_ocean * 4, $"{Report.Ms(three.Answered)}");
        report.Measure("Paxos Commit tells its client after one and a half", paxos.Answered == s_ocean * 3, $"{Report.Ms(paxos.Answered)}");
        report.Measure("Faster Paxos Commit lets all know after one and a half", faster.Known == s_ocean * 3, $"{Report.Ms(faster.Known)}");
    }

    private static Duration Distance(NodeId from, NodeId to) => from.Value <= 2 && to.Value <= 2 ? s_near : s_ocean;

    private static string[] Row(string name, CommitCount count, string survives) =>
    [
        name, Report.Ms(count.Answered), Report.Ms(count.Known), Report.Ms(count.Forgotten), $"{count.All}", $"{count.Forced.Values.Sum()}", survives,
    ];
}
