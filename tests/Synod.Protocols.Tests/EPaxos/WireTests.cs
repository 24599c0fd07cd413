using System.Reflection;
using CsCheck;
using Synod.Core;
using Synod.Lab.Worlds;
using Xunit;
using static Synod.Protocols.Tests.EPaxosRoom.Sites;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Message = Synod.Protocols.Consensus.EPaxos.Message;
using Record = Synod.Protocols.Consensus.EPaxos.Record;
using Room = Synod.Protocols.Consensus.EPaxos;

/// <summary>The binary forms, and input that makes no sense: it is read or refused, never thrown.</summary>
public sealed class WireTests
{
    private static readonly Ballot s_ballot = new(1, Node(3));

    private static readonly Message[] s_messages =
    [
        new Message.PreAccept(Id(1), Batch("x", "1"), Deps(0, 2, 3)),
        new Message.PreAcceptOk(Id(1), Deps(0, 2, 3)),
        new Message.Accept(Id(1), s_ballot, Room.Batch.Nop, Deps(0, 0, 0)),
        new Message.AcceptOk(Id(1), s_ballot),
        new Message.Commit(Id(1), Batch("x", "1"), Deps(0, 0, 0)),
        new Message.Recover(Id(1), s_ballot),
        new Message.RecoverOk(Id(1), s_ballot, Room.Phase.PreAccepted, default, Batch("x", "1"), Deps(0, 1, 0), Deps(0, 0, 0)),
        new Message.RecoverOk(Id(1), s_ballot, Room.Phase.Initial, default, null, null, null),
        new Message.Validate(Id(1), s_ballot, Batch("x", "1"), Deps(0, 0, 0)),
        new Message.ValidateOk(Id(1), s_ballot, []),
        new Message.Waiting(Id(1), 2),
        new Message.Nack(Id(1), s_ballot),
        new Message.Progress(Deps(1, 2, 3), true),
        new Message.Fetch(Deps(1, 2, 3)),
    ];

    private static readonly Record[] s_records =
    [
        new Record.PreAccepted(Id(1), Batch("x", "1"), Deps(0, 2, 3), Deps(0, 3, 3)),
        new Record.Joined(Id(1), s_ballot),
        new Record.Accepted(Id(1), s_ballot, Room.Batch.Nop, Deps(0, 0, 0)),
        new Record.Validated(Id(1), Batch("x", "1"), Deps(0, 2, 3)),
        new Record.Committed(Id(1), Batch("x", "1"), Deps(0, 2, 3)),
    ];

