using Synod.Core;
using Synod.Protocols.Consensus;

namespace Synod.Lab.Scenarios.Consensus;

/// <summary>
/// paxos.md §6: with five replicas, election by four and replication to two commits with the leader's nearest peer. The chapter's
/// "Q1=2, Q2=4" is as safe and the wrong way round for its own purpose, fast replication with rare elections.
/// </summary>
public sealed class FlexibleQuorums : Scenario
{
    /// <summary>One-way delays from the leader's site to the others, nearest first.</summary>
    private static readonly long[] s_distance = [0, 10, 40, 60, 80];

    private static readonly string[] s_names = ["L", "near", "B", "C", "far"];

    private static readonly Duration s_sync = Duration.FromMilliseconds(1);

    public override string Name => "flexible-quorums";

    public override string Title => "Five replicas: election 4, replication 2 commits with the nearest peer; election 2, replication 4 is safe and slow.";

    public override Promise Promise { get; } = Promise.That(
        "Agreement 4/2", "Agreement 2/4", "LatencyOfReplication 4/2", "LatencyOfReplication 2/4", "ReplicationIsFasterWith 4/2", "DisjointIsRefused");

    protected override void Play(Report report, ulong seed)
    {
        var (wide, narrow) = (Measure(report, seed, 4, 2), Measure(report, seed, 2, 4));
        report.Add(new(
            "Milliseconds as counted, with peers at 10, 40, 60 and 80 ms",
            ["election/replication", "election", "commit", "survives without its leader, any other"],
            [Row("4/2", wide, "1 down: elects", "2 down: cannot elect"), Row("2/4", narrow, "3 down: elects", "2 down: cannot commit")]));
        report.Tell($"With 4/2 a value is chosen when L and its nearest peer have it: {Said(wide.Commit)}. An election has to hear four of five: {Said(wide.Election)}.");
        report.Tell($"With 2/4 an election needs one peer: {Said(narrow.Election)}; but every single commit waits for the third-nearest peer: {Said(narrow.Commit)}.");
        report.Tell($"Elections are rare and commits are not. The chapter gives Q1=2, Q2=4 for cheap replication: as the papers name them it is the other way round, Q1=4, Q2=2.");
        report.Measure(
            "ReplicationIsFasterWith 4/2", wide.Commit < narrow.Commit, $"{Said(wide.Commit)} against {Said(narrow.Commit)}");
        var reason = new SizedQuorums(NodeSet.Of([.. Enumerable.Range(1, 5).Select(id => new NodeId(id))]), 2, 3).Unsafe();
        report.Safety("DisjointIsRefused", reason is not null, $"2/3 of 5: {reason ?? "accepted"}");
    }

    private static (Duration? Election, Duration? Commit) Measure(Report report, ulong seed, int elect, int replicate)
    {
        var members = NodeSet.Of([.. Enumerable.Range(1, 5).Select(id => new NodeId(id))]);
        var options = new MultiPaxosOptions { LeasesEnabled = false, ElectionTimeout = Duration.FromSeconds(5) };
        var cast = new MultiPaxosCast(seed, new SizedQuorums(members, elect, replicate), options, s_names, Distance, sync: s_sync);
        var (stage, leader) = (cast.Stage, cast.Nodes[0]);
        var (election, commit) = (default(Duration?), default(Duration?));
        report.Guard(() =>
        {
            stage.Submit(leader, new MultiPaxos.Command.Campaign());
            election = cast.Elect(Duration.FromSeconds(2)) is { } elected ? stage.Now : null;
            stage.RunUntil(Duration.FromMilliseconds(1_000));
            commit = cast.Commit(leader, "x", Duration.FromSeconds(2));
            stage.RunUntil(stage.Now + Duration.FromMilliseconds(250));
        });
        report.Show($"Election {elect}, replication {replicate}", stage.History);
        cast.Judge(report, $"Agreement {elect}/{replicate}");

        // The leader's own disk is done before any answer, so the last peer that is needed sets the time.
        var expected = Duration.FromMilliseconds(2 * s_distance[replicate - 1]) + s_sync;
        report.Measure(
            $"LatencyOfReplication {elect}/{replicate}",
            commit == expected,
            $"{Said(commit)}; a round trip to peer {replicate - 1} and its disk are {Report.Ms(expected)}");
        return (election, commit);
    }

    private static Duration Distance(NodeId from, NodeId to) =>
        Duration.FromMilliseconds(Math.Max(10, Math.Abs(s_distance[from.Value - 1] - s_distance[to.Value - 1])));

    private static string Said(Duration? time) => time is { } length ? Report.Ms(length) : "never";

    private static string[] Row(string name, (Duration? Election, Duration? Commit) item, string first, string second) =>
        [name, Said(item.Election), Said(item.Commit), $"{first}; {second}"];
}
