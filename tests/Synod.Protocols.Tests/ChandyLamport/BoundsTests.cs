using System.Collections.Immutable;
using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Message = Snapshots.ChandyLamport.Message;
using Play = Stage<Snapshots.ChandyLamport.Message, Snapshots.ChandyLamport.Record, Snapshots.ChandyLamport.Command, Snapshots.ChandyLamport.Result>;
using Process = Snapshots.ChandyLamport;

/// <summary>Nothing is kept for ever, whoever speaks, and what cannot be is not begun (snapshots.md §3, §4, §8).</summary>
public sealed class BoundsTests
{
    private static readonly NodeId s_stranger = new(9);

    /// <summary>B gives up each snapshot of A. That it did is forgotten when A's floor has passed it.</summary>
    [Fact]
    public void What_was_given_up_is_not_remembered_for_ever()
    {
        var play = Stage(Mesh);
        GiveUp(5);
        var before = Size(play.At(B));
        GiveUp(40);
        Assert.InRange(Size(play.At(B)), before, before + 16);

        void GiveUp(int count)
        {
            for (var number = 0; number < count; number++)
            {
                play.Submit(A, Begin);
                play.Sync(A);
                play.Deliver(A, B);
                Assert.All(Enumerable.Range(0, 9), _ => play.Submit(C, Transfer(10, B)));
                play.Sync(C);
                Assert.All(Enumerable.Range(0, 9), _ => play.Deliver(C, B));
                play.Run();
                Assert.Equal(SnapshotEnd.TooLarge, play.Failures(A).Last());
                play.Submit(B, Transfer(90, C));
                play.Run();
            }
        }
    }

    /// <summary>A message without content takes memory too.</summary>
    [Fact]
    public void Empty_messages_fill_memory()
    {
        var play = new Play(
            node => new Process(node, Mesh, new ChandyLamportOptions { MostRecordedMessages = 4 }, new Knocker()), timer => $"{timer}", A, B, C).Begin();
        Assert.All(Enumerable.Range(0, 4), _ => play.Submit(C, new Process.Command.Act(new byte[] { (byte)B.Value })));
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        play.Run();
        Assert.Empty(play.Failures(A));
        play.Submit(A, Begin);
        play.Sync(A);
        play.Deliver(A, B);
        Assert.All(Enumerable.Range(0, 5), _ => play.Submit(C, new Process.Command.Act(new byte[] { (byte)B.Value })));
        play.Run();
        Assert.Equal([SnapshotEnd.TooLarge], play.Failures(A));
    }

    /// <summary>Nobody collects the pieces of a snapshot whose initiator is no member, and nobody ends it.</summary>
    [Fact]
    public void A_snapshot_of_a_stranger_is_not_recorded()
    {
        foreach (var order in new[] { ChannelOrder.Fifo, ChannelOrder.Unordered })
        {
            var play = Stage(Mesh, order);
            var id = new SnapshotId(s_stranger, 1, 1);
            play.Receive(C, A, new Message.Data(default, 1, new Process.Parcel.Marker(id, 0)));
            play.Receive(C, A, new Message.Data(default, 1, new Process.Parcel.Payload(1, 1, [id], BankBranch.Transfer(1, A))));
            Assert.Equal([Refusal.Malformed, Refusal.Malformed], play.Refusals(A));
            Assert.Empty(play.At(A).Recordings);
            Assert.Empty(play.Log(A));
        }
    }

    /// <summary>Nobody but a member has begun what it could end.</summary>
    [Fact]
    public void A_stranger_ends_nothing()
    {
        var play = Stage(Mesh);
        var before = Size(play.At(A));
        for (var number = 1; number < 50; number++)
        {
            play.Receive(s_stranger, A, new Message.Ended(default, new SnapshotId(s_stranger, number, 1), 0));
        }

        Assert.Equal(before, Size(play.At(A)));
        Assert.All(play.Refusals(A), refusal => Assert.Equal(Refusal.NotMember, refusal));
        Assert.Empty(play.Log(A));
    }

    /// <summary>§4: the most dangerous misuse is to put one member back.</summary>
    [Fact]
    public void Only_a_member_restores_and_only_the_members_that_there_are()
    {
        var (play, cut) = Taken();
        var wider = Topology.Mesh(1, NodeSet.Of(A, B, C, s_stranger));
        ChannelPiece nothing = new(s_stranger, 0, 0, []);
        var fitting = cut[A]! with { Incoming = [.. cut[A]!.Incoming, nothing], Sent = [.. cut[A]!.Sent, new SentCount(s_stranger, 0)] };
        play.Receive(s_stranger, A, new Message.Load(new Incarnation(1, s_stranger), Mesh, cut[A]!));
        play.Receive(s_stranger, A, new Message.Load(new Incarnation(1, s_stranger), wider, fitting));
        play.Receive(B, A, new Message.Load(new Incarnation(1, B), wider, fitting));
        Assert.Equal([Refusal.NotMember, Refusal.NotMember, Refusal.NotReady], play.Refusals(A));
        Assert.Equal(default, play.At(A).Incarnation);
    }

