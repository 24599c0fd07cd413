using Synod.Core;
using Synod.Protocols.Consensus;

namespace Synod.Lab.Scenarios.Consensus;

/// <summary>
/// epaxos.md §1, §10: clients on several continents, each beside a replica. Without a leader everyone commits with the nearest quorum;
/// with one, whoever is far from it goes there first. Both are run, and the clients' way to the leader and back is added.
/// </summary>
public sealed class EPaxosLeaderless : Scenario
{
    private static readonly string[] s_names = ["Virginia", "Ireland", "Tokyo", "Oregon", "Sydney"];

    /// <summary>One-way delays in milliseconds.</summary>
    private static readonly long[,] s_delays =
    {
        { 0, 35, 75, 30, 100 },
        { 35, 0, 105, 65, 130 },
        { 75, 105, 0, 45, 55 },
        { 30, 65, 45, 0, 70 },
        { 100, 130, 55, 70, 0 },
    };

    public override string Name => "epaxos-leaderless";

    public override string Title => "Three and five sites: every site commits with its nearest quorum, instead of going to a leader far away.";

    public override Promise Promise { get; } = Promise.That(
        "AgreementAndVisibility (3)", "AgreementAndVisibility (5)", "NearestQuorum (3)", "NearestQuorum (5)",
        "NobodyIsSlower (3)", "NobodyIsSlower (5)", "LeaderAgreement (3)", "LeaderAgreement (5)");

    protected override void Play(Report report, ulong seed)
    {
        foreach (var sites in new[] { 3, 5 })
        {
            Compare(report, seed, sites);
        }
    }

    private static void Compare(Report report, ulong seed, int sites)
    {
        var suffix = $" ({sites})";
        var cast = new EPaxosCast(seed, s_names[..sites], Delay, sync: Duration.Zero);
        foreach (var node in cast.Nodes)
        {
            cast.Put(node, $"k{node.Value}", "1", tag: node.Value);
        }

        report.Guard(() => cast.Stage.RunUntil(Duration.FromMilliseconds(600)));
        var leaderless = cast.Nodes.Select(node => cast.Answered(node.Value)).ToList();
        if (sites == 3)
        {
            report.Show("Three sites, each with a command of its own", cast.Stage.History);
        }

        // The farthest from everyone leads: where the first to start happened to be.
        var leader = new NodeId(sites);
        var led = Led(report, seed, sites, leader, suffix);
        var rows = cast.Nodes.Select((node, index) => (
            Name: s_names[index],
            Without: leaderless[index],
            With: led is { } commit ? commit + Delay(node, leader) * 2 : default(Duration?),
            Nearest: Nearest(node, sites, cast.Group.Fast))).ToList();
        report.Add(new(
            $"{sites} sites: milliseconds until a client knows, leader of Multi-Paxos in {s_names[sites - 1]}",
            ["client in", "EPaxos", "nearest fast quorum", "Multi-Paxos"],
            [.. rows.Select(row => (IReadOnlyList<string>)[row.Name, Said(row.Without), Report.Ms(row.Nearest), Said(row.With)])]));
        report.Tell($"With {sites} sites a fast quorum is {cast.Group.Fast} replicas, the own one included. {rows[0].Name} commits in {Said(rows[0].Without)}; through a leader in {s_names[sites - 1]} it takes {Said(rows[0].With)}.");
        cast.Judge(report, suffix);
        report.Measure($"NearestQuorum{suffix}", rows.TrueForAll(row => row.Without == row.Nearest), $"every site takes a round trip to the last of its {cast.Group.Fast - 1} nearest");
        report.Measure($"NobodyIsSlower{suffix}", rows.TrueForAll(row => row.Without <= row.With), $"at every site");
    }

    /// <summary>How long a command takes at the leader itself.</summary>
    private static Duration? Led(Report report, ulong seed, int sites, NodeId leader, string suffix)
    {
        var members = NodeSet.Of([.. Enumerable.Range(1, sites).Select(id => new NodeId(id))]);
        var options = new MultiPaxosOptions { LeasesEnabled = false, ElectionTimeout = Duration.FromSeconds(5), HeartbeatInterval = Duration.FromSeconds(1) };
        var cast = new MultiPaxosCast(seed, SizedQuorums.Majority(members), options, s_names[..sites], Delay, sync: Duration.Zero);
        var took = default(Duration?);
        report.Guard(() =>
        {
            cast.Stage.Submit(leader, new MultiPaxos.Command.Campaign());
            cast.Elect(Duration.FromSeconds(5));
            took = cast.Commit(leader, "x", Duration.FromSeconds(5));
        });
        cast.Judge(report, $"LeaderAgreement{suffix}");
        return took;
    }

    private static Duration Nearest(NodeId node, int sites, int quorum) => Enumerable.Range(1, sites)
        .Select(other => Delay(node, new NodeId(other)) * 2).Order().ElementAt(quorum - 1);

    private static Duration Delay(NodeId from, NodeId to) => Duration.FromMilliseconds(s_delays[from.Value - 1, to.Value - 1]);

    private static string Said(Duration? time) => time is { } length ? Report.Ms(length) : "never";
}
