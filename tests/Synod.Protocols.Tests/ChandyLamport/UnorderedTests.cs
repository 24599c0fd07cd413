using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Message = Snapshots.ChandyLamport.Message;
using Process = Snapshots.ChandyLamport;

/// <summary>Lai and Yang's rules on channels that keep no order (snapshots.md §3.2), and the session layer below both.</summary>
public sealed class UnorderedTests
{
    [Fact]
    public void Whoever_gets_a_coloured_message_records_before_receiving_it()
    {
        var play = Stage(Mesh, ChannelOrder.Unordered);
        play.Submit(A, Begin);
        play.Submit(A, Transfer(10, B));
        play.Sync(A);
        play.Delay(A, B);
        play.Deliver(A, B);
        Assert.Single(play.At(B).Recordings);
        play.Run();
        Assert.Equal(("100", "100", ""), (play.Taken(A).State(A), play.Taken(A).State(B), play.Taken(A).In(A, B)));
    }

    [Fact]
    public void A_channel_is_complete_with_as_many_messages_as_went_before_the_cut()
    {
        var play = Stage(Mesh, ChannelOrder.Unordered);
        play.Submit(B, Transfer(30, A));
        play.Submit(B, Transfer(20, A));
        play.Sync(B);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        play.Sync(B);
        play.Delay(B, A);
        play.Delay(B, A);
        play.Run();
        Assert.Equal("30 20", play.Taken(A).In(B, A));
        Assert.Equal(300, BankBranch.Money(play.Taken(A)));
    }

    [Fact]
    public void What_was_sent_after_the_cut_and_comes_among_what_was_sent_before_it_is_not_in_the_channel()
    {
        var play = Stage(Mesh, ChannelOrder.Unordered);
        play.Submit(B, Transfer(30, A));
        play.Sync(B);
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        play.Submit(B, Transfer(7, A));
        play.Sync(B);
        play.Delay(B, A);
        play.Run();
        Assert.Equal("30", play.Taken(A).In(B, A));
        Assert.Equal("70", play.Taken(A).State(B));
    }

    [Fact]
    public void Nobody_reaches_further_ahead_than_the_window()
    {
        var play = Stage(Mesh, ChannelOrder.Unordered);
        play.Receive(B, A, new Message.Data(default, 1_025, new Process.Parcel.Payload(1, 1, [], BankBranch.Transfer(1, A))));
        Assert.Equal([Refusal.Unexpected], play.Refusals(A));
    }

    [Fact]
    public void A_session_delivers_in_order_and_once_whatever_the_network_does()
    {
        var play = Stage(Mesh);
        play.Submit(B, Transfer(30, A));
        play.Submit(B, Transfer(20, A));
        play.Sync(B);
        play.Delay(B, A);
        play.Deliver(B, A);
        Assert.Equal([Refusal.Unexpected], play.Refusals(A));
        play.Deliver(B, A, keep: true);
        play.Deliver(B, A);
        Assert.Equal([Refusal.Unexpected, Refusal.Duplicate], play.Refusals(A));
        Assert.Equal(1, play.At(A).ReceivedFrom(B));
        play.Fire(B, Resend);
        play.Run();
        Assert.Equal(2, play.At(A).ReceivedFrom(B));
        Assert.True(play.At(B).IsQuiet);
    }

    [Fact]
    public void Nothing_is_acknowledged_and_nothing_sent_before_it_is_durable()
    {
        var play = Stage(Mesh);
        play.Submit(B, Transfer(30, A));
        Assert.Empty(play.Network);
        play.Sync(B);
        play.Deliver(B, A);
        Assert.Empty(play.Network);
        play.Sync(A);
        Assert.IsType<Message.Ack>(Assert.Single(play.Between(A, B)));
    }

    [Fact]
    public void A_restart_sends_again_what_is_not_acknowledged_under_the_same_numbers()
    {
        var play = Stage(Mesh);
        play.Submit(B, Transfer(30, A));
        play.Sync(B);
        play.Deliver(B, A);
        play.Crash(B);
        play.Run();
        Assert.Equal(1, play.At(A).ReceivedFrom(B));
        Assert.True(play.At(B).IsQuiet);
    }

    [Fact]
    public void Strangers_and_nonsense_are_refused_and_change_nothing()
    {
        var play = Stage(Ring);
        play.Submit(A, Begin);
        play.Sync(A);
        var id = new SnapshotId(A, 1, 1);
        play.Receive(B, A, new Message.Data(default, 1, new Process.Parcel.Marker(id, 0)));
        play.Receive(new NodeId(9), A, new Message.Ack(default, 1, 1));
        play.Receive(C, A, new Message.Ack(default, 1, 1));
        play.Receive(B, A, new Message.Ack(default, 9, 1));
        play.Receive(C, A, new Message.Hand(default, new Piece(id, B, default, [], [])));
        play.Receive(B, A, new Message.Hand(default, new Piece(id, B, default, [], [])));
        play.Receive(B, A, new Message.Decline(default, id, SnapshotEnd.Complete));
        play.Receive(B, A, new Message.Decline(default, id with { Number = 2 }, SnapshotEnd.TimedOut));
        play.Receive(B, A, new Message.Inquire(default, id with { Initiator = B }));
        play.Receive(B, A, new Message.Ended(default, id, 5));
        play.Receive(B, A, new Message.Loaded(default));
        play.Receive(B, A, new Message.Ack(new Incarnation(1, B), 0, 0));
        Assert.Equal(
            [
                Refusal.NotMember, Refusal.NotMember, Refusal.Malformed, Refusal.Malformed, Refusal.NotMember, Refusal.Malformed,
                Refusal.Malformed, Refusal.Unexpected, Refusal.Malformed, Refusal.Malformed, Refusal.Unexpected, Refusal.NotReady,
            ],
            play.Refusals(A));
        play.Run();
        Assert.Null(play.Taken(A).Inconsistency());
    }

    [Fact]
    public void A_topology_joins_members_once() => Assert.All(
        [Mesh with { Epoch = 0 }, Mesh with { Members = NodeSet.Of(A, B) }, Mesh with { Channels = [new(A, A)] }, Mesh with { Channels = [new(A, B), new(A, B)] }],
        topology => Assert.Throws<ArgumentException>(() => new Process(A, topology, new ChandyLamportOptions(), new BankBranch(1))));
}
