using System.Globalization;
using Synod.Core;
using Synod.Lab.Scenarios.Commit;
using Synod.Protocols.Commit;

namespace Synod.Lab.Costs;

/// <summary>commit.md §1.4 and §3.5, INDEX §3.</summary>
internal static class CommitCosts
{
    private static readonly Duration s_delay = Duration.FromMilliseconds(1);

    public static IReadOnlyList<CostLine> Count() =>
    [
        .. Basic(3),
        .. Basic(5),
        .. ThreePhases(5),
        .. Together("2PC", new TwoPhaseCommitBill(), 5, 0, 3, "3N-3", 3 * 5 - 3),
        .. Paxos("2PC as Paxos Commit, F=0", 5, 0, false),
        .. Paxos("Paxos Commit, F=1", 5, 1, false),
        .. Paxos("Paxos Commit, F=2", 5, 2, false),
        .. Paxos("Faster Paxos Commit, F=1", 5, 1, true),
        .. Together("Paxos Commit, F=1", Bill(1, 1, false, default), 5, 1, 4, "N(F+3)-3", 5 * 4 - 3),
        .. Together("Faster Paxos Commit, F=1", Bill(1, 1, true, default), 5, 1, 3, "(N-1)(2F+3)", 4 * 5),
    ];

    /// <summary>The coordinator apart from n participants, and every message counted.</summary>
    private static List<CostLine> Basic(int n)
    {
        var name = Size("2PC", n);
        var participants = Participants(2, n);
        var commit = CommitCount.Of(new TwoPhaseCommitBill(), n + 1, participants, Even);
        var abort = CommitCount.Of(new TwoPhaseCommitBill(), n + 1, participants, Even, refuses: participants[^1]);
        return
        [
            new(name, "messages, acks included", "4n", 4 * n, commit.All),
            new(name, "forced writes, commit", "n+1+n", 2 * n + 1, commit.Forced.Values.Sum()),
            new(name, "delays until the client knows", "2", 2, InDelays(commit.Answered)),
            new(name, "delays until all know", "3", 3, InDelays(commit.Known)),
            new(name, "forced writes, abort by one", "n-1", n - 1, abort.Forced.Values.Sum()),
            new(name, "acks, abort by one", "0", 0, abort.Messages.GetValueOrDefault("Ack")),
        ];
    }

    private static List<CostLine> ThreePhases(int n)
    {
        var name = Size("3PC", n);
        var count = CommitCount.Of(new ThreePhaseCommitBill(), n + 1, Participants(2, n), Even);
        return
        [
            new(name, "messages", "5n", 5 * n, count.All),
            new(name, "forced writes", "N+1, and N pre-commits", 2 * n + 1, count.Forced.Values.Sum()),
            new(name, "delays until the client knows", "4", 4, InDelays(count.Answered)),
            new(name, "delays until all know", "6, less the one before the coordinator", 5, InDelays(count.Known)),
        ];
    }

    /// <summary>The first participant begins, the leader and the acceptors are nodes of their own (§3.5, first columns).</summary>
    private static List<CostLine> Paxos(string name, int n, int faults, bool isFaster)
    {
        var leader = new NodeId(n + 1);
        var count = CommitCount.Of(Bill(n + 1, faults, isFaster, leader), n + 1 + 2 * faults, Participants(1, n), Even);

        // The notes' faster variant tells managers only; ours also tells the leader, which answers the client. Co-located it is one of them.
        var (formula, expected) = isFaster
            ? ("N(2F+3)-1, and F to the leader apart", n * (2 * faults + 3) - 1 + faults)
            : ("(N+1)(F+3)-4", (n + 1) * (faults + 3) - 4);
        return
        [
            new(Size(name, n), "messages", formula, expected, count.But("Ack")),
            new(Size(name, n), "delays until all know", isFaster || faults == 0 ? "4" : "5", isFaster || faults == 0 ? 4 : 5, InDelays(count.Known)),
            new(Size(name, n), "forced writes", "N+F+1", n + faults + 1, ForcedByAgreement(count)),
        ];
    }

    /// <summary>Coordinator and acceptors sit on participants (§3.5, co-located).</summary>
    private static List<CostLine> Together<TMessage, TRecord>(
        string name, Playbill<TMessage, TRecord> bill, int n, int faults, int delays, string formula, int expected)
        where TMessage : class
        where TRecord : class
    {
        var count = CommitCount.Of(bill, n, Participants(1, n), Even);
        var said = $"{Size(name, n)}, co-located";
        return
        [
            new(said, "messages", formula, expected, count.But("Ack")),
            new(said, "delays until all know", delays.ToString(CultureInfo.InvariantCulture), delays, InDelays(count.Known)),
            new(said, "forced writes", "N+F+1", n + faults + 1, ForcedByAgreement(count)),
        ];
    }

    /// <summary>The notes count what the decision waits for: not that a participant's own ending is durable before its acknowledgement.</summary>
    private static long ForcedByAgreement(CommitCount count) =>
        count.Forced.Where(item => item.Key is not ("Committed" or "Ended")).Sum(item => item.Value);

    private static PaxosCommitBill Bill(int firstAcceptor, int faults, bool isFaster, NodeId leader) =>
        new(new PaxosCommitOptions([.. Participants(firstAcceptor, 2 * faults + 1)]) { IsFaster = isFaster, Leader = leader });

    private static List<NodeId> Participants(int first, int count) => [.. Enumerable.Range(first, count).Select(id => new NodeId(id))];

    private static Duration Even(NodeId from, NodeId to) => s_delay;

    private static long InDelays(Duration time) => time.Nanoseconds / s_delay.Nanoseconds;

    private static string Size(string name, int n) => string.Create(CultureInfo.InvariantCulture, $"{name}, N={n}");
}
