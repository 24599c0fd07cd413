using Synod.Core;
using Synod.Protocols.Consensus;

namespace Synod.Lab.Scenarios.Consensus;

/// <summary>
/// A leader dies with a value accepted by one follower only. Nobody knows whether it was chosen, so the next leader has to find it
/// and choose it (paxos.md §3.2): what the chapter's code, which proposes at the end of its own log, gets wrong.
/// </summary>
public sealed class MultiPaxosLeaderDies : Scenario
{
    public override string Name => "multipaxos-leader-dies";

    public override string Title => "The leader dies while a value is accepted by one follower: the next leader finds it, and it keeps its slot.";

    public override Promise Promise { get; } = Promise.That("Agreement", "AcceptedValueSurvives", "NewLeaderServes", "OldLeaderCatchesUp");

    protected override void Play(Report report, ulong seed)
    {
        var members = NodeSet.Of(new(1), new(2), new(3));
        var options = new MultiPaxosOptions { LeasesEnabled = false, ElectionTimeout = Duration.FromMilliseconds(500) };
        var cast = new MultiPaxosCast(
            seed, SizedQuorums.Majority(members), options, ["A", "B", "C"], spread: Duration.FromMilliseconds(2));
        var (stage, a, b, c) = (cast.Stage, cast.Nodes[0], cast.Nodes[1], cast.Nodes[2]);
        var (leader, crashed, elected, served) = (NodeId.None, default(Duration), default(Duration), false);
        var isPlayed = report.Guard(() =>
        {
            stage.Submit(a, new MultiPaxos.Command.Campaign());
            cast.Elect(Duration.FromSeconds(1));
            cast.Commit(a, "x", Duration.FromSeconds(1));

            // A's next value reaches B alone, and A does not live to hear that B has it.
            stage.Lose((from, to, message) => from == a && to == c && message is MultiPaxos.Message.Accept);
            stage.OnRecord(
                (node, record) => node == b && record is MultiPaxos.Record.Accepted { Value.IsEmpty: false } accepted && Text(accepted.Value) == "y",
                () => stage.Crash(a));
            stage.Submit(a, MultiPaxosCast.Propose("y"));
            stage.RunUntil(() => !stage.Cluster.IsUp(a), stage.Now + Duration.FromSeconds(1));
            crashed = stage.Now;
            leader = cast.Elect(stage.Now + Duration.FromSeconds(5)) ?? NodeId.None;
            elected = stage.Now;
            served = leader != NodeId.None && cast.Commit(leader, "z", Duration.FromSeconds(1)) is not null;
            stage.Restart(a);
            stage.RunUntil(() => cast.HasExecuted(a, "z"), stage.Now + Duration.FromSeconds(3));
        });
        report.Show("Three replicas, majorities", stage.History);
        if (!isPlayed)
        {
            return;
        }

        report.Tell($"A leads and has x chosen. Its next value y reaches B alone, and A dies before it hears of it: was y chosen? Nobody can tell.");
        report.Tell($"After {Report.Ms(elected - crashed)} without a leader, {stage.NameOf(leader)} leads. B's acceptance of y is among the promises, so y is proposed again in its slot, and z comes after it.");
        report.Tell($"A slot without a value is a new leader's own first one: once it is chosen, the leader knows all that was chosen before.");
        report.Tell($"A comes back and learns what was chosen without it.");
        cast.Judge(report);
        var slots = cast.Executed(leader);
        report.Safety(
            "AcceptedValueSurvives", slots.Values.Contains("y"), $"{stage.NameOf(leader)} executed {string.Join(", ", slots.Select(item => $"{item.Key}={item.Value}"))}");
        report.Liveness("NewLeaderServes", served, $"z was chosen under {stage.NameOf(leader)}");
        report.Liveness("OldLeaderCatchesUp", cast.HasExecuted(a, "y") && cast.HasExecuted(a, "z"), $"A has executed y and z");
    }

    private static string Text(ReadOnlyMemory<byte> value) => new Key(value).ToString();
}
