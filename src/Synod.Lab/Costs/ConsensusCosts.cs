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
        .. EPaxosOf(3),
        .. EPaxosOf(5),
    ];

    /// <summary>One command alone, and one that meets another of which only its coordinator knows (epaxos.md §10).</summary>
    private static List<CostLine> EPaxosOf(int n)
    {
        var (fast, slow) = (EPaxosCount(n, isMet: false), EPaxosCount(n, isMet: true));
        var size = string.Create(CultureInfo.InvariantCulture, $"n={n}");
        return
        [
            new("EPaxos, fast path", $"messages, {size}", "2(n-1) + (n-1)", 3 * (n - 1), fast.Messages),
            new("EPaxos, fast path", $"delays, {size}", "2", 2, fast.Delays),
            new("EPaxos, slow path", $"messages, {size}", "4(n-1) + (n-1)", 5 * (n - 1), slow.Messages),
            new("EPaxos, slow path", $"delays, {size}", "4", 4, slow.Delays),
        ];
    }

    private static (long Messages, long Delays) EPaxosCount(int n, bool isMet)
    {
        var cast = new EPaxosCast(1, [.. Enumerable.Range(1, n).Select(id => $"n{id}")], (_, _) => s_delay, sync: Duration.Zero);
        var (stage, counted) = (cast.Stage, cast.Nodes[0]);
        if (isMet)
        {
            // The other command stays with its coordinator: what it says to others is lost, and its instance is not counted.
            stage.Lose((from, _, message) => from == cast.Nodes[1] && message is EPaxos.Message.PreAccept);
            cast.Put(cast.Nodes[1], "x", "2", tag: 2);
            stage.RunUntil(Duration.FromMilliseconds(10));
        }

        var (messages, begun) = (0L, stage.Now);
        stage.Sent = (_, _, message) => messages += IsOf(message, counted) ? 1 : 0;
        cast.Put(counted, "x", "1", tag: 1);
        stage.RunUntil(() => stage[counted] is EPaxos replica && replica.Look(new(counted, 1)).Phase == EPaxos.Phase.Committed, begun + Duration.FromMilliseconds(100));
        var decided = (stage.Now - begun).Nanoseconds / s_delay.Nanoseconds;
        stage.RunUntil(begun + Duration.FromMilliseconds(20));
        return (messages, decided);
    }

    private static bool IsOf(EPaxos.Message message, NodeId coordinator) => message switch
    {
        EPaxos.Message.PreAccept m => m.Id.Replica == coordinator,
        EPaxos.Message.PreAcceptOk m => m.Id.Replica == coordinator,
        EPaxos.Message.Accept m => m.Id.Replica == coordinator,
        EPaxos.Message.AcceptOk m => m.Id.Replica == coordinator,
        EPaxos.Message.Commit m => m.Id.Replica == coordinator,
        _ => false,
    };

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
