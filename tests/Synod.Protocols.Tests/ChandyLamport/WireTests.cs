using System.Reflection;
using CsCheck;
using Synod.Core;
using Synod.Protocols.Snapshots;
using Xunit;
using static Synod.Protocols.Tests.ChandyLamport.Branches;

namespace Synod.Protocols.Tests.ChandyLamport;

using Message = Snapshots.ChandyLamport.Message;
using Parcel = Snapshots.ChandyLamport.Parcel;
using Process = Snapshots.ChandyLamport;
using Record = Snapshots.ChandyLamport.Record;

/// <summary>The binary forms: each case has one, and whatever arrives is read or refused, never thrown.</summary>
public sealed class WireTests
{
    private static readonly SnapshotId s_id = new(B, 1, 1);
    private static readonly Incarnation s_other = new(3, C);
    private static readonly Parcel s_payload = new Parcel.Payload(2, 1, [s_id, new(A, 5, 1)], "30"u8.ToArray());
    private static readonly Piece s_piece = new(
        s_id, A, "70"u8.ToArray(), [new(B, 1, 1, [new(2, "5"u8.ToArray())]), new(C, 0, 0, [])], [new(B, 0), new(C, 2)]);

    private static readonly Cut s_cut = new(s_id, s_other, Mesh, [s_piece]);

    private static readonly Message[] s_messages =
    [
        new Message.Data(default, 1, new Parcel.Payload(1, 1, [], "30"u8.ToArray())),
        new Message.Data(default, 2, new Parcel.Entered(3)),
        new Message.Data(default, 1, s_payload),
        new Message.Data(s_other, 3, new Parcel.Marker(s_id, 2)),
        new Message.Data(default, 1, new Parcel.Marker(s_id with { Epoch = 7 }, 0)),
        new Message.Ack(default, 1, 2),
        new Message.Hand(default, s_piece),
        new Message.Hand(default, s_piece with { Id = s_id with { Initiator = A } }),
        new Message.Inquire(default, s_id),
        new Message.Decline(default, s_id with { Initiator = A }, SnapshotEnd.TooLarge),
        new Message.Ended(default, s_id, 2),
        new Message.Load(new Incarnation(1, B), Mesh, s_piece),
        new Message.Loaded(s_other),
    ];

    private static readonly Record[] s_records =
    [
        new Record.Acted("30 2"u8.ToArray()),
        new Record.Received(B, 4, s_payload),
        new Record.Begun(4),
        new Record.Collected(s_piece),
        new Record.Closed(4, SnapshotEnd.TimedOut),
        new Record.Forgotten(s_id, 2),
        new Record.Declined(s_id),
        new Record.Reconfigured(Ring, s_other),
        new Record.Restoring(s_other, s_cut),
        new Record.Restored(s_other, Mesh, s_piece),
        new Record.Image("state"u8.ToArray()),
    ];

    [Fact]
    public void Every_case_survives_its_binary_form_and_no_part_of_it_is_taken_for_the_whole()
    {
        Assert.Equal(typeof(Message).GetNestedTypes(BindingFlags.Public).Length, s_messages.Select(item => item.GetType()).Distinct().Count());
        Assert.Equal(typeof(Record).GetNestedTypes(BindingFlags.Public).Length, s_records.Select(item => item.GetType()).Distinct().Count());
        Assert.All(s_messages, message => RoundTrip(new Process.MessageWire(), message));
        Assert.All(s_records, record => RoundTrip(new Process.RecordWire(), record));
    }

    [Fact]
    public void Every_message_is_handled_in_every_state() => Assert.All(s_messages, Deliver);

    [Fact]
    public void Whatever_bytes_arrive_are_read_or_refused()
    {
        Gen.Byte.Array[0, 60].Sample(bytes => Arrive(bytes));
        Gen.Select(Gen.Int[0, s_messages.Length - 1], Gen.Int[0, 300], Gen.Byte).Sample((which, at, value) =>
        {
            var bytes = Bytes(new Process.MessageWire(), s_messages[which]);
            bytes[at % bytes.Length] = value;
            Arrive(bytes);
        });
    }

    private static void Arrive(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        if (new Process.MessageWire().Read(ref reader) is { } message && reader.IsComplete)
        {
            Deliver(message);
        }

        reader = new CodecReader(bytes);
        _ = new Process.RecordWire().Read(ref reader);
    }

    /// <summary>To a new process, and to one that records and initiates; of members and strangers; twice.</summary>
    private static void Deliver(Message message)
    {
        foreach (var order in Enum.GetValues<ChannelOrder>())
        {
            var play = Stage(Mesh, order);
            play.Receive(B, A, message);
            play.Receive(new NodeId(9), A, message);
            play.Submit(A, Begin);
            play.Receive(B, A, new Message.Data(play.At(A).Incarnation, 1, new Parcel.Marker(s_id, 0)));
            play.Receive(B, A, message);
            play.Receive(B, A, message);
            play.Fire(A, Resend);
            play.Sync(A);
            play.Crash(A);
        }
    }

    private static void RoundTrip<T>(IWire<T> wire, T value)
        where T : class
    {
        var bytes = Bytes(wire, value);
        var reader = new CodecReader(bytes);
        var copy = wire.Read(ref reader);
        Assert.True(reader.IsComplete);
        Assert.Equal(bytes, Bytes(wire, copy!));
        Assert.Equal(value.ToString(), copy!.ToString());
        Assert.All(Enumerable.Range(0, bytes.Length), length =>
        {
            var part = new CodecReader(bytes.AsMemory(0, length));
            Assert.True(wire.Read(ref part) is null || !part.IsComplete);
        });
    }

    private static byte[] Bytes<T>(IWire<T> wire, T value)
    {
        var writer = new CodecWriter();
        wire.Write(writer, value);
        return writer.ToArray();
    }
}
