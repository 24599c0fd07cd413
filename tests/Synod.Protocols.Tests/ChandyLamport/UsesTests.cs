using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Play = Stage<Snapshots.ChandyLamport.Message, Snapshots.ChandyLamport.Record, Snapshots.ChandyLamport.Command, Snapshots.ChandyLamport.Result>;
using Process = Snapshots.ChandyLamport;

/// <summary>What cuts are for: deadlocks, termination, conserved quantities (snapshots.md §5 and §6).</summary>
public sealed class UsesTests
{
    [Fact]
    public void A_cycle_of_locks_is_a_deadlock_and_is_reported_from_its_least_member()
    {
        var graph = Graph((3, 1, WaitKind.All, [1]), (1, 1, WaitKind.All, [2]), (2, 1, WaitKind.All, [3]), (4, 1, WaitKind.All, [1]), (5, 1, WaitKind.All, [9]));
        Assert.Equal([1, 2, 3, 4], graph.Deadlocked());
        Assert.Equal([1, 2, 3], Assert.Single(graph.Cycles()));
        Assert.Equal(2, WaitForGraph<int>.Victim(graph.Cycles()[0], node => node == 2 ? 50 : 10));
        Assert.Equal(3, WaitForGraph<int>.Victim(graph.Cycles()[0], _ => 10));
        graph.Remove(3);
        Assert.Empty(graph.Deadlocked());
    }

    [Fact]
    public void Two_cycles_are_two()
    {
        var graph = Graph((1, 1, WaitKind.All, [2]), (2, 1, WaitKind.All, [1]), (3, 1, WaitKind.All, [4]), (4, 1, WaitKind.All, [3, 1]));
        Assert.Equal(2, graph.Cycles().Count);
    }

    [Fact]
    public void A_cycle_of_which_one_may_be_served_elsewhere_is_none_but_a_knot_is()
    {
        var cycle = Graph((1, 1, WaitKind.Any, [2]), (2, 1, WaitKind.Any, [1, 3]));
        Assert.Empty(cycle.Cycles());
        var knot = Graph((1, 1, WaitKind.Any, [2]), (2, 1, WaitKind.Any, [1, 3]), (3, 1, WaitKind.Any, [1]));
        Assert.Equal([1, 2, 3], knot.Deadlocked());
        Assert.NotEmpty(knot.Cycles());
        Assert.Equal([1, 2], Graph((1, 1, WaitKind.All, [2, 3]), (2, 1, WaitKind.Any, [1])).Deadlocked());
    }

    [Fact]
    public void A_cycle_is_confirmed_by_the_very_same_waits_in_an_earlier_cut()
    {
        var now = Graph((1, 4, WaitKind.All, [2]), (2, 7, WaitKind.All, [1]));
        Assert.Single(now.Confirmed(Graph((1, 4, WaitKind.All, [2]), (2, 7, WaitKind.All, [1]))));
        Assert.Empty(now.Confirmed(Graph((1, 4, WaitKind.All, [2]), (2, 6, WaitKind.All, [1]))));
    }

    /// <summary>What waits for as long need not have waited for the same ones: only a cycle that was there before is confirmed.</summary>
    [Fact]
    public void A_cycle_is_not_confirmed_by_waits_that_were_none_then()
    {
        var now = Graph((1, 4, WaitKind.All, [2, 3]), (2, 7, WaitKind.All, [1]));
        Assert.Single(now.Cycles());
        Assert.Empty(now.Confirmed(Graph((1, 4, WaitKind.All, [3]), (2, 7, WaitKind.All, [1]))));
        Assert.Empty(now.Confirmed(Graph((1, 4, WaitKind.Any, [2]), (2, 7, WaitKind.All, [1]))));
        Assert.Single(now.Confirmed(Graph((1, 4, WaitKind.All, [2]), (2, 7, WaitKind.All, [1]))));

        // Then 1 was in a cycle with 3, and 2 only waited for it.
        var three = Graph((1, 4, WaitKind.All, [2, 3]), (2, 7, WaitKind.All, [1]), (3, 5, WaitKind.All, [1]));
        Assert.Equal([1, 2], Assert.Single(three.Cycles()));
        Assert.Empty(three.Confirmed(Graph((1, 4, WaitKind.All, [3]), (2, 7, WaitKind.All, [1]), (3, 5, WaitKind.All, [1]))));

        // Then 5 might have served 1.
        var any = Graph((1, 4, WaitKind.Any, [2]), (2, 7, WaitKind.All, [1]));
        Assert.Empty(any.Confirmed(Graph((1, 4, WaitKind.Any, [2, 5]), (2, 7, WaitKind.All, [1]))));
        Assert.Single(any.Confirmed(any));
    }