    /// <summary>A restore is two records at who restores: after the first alone it goes on all the same, as it has told nobody.</summary>
    [Fact]
    public void A_restore_goes_on_though_its_first_record_alone_was_durable()
    {
        var (play, cut) = Taken();
        play.Submit(A, new Process.Command.Restore(cut));
        List<Process.Record> records = [.. play.Log(A).TakeWhile(record => record is not Process.Record.Restored)];
        Assert.IsType<Process.Record.Restoring>(records[^1]);
        var copy = new Process(A, Mesh, new ChandyLamportOptions(), new BankBranch(100));
        var outbox = new Outbox<Message, Process.Record, Process.Command, Process.Result>();
        copy.Recover(records, new Still(), outbox);
        Assert.Equal(new Incarnation(1, A), copy.Incarnation);
        Assert.IsType<Process.Record.Restored>(Assert.Single(outbox.Records.ToArray()));
        var loads = outbox.Messages.ToArray().Where(sent => sent.Message is Message.Load).ToList();
        Assert.Equal([B, C], loads.Select(sent => sent.To));
        Assert.All(loads, sent => Assert.Equal(1, sent.RecordsBefore));
        copy.Receive(B, new Message.Loaded(copy.Incarnation), new Still(), new());
        copy.Receive(C, new Message.Loaded(copy.Incarnation), new Still(), new());
        Assert.False(copy.IsRestoring);
    }

    /// <summary>A state that the application does not take on, as of another version of it, is no state to restore.</summary>
    [Fact]
    public void A_cut_with_a_state_that_is_none_is_not_restored()
    {
        var (play, cut) = Taken();
        play.Submit(A, new Process.Command.Restore(With(cut, cut[A]! with { State = "none"u8.ToArray() })));
        Assert.IsType<Process.Result.Malformed>(play.Answers(A)[^1].Result);
        Assert.Equal(default, play.At(A).Incarnation);
        play.Submit(A, Begin);
        play.Run();
        Assert.Equal(300, BankBranch.Money(play.At(A).Latest!));
    }

    /// <summary>§7, 2: exactly what was sent and not received, each once and in its order.</summary>
    [Theory]
    [InlineData(2, 2, new long[] { 3, 4 }, 4, true)]
    [InlineData(2, 3, new long[] { 2, 4 }, 4, true)]
    [InlineData(0, 0, new long[] { }, 0, true)]
    [InlineData(2, 2, new long[] { 2, 3 }, 4, false)]
    [InlineData(2, 2, new long[] { 4, 3 }, 4, false)]
    [InlineData(2, 3, new long[] { 3, 4 }, 4, false)]
    [InlineData(2, 4, new long[] { 1, 3 }, 4, true)]
    [InlineData(2, 2, new long[] { 0, 3 }, 4, false)]
    [InlineData(-1, 0, new long[] { 1, 2 }, 1, false)]
    [InlineData(3, 2, new long[] { 3 }, 4, false)]
    public void A_channel_holds_what_was_sent_and_not_received(long received, long highest, long[] numbers, long sent, bool isConsistent)
    {
        var (_, cut) = Taken();
        ImmutableArray<InChannel> contents = [.. numbers.Select(number => new InChannel(number, BankBranch.Transfer(1, A)))];
        var at = With(cut, cut[A]! with { Incoming = [new ChannelPiece(B, received, highest, contents), cut[A]!.Incoming[1]] });
        Assert.Equal(isConsistent, With(at, at[B]! with { Sent = [new SentCount(A, sent), at[B]!.Sent[1]] }).Inconsistency() is null);
    }

    /// <summary>A channel that is there twice would be received twice; pieces of several snapshots, or of processes that are none, are no cut.</summary>
    [Fact]
    public void A_cut_has_each_channel_once_and_pieces_of_one_snapshot()
    {
        var (play, cut) = Taken();
        Cut[] none =
        [
            With(cut, cut[A]! with { Incoming = [.. cut[A]!.Incoming, cut[A]!.Incoming[0]] }),
            With(cut, cut[A]! with { Incoming = [.. cut[A]!.Incoming, new ChannelPiece(s_stranger, 0, 0, [new InChannel(1, BankBranch.Transfer(1, A))])] }),
            With(cut, cut[A]! with { Sent = [.. cut[A]!.Sent, new SentCount(s_stranger, 4)] }),
            With(cut, cut[A]! with { Id = cut.Id with { Number = 7 } }),
        ];
        Assert.All(none, item => Assert.NotNull(item.Inconsistency()));
        Assert.All(none, item => play.Submit(A, new Process.Command.Restore(item)));
        Assert.Equal(4, play.Answers(A).Count(answer => answer.Result is Process.Result.Malformed));
    }

    private static Cut With(Cut cut, Piece piece) =>
        cut with { Pieces = [.. cut.Pieces.Select(item => item.Process == piece.Process ? piece : item)] };

    private static (Play Play, Cut Cut) Taken()
    {
        var play = Stage(Mesh);
        play.Submit(B, Transfer(30, A));
        play.Sync(B);
        play.Submit(A, Begin);
        play.Run();
        return (play, play.Taken(A));
    }

    private static int Size(Process process)
    {
        var writer = new CodecWriter();
        process.State(new StateWriter(writer));
        return writer.Length;
    }

    /// <summary>Sends messages without content to whoever it is told.</summary>
    private sealed class Knocker : IApplication
    {
        public void Receive(NodeId from, ReadOnlyMemory<byte> message, Sending send)
        {
        }

        public ReadOnlyMemory<byte> Submit(ReadOnlyMemory<byte> command, Sending send)
        {
            send(new NodeId(command.Span[0]), default);
            return default;
        }

        public ReadOnlyMemory<byte> Save() => default;

        public bool TryLoad(ReadOnlyMemory<byte> state) => state.IsEmpty;
    }
}
