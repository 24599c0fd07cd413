using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;

namespace Synod.Lab.Scenarios.Snapshots;

/// <summary>snapshots.md §5: a deadlock is stable, so a cut shows it; states of different times show some that never were.</summary>
public sealed class DeadlockCycle : Scenario
{
    private static readonly NodeId s_a = new(1);
    private static readonly NodeId s_b = new(2);
    private static readonly NodeId s_c = new(3);
    private static readonly NodeId s_d = new(4);

    public override string Name => "deadlock-cycle";

    public override string Title => "Three transactions wait for each other in a circle: a cut shows the cycle, and none where there is none.";

    public override Promise Promise { get; } = Promise.That(
        "SnapshotCompletes", ChandyLamport.CutConsistency, "CycleIsFound", "NoCycleBefore", "PhantomIsSeenNaively", "PhantomIsNotInCuts");

    protected override void Play(Report report, ulong seed)
    {
        var cuts = new List<Cut?>();
        Circle(report, seed, cuts);
        Phantom(report, seed, cuts);
        SnapshotCast<LockService>.Judge(report, cuts);
    }

    private static void Circle(Report report, ulong seed, List<Cut?> cuts)
    {
        var cast = Make(seed, ["A", "B", "C"], s_a, s_b, s_c);
        var stage = cast.Stage;
        var (before, during) = (default(Cut), default(Cut));
        if (!report.Guard(() =>
        {
            Lock(cast, (s_a, s_b), (s_b, s_c), (s_c, s_a));
            before = cast.Snapshot(s_a);
            Lock(cast, (s_a, s_c), (s_b, s_a));

            // The request that closes the circle is still on its way when the cut is begun.
            cast.Act(s_c, LockService.Command("lock", s_b));
            during = cast.Snapshot(s_b);
        }))
        {
            return;
        }

        cuts.AddRange([before, during]);
        report.Show("Each transaction holds one lock and wants the next", stage.History);
        var cycles = during is null ? [] : LockService.Waits(during).Cycles();
        var early = before is null ? [] : LockService.Waits(before).Cycles();
        report.Tell($"The transactions of A, B and C hold the locks of B, C and A. A cut taken now shows {Report.Many(early.Count, "cycle")}.");
        report.Tell($"Then each asks for the lock that the next one holds. The cut shows {string.Join("; ", cycles.Select(cycle => string.Join(" → ", cycle.Append(cycle[0]).Select(stage.NameOf))))}.");
        report.Liveness("CycleIsFound", cycles is [{ Count: 3 }], $"{cycles.Count} cycle of {cycles.Sum(cycle => cycle.Count)}");
        report.Safety("NoCycleBefore", early.Count == 0, $"{early.Count} before the circle was closed");
    }

    private static void Phantom(Report report, ulong seed, List<Cut?> cuts)
    {
        var cast = Make(seed, ["A", "B", "C", "D"], s_a, s_b, s_c, s_d);
        var (early, late) = (default(Cut), default(Cut));
        if (!report.Guard(() =>
        {
            // A holds D's lock and waits for C's, which B holds. B gives it back, and only then waits for D's.
            Lock(cast, (s_a, s_d), (s_b, s_c), (s_a, s_c));
            early = cast.Snapshot(s_a);
            cast.Act(s_b, LockService.Command("release", s_c));
            cast.Stage.RunUntil(cast.Stage.Now + Duration.FromMilliseconds(40));
            Lock(cast, (s_b, s_d));
            late = cast.Snapshot(s_a);
        }) || early is null || late is null)
        {
            return;
        }

        cuts.AddRange([early, late]);
        var naive = LockService.NaiveUnion([early[s_c]!.State, late[s_d]!.State]).Cycles();
        var inCuts = LockService.Waits(early).Cycles().Count + LockService.Waits(late).Cycles().Count;
        report.Tell($"With two transactions that never wait for each other at one time, C's earlier state and D's later one put together show {naive.Count} deadlock: nobody ever was in it. The two cuts show {inCuts}.");
        report.Measure("PhantomIsSeenNaively", naive.Count == 1, $"{naive.Count} cycle in states of different times");
        report.Safety("PhantomIsNotInCuts", inCuts == 0, $"{inCuts} cycles in the cuts");
    }

    private static SnapshotCast<LockService> Make(ulong seed, IReadOnlyList<string> names, params ReadOnlySpan<NodeId> nodes) =>
        new(seed, Topology.Mesh(1, NodeSet.Of(nodes)), names, _ => new LockService());

    private static void Lock(SnapshotCast<LockService> cast, params ReadOnlySpan<(NodeId Transaction, NodeId Manager)> locks)
    {
        foreach (var (transaction, manager) in locks)
        {
            cast.Act(transaction, LockService.Command("lock", manager));
            cast.Stage.RunUntil(cast.Stage.Now + Duration.FromMilliseconds(40));
        }
    }
}
