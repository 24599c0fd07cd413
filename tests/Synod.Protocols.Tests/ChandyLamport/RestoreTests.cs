using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Message = Snapshots.ChandyLamport.Message;
using Play = Stage<Snapshots.ChandyLamport.Message, Snapshots.ChandyLamport.Record, Snapshots.ChandyLamport.Command, Snapshots.ChandyLamport.Result>;
using Process = Snapshots.ChandyLamport;

/// <summary>Checkpoint and restore (snapshots.md §4).</summary>
public sealed class RestoreTests
{
    [Fact]
    public void A_restore_puts_everybody_back_and_what_was_in_the_channels_arrives_again()
    {
        var (play, cut) = WithMoneyInAChannel();
        play.Submit(C, Transfer(99, A));
        play.Run();
        play.Submit(C, new Process.Command.Restore(cut));
        play.Run();
        Assert.Equal(new Process.Result.Restored(new Incarnation(1, C)), play.Answers(C)[^1].Result);
        play.Submit(A, Begin);
        play.Run();
        var after = play.At(A).Latest!;
        Assert.Equal(("130", "70", "100"), (after.State(A), after.State(B), after.State(C)));
        Assert.Equal(300, BankBranch.Money(after));
    }

    [Fact]
    public void The_same_inputs_after_a_restore_give_the_same_state()
    {
        var (play, cut) = WithMoneyInAChannel();
        Go();
        var first = Final();
        play.Submit(A, new Process.Command.Restore(cut));
        play.Run();
        Go();
        Assert.Equal(first, Final());

        void Go()
        {
            play.Submit(A, Transfer(120, C));
            play.Submit(C, Transfer(40, B));
            play.Run();
        }

        string Final()
        {
            play.Submit(B, Begin);
            play.Run();
            return Describe(Mesh, play.At(B).Latest!);
        }
    }

    [Fact]
    public void What_was_under_way_before_a_restore_is_refused_after_it()
    {
        var (play, cut) = WithMoneyInAChannel();
        play.Submit(B, Transfer(5, A));
        play.Sync(B);
        play.Submit(A, new Process.Command.Restore(cut));
        play.Sync(A);
        play.Deliver(B, A);
        Assert.Equal([Refusal.StaleBallot], play.Refusals(A));

        // Nobody in the old incarnation acts on what the new one says.
        play.Submit(A, Transfer(5, C));
        play.Sync(A);
        play.Drop(A, C);
        play.Deliver(A, C);
        Assert.Contains(Refusal.NotReady, play.Refusals(C));
        play.Fire(A, Resend);
        play.Run();
        Assert.All([A, B, C], node => Assert.Equal(new Incarnation(1, A), play.At(node).Incarnation));
        Assert.Equal(1, play.At(C).ReceivedFrom(A));
    }

    [Fact]
    public void A_restore_goes_on_when_whoever_began_it_is_back()
    {
        var (play, cut) = WithMoneyInAChannel();
        play.Submit(A, new Process.Command.Restore(cut));
        play.Sync(A);
        play.Drop(A, B);
        play.Drop(A, C);
        play.Crash(A);
        play.Run();
        Assert.All([A, B, C], node => Assert.Equal(new Incarnation(1, A), play.At(node).Incarnation));
        Assert.True(play.At(A).IsQuiet);
    }

    /// <summary>That everybody loaded is no record either: the change without whoever restored says it.</summary>
    [Fact]
    public void Who_restores_goes_when_everybody_has_loaded_and_asks_nobody_again()
    {
        var (play, cut) = WithMoneyInAChannel();
        var without = new Process.Command.Reconfigure(Topology.Mesh(2, NodeSet.Of(B, C)), default);
        play.Submit(A, new Process.Command.Restore(cut));
        play.Sync(A);
        play.Submit(A, without);
        Assert.Equal(new Process.Result.NotDrained(B), play.Answers(A)[^1].Result);
        play.Run();
        Assert.All([A, B, C], node => play.Submit(node, without));
        play.Run();
        play.Submit(B, Begin);
        play.Run();
        play.Submit(B, new Process.Command.Restore(play.At(B).Latest!));
        play.Run();
        Assert.Equal(new Incarnation(2, B), play.At(C).Incarnation);
        play.Crash(A);
        Assert.False(play.At(A).IsRestoring);
        Assert.Empty(play.Network);
    }

