using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Process = Snapshots.ChandyLamport;

/// <summary>
/// Members and channels are fixed for a snapshot (snapshots.md §3), and members change one after the other: nothing crosses from a later
/// epoch into an earlier one, and nobody records before the earlier ones are over for it.
/// </summary>
public sealed class EpochTests
{
    /// <summary>A and C without a channel between them.</summary>
    private static Topology Line { get; } = new(2, Mesh.Members, [new Edge(A, B), new Edge(B, A), new Edge(B, C), new Edge(C, B)]);

    [Theory]
    [InlineData(ChannelOrder.Fifo)]
    [InlineData(ChannelOrder.Unordered)]
    public void Nobody_records_while_a_channel_that_went_may_still_bring_something(ChannelOrder order)
    {
        var play = Stage(Mesh, order);
        play.Submit(B, Enter(Line));
        play.Submit(C, Enter(Line));
        play.Run();
        play.Submit(C, Begin);
        Assert.Equal(new Process.Result.NotEntered(A), play.Answers(C)[^1].Result);
        play.Submit(B, Begin);
        play.Run();
        Assert.Empty(play.At(C).Recordings);

        // C has no channel from A any more, and A, which still has it, will be in the cut.
        play.Submit(A, Transfer(10, C));
        play.Run();
        play.Submit(A, Enter(Line));
        play.Run();
        play.Fire(B, Resend);
        play.Run();
        Assert.Equal(("90", "100", "110"), (play.Taken(B).State(A), play.Taken(B).State(B), play.Taken(B).State(C)));
    }

    [Theory]
    [InlineData(ChannelOrder.Fifo)]
    [InlineData(ChannelOrder.Unordered)]
    public void What_is_sent_in_a_later_epoch_is_received_in_no_earlier_one(ChannelOrder order)
    {
        var play = Stage(Mesh, order);
        Assert.All([A, B, C], node => play.Submit(node, Enter(Line)));
        play.Run();
        play.Submit(B, Begin);
        play.Sync(B);
        play.Deliver(B, A);
        play.Sync(A);
        while (play.Between(A, B).Any())
        {
            play.Deliver(A, B);
        }

        // A has handed its piece and goes on into an epoch that has the channel to C again. That it did is lost on the way to B.
        play.Submit(A, Enter(Mesh with { Epoch = 3 }));
        play.Submit(A, Transfer(10, C));
        play.Sync(A);
        while (play.Between(A, B).Any())
        {
            play.Drop(A, B);
        }

        play.Deliver(A, C);
        Assert.Equal([Refusal.NotReady], play.Refusals(C));
        play.Run();
        Assert.Equal(300, BankBranch.Money(play.Taken(B)));
        play.Submit(B, Enter(Mesh with { Epoch = 3 }));
        play.Submit(C, Enter(Mesh with { Epoch = 3 }));
        play.Fire(A, Resend);
        play.Run();
        Assert.Equal(1, play.At(C).ReceivedFrom(A));
    }

    [Fact]
    public void A_channel_that_went_ends_only_when_all_of_it_has_arrived()
    {
        var play = Stage(Mesh, ChannelOrder.Unordered);
        play.Submit(A, Transfer(10, C));
        play.Submit(A, Enter(Line));
        play.Sync(A);
        play.Submit(B, Enter(Line));
        play.Submit(C, Enter(Line));
        play.Sync(B);
        play.Sync(C);
        play.Delay(A, C);
        play.Deliver(A, C);
        play.Submit(C, Begin);
        Assert.Equal(new Process.Result.NotEntered(A), play.Answers(C)[^1].Result);
        play.Run();
        play.Submit(C, Begin);
        play.Run();
        Assert.Equal("110", play.Taken(C).State(C));
    }

    [Fact]
    public void What_was_said_of_an_epoch_survives_a_crash()
    {
        var play = Stage(Mesh);
        Assert.All([A, B, C], node => play.Submit(node, Enter(Line)));
        play.Run();
        play.Crash(C);
        play.Truncate(C);
        play.Crash(C);
        play.Submit(C, Begin);
        play.Run();
        Assert.Equal(2, play.Taken(C).Topology.Epoch);
    }

    [Fact]
    public void A_member_goes_only_when_it_has_everything()
    {
        var play = Stage(Mesh);
        var without = Topology.Mesh(2, NodeSet.Of(A, B));
        play.Submit(A, Transfer(10, C));
        play.Submit(A, Enter(without));
        Assert.Equal(new Process.Result.NotDrained(C), play.Answers(A)[^1].Result);
        play.Submit(C, Transfer(10, B));
        play.Submit(C, Enter(without));
        Assert.Equal(new Process.Result.NotDrained(B), play.Answers(C)[^1].Result);
        play.Run();
        Assert.All([C, A, B], node => play.Submit(node, Enter(without)));
        play.Run();
        play.Submit(A, Begin);
        play.Run();
        Assert.Equal(200, BankBranch.Money(play.Taken(A)));
    }

    /// <summary>
    /// What was acknowledged is no record, so a restart would send it again. To who has left that would be for ever, and no later change could
    /// be made: that the change before was made says that it had everything.
    /// </summary>
    [Fact]
    public void A_restart_does_not_wait_for_who_has_left()
    {
        var play = Stage(Mesh);
        play.Submit(A, Transfer(10, C));
        play.Submit(C, Transfer(10, A));
        play.Run();
        Assert.All([C, A, B], node => play.Submit(node, Enter(Topology.Mesh(2, NodeSet.Of(A, B)))));
        play.Run();
        play.Crash(A);
        play.Crash(C);
        Assert.DoesNotContain(play.Network, item => item.Message is Process.Message.Data && (item.From == C || item.To == C));
        Assert.All([A, C], node => Assert.True(play.At(node).IsQuiet));
        play.Submit(A, Enter(Topology.Ring(3, A, B)));
        play.Run();
        Assert.IsType<Process.Result.Reconfigured>(play.Answers(A)[^1].Result);
    }

    [Fact]
    public void Who_left_owes_nothing_to_another_that_goes_for_good()
    {
        var play = Stage(Mesh);
        var without = Topology.Mesh(2, NodeSet.Of(B, C));
        Assert.All([A, B, C], node => play.Submit(node, Enter(without)));
        play.Sync(A);
        while (play.Between(A, C).Any())
        {
            play.Drop(A, C);
        }

        play.Run();
        play.Submit(A, Enter(Topology.Mesh(3, NodeSet.Of(A, B))));
        Assert.IsType<Process.Result.Reconfigured>(play.Answers(A)[^1].Result);
    }

    private static Process.Command.Reconfigure Enter(Topology topology) => new(topology, default);
}