    [Fact]
    public void A_deadlock_of_three_transactions_over_three_managers_is_found_also_with_requests_in_the_channels()
    {
        var play = Stage(Mesh, application: () => new LockService());
        Lock(play, A, B);
        Lock(play, B, C);
        Lock(play, C, A);
        play.Run();
        Assert.Empty(LockService.Waits(Snapshot(play)).Cycles());
        Lock(play, A, C);
        Lock(play, B, A);
        play.Run();
        Lock(play, C, B);
        play.Sync(C);
        play.Submit(B, Begin);
        play.Run();
        var cut = play.Taken(B);
        Assert.Equal("request", cut.In(C, B));
        Assert.Equal([A, B, C], Assert.Single(LockService.Waits(cut).Cycles()));
        Assert.Single(LockService.Waits(Snapshot(play)).Cycles());
    }

    [Fact]
    public void States_of_different_times_show_a_cycle_that_never_was_and_a_cut_does_not()
    {
        // Two transactions, of A and B, over two locks, of C and D.
        var d = new NodeId(4);
        var play = Stage(Topology.Mesh(1, NodeSet.Of(A, B, C, d)), application: () => new LockService());
        Lock(play, A, d);
        Lock(play, B, C);
        play.Run();
        Lock(play, A, C);
        play.Run();
        var early = Snapshot(play);
        play.Submit(B, new Process.Command.Act(LockService.Command("release", C)));
        play.Run();
        Lock(play, B, d);
        play.Run();
        var late = Snapshot(play);
        Assert.Equal([A, B], Assert.Single(LockService.NaiveUnion([early[C]!.State, late[d]!.State]).Cycles()));
        Assert.All([early, late], cut => Assert.Empty(LockService.Waits(cut).Cycles()));
    }

    [Fact]
    public void A_release_in_a_channel_ends_a_wait_and_a_request_for_a_free_lock_begins_none()
    {
        var play = Stage(Mesh, application: () => new LockService());
        Lock(play, B, C);
        play.Run();
        Lock(play, A, C);
        play.Run();
        play.Submit(B, new Process.Command.Act(LockService.Command("release", C)));
        Lock(play, B, A);
        play.Sync(B);
        play.Submit(C, Begin);
        play.Sync(C);
        play.Submit(A, Begin);
        play.Run();
        Assert.Equal("release", play.Taken(C).In(B, C));
        Assert.Empty(LockService.Waits(play.Taken(C)).Waits);
        Assert.Equal("request", play.Taken(A).In(B, A));
        Assert.DoesNotContain(LockService.Waits(play.Taken(A)).Waits, wait => wait.Waiter == B);
    }

    [Fact]
    public void Termination_needs_empty_channels_besides_passive_processes()
    {
        var play = Stage(Mesh);
        play.Submit(A, Transfer(100, C));
        play.Submit(B, Transfer(100, C));
        play.Run();
        play.Submit(C, Transfer(300, A));
        play.Sync(C);
        play.Submit(A, Begin);
        play.Run();
        Assert.All(play.Taken(A).Pieces, piece => Assert.True(IsPassive(piece.State)));
        Assert.False(play.Taken(A).IsTerminated(IsPassive));
        Assert.True(new Cut(default, default, Mesh, [.. play.Taken(A).Pieces.Select(piece => piece with { Incoming = [] })]).IsTerminated(IsPassive));
        Assert.False(Snapshot(play).IsTerminated(IsPassive));

        static bool IsPassive(ReadOnlyMemory<byte> state) => BankBranch.Money(state) == 0;
    }

    [Fact]
    public void Monitors_say_what_a_cut_says()
    {
        var play = Stage(Mesh);
        var total = new InvariantMonitor("total", cut => BankBranch.Money(cut) == 300);
        var rich = new StableMonitor(cut => BankBranch.Money(cut[A]!.State) > 100);
        Assert.Equal(Stability.DidNotHoldAtStart, rich.Observe(Snapshot(play)));
        play.Submit(B, Transfer(30, A));
        play.Run();
        Assert.Equal(Stability.Holds, rich.Observe(Snapshot(play)));
        play.Submit(A, Transfer(30, B));
        play.Run();
        Assert.Equal(Stability.NotStable, rich.Observe(Snapshot(play)));
        var cut = Snapshot(play);
        Assert.True(total.Observe(cut));
        Assert.False(total.Observe(cut with { Pieces = cut.Pieces[1..] }));
        Assert.Equal(("total", 2, cut.Id), (total.Name, total.Observed, Assert.Single(total.Broken)));
    }

    private static Cut Snapshot(Play play)
    {
        play.Submit(A, Begin);
        play.Run();
        return play.At(A).Latest!;
    }

    private static void Lock(Play play, NodeId transaction, NodeId manager) =>
        play.Submit(transaction, new Process.Command.Act(LockService.Command("lock", manager)));

    private static WaitForGraph<int> Graph(params (int Waiter, long Instance, WaitKind Kind, int[] For)[] waits)
    {
        var graph = new WaitForGraph<int>();
        foreach (var (waiter, instance, kind, holders) in waits)
        {
            graph.Add(new Wait<int>(waiter, instance, kind, holders));
        }

        return graph;
    }
}