    [Fact]
    public void Of_two_restores_the_higher_incarnation_is_everybodys()
    {
        var (play, cut) = WithMoneyInAChannel();
        play.Submit(A, new Process.Command.Restore(cut));
        play.Submit(A, new Process.Command.Restore(cut));
        Assert.IsType<Process.Result.Overtaken>(play.Answers(A)[^1].Result);
        play.Submit(C, new Process.Command.Restore(cut));
        play.Run();
        Assert.All([A, B, C], node => Assert.Equal(new Incarnation(1, C), play.At(node).Incarnation));
        Assert.IsType<Process.Result.Overtaken>(play.Answers(A)[^1].Result);
        Assert.IsType<Process.Result.Restored>(play.Answers(C)[^1].Result);
        Assert.All([A, B, C], node => Assert.True(play.At(node).IsQuiet));
    }

    [Fact]
    public void A_restore_ends_the_snapshots_of_before()
    {
        var (play, cut) = WithMoneyInAChannel();
        play.Submit(B, Begin);
        play.Sync(B);
        play.Submit(A, new Process.Command.Restore(cut));
        play.Run();
        Assert.Equal([SnapshotEnd.Restored], play.Failures(B));
        Assert.False(play.IsArmed(B, Limit));
    }

    [Fact]
    public void Whoever_joins_after_a_restore_joins_its_incarnation_and_members_are_only_loaded_into_it()
    {
        var d = new NodeId(4);
        var play = new Play(
            node => new Process(node, Mesh, new ChandyLamportOptions(), new BankBranch(node == d ? 0 : 100)), timer => $"{timer}", A, B, C, d).Begin();
        play.Submit(A, Begin);
        play.Run();
        play.Submit(A, new Process.Command.Restore(play.Taken(A)));
        play.Run();
        var joined = Topology.Mesh(2, NodeSet.Of(A, B, C, d));
        foreach (var node in joined.Members)
        {
            play.Submit(node, new Process.Command.Reconfigure(joined, play.At(A).Incarnation));
        }

        play.Submit(A, Transfer(10, d));
        play.Submit(d, Begin);
        play.Run();
        play.Crash(d);
        Assert.Equal(play.At(A).Incarnation, play.At(d).Incarnation);
        Assert.Equal(300, BankBranch.Money(play.At(d).Latest!));
        play.Submit(A, new Process.Command.Reconfigure(joined with { Epoch = 3 }, new Incarnation(9, B)));
        Assert.IsType<Process.Result.Malformed>(play.Answers(A)[^1].Result);
    }

    [Fact]
    public void Only_a_consistent_cut_of_exactly_these_members_is_restored()
    {
        var (play, cut) = WithMoneyInAChannel();
        var lost = cut.Pieces[0] with { Incoming = [.. cut.Pieces[0].Incoming.Select(channel => channel with { Contents = [] })] };
        play.Submit(A, new Process.Command.Restore(cut with { Pieces = [lost, .. cut.Pieces[1..]] }));
        play.Submit(A, new Process.Command.Restore(cut with { Pieces = cut.Pieces[1..] }));
        play.Submit(A, new Process.Command.Restore(cut with { Topology = Topology.Mesh(1, NodeSet.Of(A, B)) }));
        play.Submit(A, new Process.Command.Restore(cut with { Topology = Topology.Mesh(1, NodeSet.Of(A, B)), Pieces = [WithoutC(A), WithoutC(B)] }));
        play.Submit(A, new Process.Command.Restore(cut with { Pieces = [.. cut.Pieces, cut[A]!] }));
        Assert.All(play.Answers(A).TakeLast(5), answer => Assert.IsType<Process.Result.Malformed>(answer.Result));
        play.Receive(B, A, new Message.Load(new Incarnation(1, C), Mesh, cut[A]!));
        play.Receive(B, A, new Message.Load(new Incarnation(1, B), Mesh, cut[B]!));
        play.Receive(B, A, new Message.Load(new Incarnation(1, B), Mesh, cut[A]! with { State = "none"u8.ToArray() }));
        play.Receive(B, A, new Message.Load(new Incarnation(1, B), Ring, cut[A]!));
        Assert.Equal([Refusal.Malformed, Refusal.Malformed, Refusal.Malformed, Refusal.Malformed], play.Refusals(A));
        Assert.Equal(default, play.At(A).Incarnation);

        Piece WithoutC(NodeId node) => cut[node]! with
        {
            Incoming = [.. cut[node]!.Incoming.Where(channel => channel.From != C)],
            Sent = [.. cut[node]!.Sent.Where(sent => sent.To != C)],
        };
    }

    private static (Play Play, Cut Cut) WithMoneyInAChannel()
    {
        var play = Stage(Mesh);
        play.Submit(B, Transfer(30, A));
        play.Sync(B);
        play.Submit(A, Begin);
        play.Run();
        return (play, play.Taken(A));
    }
}
