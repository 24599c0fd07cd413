using System.Globalization;
using Synod.Core;
using Synod.Lab.Scenarios.Consensus;
using Synod.Protocols.Consensus;

namespace Synod.Lab.Costs;

/// <summary>INDEX §3: a stable leader, and one command.</summary>
internal static class ConsensusCosts
{
    private static readonly Duration s_delay = Duration.FromMilliseconds(1);

    public static IReadOnlyList<CostLine> Count() =>
    [
        .. MultiPaxosOf("Multi-Paxos", 3, 2, 2),
        .. MultiPaxosOf("Multi-Paxos", 5, 3, 3),
        .. MultiPaxosOf("Flexible Paxos 4/2", 5, 4, 2),
    ];

    private static List<CostLine> MultiPaxosOf(string name, int n, int elect, int replicate)
    {
        var members = NodeSet.Of([.. Enumerable.Range(1, n).Select(id => new NodeId(id))]);
        var options = new MultiPaxosOptions { LeasesEnabled = false, HeartbeatInterval = Duration.FromSeconds(1), ElectionTimeout = Duration.FromSeconds(5) };
        var cast = new MultiPaxosCast(
            1, new SizedQuorums(members, elect, replicate), options, [.. members.Select(node => $"{node}")], (_, _) => s_delay, sync: Duration.Zero);
        var (stage, leader, messages, records) = (cast.Stage, cast.Nodes[0], 0L, 0L);
        stage.Submit(leader, new MultiPaxos.Command.Campaign());
        cast.Elect(Duration.FromSeconds(1));
        stage.RunUntil(Duration.FromMilliseconds(100));
        stage.Sent = (_, _, _) => messages++;
        stage.Recorded = (_, record) => records += record is MultiPaxos.Record.Accepted ? 1 : 0;
        var took = cast.Commit(leader, "x", Duration.FromSeconds(1)) ?? Duration.Zero;
        stage.RunUntil(stage.Now + s_delay * 3);
        var size = string.Create(CultureInfo.InvariantCulture, $"N={n}");
        return
        [
            new(name, $"messages, {size}", "2(N-1)", 2 * (n - 1), messages),
            new(name, $"delays, {size}", "2", 2, took.Nanoseconds / s_delay.Nanoseconds),
            new(name, $"forced writes, {size}", "N", n, records),
        ];
    }
}