    [Fact]
    public void Every_case_survives_its_binary_form()
    {
        Assert.Equal(Cases(typeof(Message)), s_messages.Select(message => message.GetType().Name).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(
            Cases(typeof(Record)), s_records.Select(record => record.GetType().Name).Append("Saved").Order(StringComparer.Ordinal));
        Assert.All(s_messages.Where(message => message is not Message.ValidateOk), message => AssertRoundTrip(new Room.MessageWire(), message));
        Assert.All(s_records, record => AssertRoundTrip(new Room.RecordWire(), record));
        var saved = (Record.Saved)RoundTrip(new Room.RecordWire(), new Record.Saved(new byte[] { 1, 2, 3 }));
        Assert.Equal([1, 2, 3], saved.State.ToArray());
        var validated = (Message.ValidateOk)RoundTrip(new Room.MessageWire(), new Message.ValidateOk(Id(1), s_ballot, [new(Id(2, 7), true), new(Id(3), false)]));
        Assert.Equal(new Room.Conflict[] { new(Id(2, 7), true), new(Id(3), false) }, validated.Conflicts.ToArray());
    }

    [Fact]
    public void Any_bytes_are_read_or_refused() => Gen.Byte.Array[0, 60].Sample(
        bytes =>
        {
            var reader = new CodecReader(bytes);
            _ = new Room.MessageWire().Read(ref reader);
            reader = new CodecReader(bytes);
            _ = new Room.RecordWire().Read(ref reader);
        },
        iter: 20_000,
        threads: 1);

    [Fact]
    public void A_flipped_byte_is_read_or_refused_and_never_breaks_a_replica() =>
        Gen.Select(Gen.Int[0, s_messages.Length - 1], Gen.Int[0, 200], Gen.Byte, Gen.Int[1, 4]).Sample(
            (which, at, change, from) =>
            {
                var writer = new CodecWriter();
                new Room.MessageWire().Write(writer, s_messages[which]);
                var bytes = writer.ToArray();
                bytes[at % bytes.Length] ^= change;
                var reader = new CodecReader(bytes);
                if (new Room.MessageWire().Read(ref reader) is { } message && reader.IsComplete)
                {
                    Busy().At(2).Receive(Node(from), message, new Still(), new());
                }
            },
            iter: 1_500,
            threads: 1);

    [Fact]
    public void What_makes_no_sense_is_refused()
    {
        AssertRefused(Refusal.NotMember, new Message.Fetch(Deps(0, 0, 0)), from: 9);
        AssertRefused(Refusal.NotMember, new Message.Fetch(Deps(0, 0, 0)), from: 2);
        AssertRefused(Refusal.Malformed, new Message.PreAccept(Id(3), Batch("x", "1"), Deps(0, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.PreAccept(Id(1, 0), Batch("x", "1"), Deps(0, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.PreAccept(Id(1, 5), Batch("x", "1"), Deps(0, 0)));
        AssertRefused(Refusal.Malformed, new Message.PreAccept(Id(1, 5), Batch("x", "1"), Deps(5, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.PreAccept(Id(1, 5), Batch("x", "1"), Deps(0, -1, 0)));
        AssertRefused(Refusal.Malformed, new Message.PreAccept(Id(1, 5), Batch("x", "1"), Deps(0, 2, 0)));
        AssertRefused(Refusal.Malformed, new Message.Commit(Id(1), Batch("x", "1"), Deps(0, 2, 0)));
        AssertRefused(Refusal.Malformed, new Message.PreAccept(Id(1, 5), Room.Batch.Nop, Deps(0, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.PreAccept(Id(1, 5), new Room.Batch(new Room.ClientCommand(1, 1, default)), Deps(0, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.PreAccept(Id(1, 5), new Room.Batch(new Room.ClientCommand(1, 0, Put("x", "1"))), Deps(0, 0, 0)));
        AssertRefused(Refusal.NotReady, new Message.PreAccept(Id(1, 1L << 40), Batch("x", "1"), Deps(0, 0, 0)));
        AssertRefused(Refusal.Unknown, new Message.Recover(Id(2, 50), new(1, Node(1))));
        AssertRefused(Refusal.Unexpected, new Message.PreAcceptOk(Id(1), Deps(0, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.PreAcceptOk(Id(2), Deps(1, 0)));
        AssertRefused(Refusal.Malformed, new Message.Accept(Id(1), s_ballot, Batch("x", "1"), Deps(0, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.Accept(Id(3), default, Batch("x", "1"), Deps(0, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.Accept(new(Node(8), 1), new(1, Node(1)), Batch("x", "1"), Deps(0, 0, 0)));
        AssertRefused(Refusal.Unexpected, new Message.AcceptOk(Id(2), default));
        AssertRefused(Refusal.Malformed, new Message.Commit(new(Node(8), 1), Batch("x", "1"), Deps(0, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.Commit(Id(1, 5), Batch("x", "1"), Deps(7, 0, 0)));
        AssertRefused(Refusal.Malformed, new Message.Recover(Id(1), default));
        AssertRefused(Refusal.Malformed, new Message.Recover(Id(1), s_ballot));
        AssertRefused(Refusal.Malformed, new Message.Recover(Id(1), new(1L << 61, Node(1))));
        AssertRefused(Refusal.Unexpected, new Message.RecoverOk(Id(1), s_ballot, Room.Phase.Initial, default, null, null, null));
        AssertRefused(Refusal.Malformed, new Message.RecoverOk(Id(3), new(1, Node(2)), Room.Phase.Committed, default, null, null, null));
        AssertRefused(Refusal.Malformed, new Message.RecoverOk(Id(3), new(1, Node(2)), Room.Phase.PreAccepted, default, null, null, null));
        AssertRefused(Refusal.Malformed, new Message.RecoverOk(Id(3), new(1, Node(2)), Room.Phase.Accepted, new(2, Node(2)), Room.Batch.Nop, Deps(0, 0, 0), null));
        AssertRefused(Refusal.Unexpected, new Message.Validate(Id(1, 5), new(1, Node(1)), Batch("x", "1"), Deps(0, 0, 0)));
        AssertRefused(Refusal.Unexpected, new Message.ValidateOk(Id(3), new(1, Node(2)), []));
        AssertRefused(Refusal.Malformed, new Message.Waiting(Id(1), 0));
        AssertRefused(Refusal.Malformed, new Message.Waiting(Id(1), 4));
        AssertRefused(Refusal.Unexpected, new Message.Nack(Id(1), s_ballot));
        AssertRefused(Refusal.Unexpected, new Message.Nack(Id(2), default));
        AssertRefused(Refusal.Malformed, new Message.Progress(Deps(0, 0), false));
        AssertRefused(Refusal.Malformed, new Message.Progress(Deps(0, -1, 0), false));
        AssertRefused(Refusal.Malformed, new Message.Fetch(Deps(0, 0, long.MaxValue)));
    }

    [Fact]
    public void A_decision_that_contradicts_a_decision_is_refused_and_counted()
    {
        var sites = new Sites(3);
        var commit = new Message.Commit(Id(1), Batch("x", "1"), Deps(0, 0, 0));
        sites.Stage.Receive(Node(1), Node(2), commit);
        sites.Stage.Receive(Node(1), Node(2), commit);
        sites.Stage.Receive(Node(3), Node(2), commit with { Deps = Deps(0, 0, 1) });
        Assert.Equal([Refusal.Duplicate, Refusal.Unsafe], sites.Stage.Refusals(Node(2)));
    }

    [Fact]
    public void An_operation_that_is_none_is_answered()
    {
        var sites = new Sites(3);
        sites.Invoke(1, new byte[] { 255 });
        sites.Invoke(1, Put("x", "1"), number: 0);
        Assert.All(sites.Stage.Answers(Node(1)), answer => Assert.IsType<Room.Result.Malformed>(answer.Result));
        Assert.Empty(sites.At(1).Held);
    }

    /// <summary>Replica 2 has proposed one, agreed to one, and recovers a third.</summary>
    private static Sites Busy()
    {
        var sites = new Sites(3);
        sites.Put(2, "x", "2");
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2));
        sites.Suspect(2, Id(3));
        return sites;
    }

    private static void AssertRefused(Refusal refusal, Message message, int from = 1)
    {
        var sites = Busy();
        sites.Stage.Receive(Node(from), Node(2), message);
        Assert.Equal([refusal], sites.Stage.Refusals(Node(2)));
    }

    private static T RoundTrip<T>(IWire<T> wire, T value)
        where T : class
    {
        var writer = new CodecWriter();
        wire.Write(writer, value);
        var reader = new CodecReader(writer.ToArray());
        var read = wire.Read(ref reader);
        Assert.True(reader.IsComplete);
        return read!;
    }

    private static void AssertRoundTrip<T>(IWire<T> wire, T value)
        where T : class => Assert.Equal(value, RoundTrip(wire, value));

    private static IEnumerable<string> Cases(Type family) => family.GetNestedTypes(BindingFlags.Public | BindingFlags.NonPublic)
        .Where(type => type.IsSubclassOf(family)).Select(type => type.Name).Order(StringComparer.Ordinal);
}
