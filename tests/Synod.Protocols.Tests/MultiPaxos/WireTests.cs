using System.Reflection;
using CsCheck;
using Synod.Core;
using Synod.Lab.Worlds.MultiPaxosRoom;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;
using Record = Synod.Protocols.Consensus.MultiPaxos.Record;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>The binary forms, and that every case has one and is handled.</summary>
public sealed class WireTests
{
    private static readonly Ballot Seven = new(7, new NodeId(2));
    private static readonly ReadOnlyMemory<byte> Value = new byte[] { 1, 2, 3 };

    private static readonly Message[] Messages =
    [
        new Message.PreVote(Seven, new Slot(3)),
        new Message.PreVoteAck(Seven, new Ballot(9, new NodeId(1))),
        new Message.Prepare(Seven, new Slot(4), new Ballot(6, new NodeId(1))),
        new Message.Promise(Seven, new Slot(4), [new Record.Accepted(new Slot(5), Seven, Value)], new Slot(6), true, new Slot(2), new Slot(1)),
        new Message.Reject(Seven, new Ballot(8, new NodeId(3))),
        new Message.Accept(new Record.Accepted(new Slot(5), Seven, Value), new Slot(4)),
        new Message.Accepted(Seven, new Slot(5), new Slot(6)),
        new Message.Heartbeat(Seven, new Slot(5), 12, new Timestamp(77), Duration.FromSeconds(2)),
        new Message.HeartbeatAck(Seven, 12, new Slot(5), new Timestamp(77)),
        new Message.Fetch(new Slot(5)),
        new Message.Entries([new Record.Accepted(new Slot(5), Seven, Value), new Record.Accepted(new Slot(6), Seven, ReadOnlyMemory<byte>.Empty)]),
        new Message.FetchSnapshot(new Slot(5), 3),
        new Message.InstallSnapshot(new SnapshotChunk(new Slot(5), 3, true, Value)),
        new Message.TimeoutNow(Seven),
        new Message.Quiesce(Seven, new Slot(5)),
    ];

    private static readonly Record[] Records =
    [
        new Record.Promised(Seven),
        new Record.Accepted(new Slot(5), Seven, Value),
        new Record.LeaseVote(Seven, new Timestamp(77)),
        new Record.Chosen(new Slot(9), new Slot(5), new Slot(3)),
    ];

    [Fact]
    public void Every_case_survives_its_binary_form()
    {
        Assert.Equal(Cases(typeof(Message)), Messages.Select(message => message.GetType().Name).Order(StringComparer.Ordinal));
        Assert.Equal(Cases(typeof(Record)), Records.Select(record => record.GetType().Name).Order(StringComparer.Ordinal));
        Assert.All(Messages, message => AssertRoundTrip(new MessageWire(), message));
        Assert.All(Records, record => AssertRoundTrip(new RecordWire(), record));
    }

    /// <summary>Nothing falls through the switch: it would break an invariant, and peers' input never may.</summary>
    [Fact]
    public void Every_message_is_handled_in_every_role()
    {
        foreach (var message in Messages)
        {
            var cluster = TestCluster.Majority(3);
            cluster.StartAll();
            cluster[1].Receive(new NodeId(2), message);
            cluster[1].Receive(new NodeId(9), message);
            Assert.Contains(Refusal.NotMember, cluster[1].Refusals);

            cluster = TestCluster.Majority(3);
            cluster.StartAll();
            cluster.Elect(1);
            cluster[1].Receive(new NodeId(2), message);
            cluster[2].Receive(new NodeId(3), message);
        }
    }

    [Fact]
    public void Random_bytes_are_refused_or_read_never_thrown()
    {
        Gen.Byte.Array[0, 60].Sample(bytes =>
        {
            var reader = new CodecReader(bytes);
            var message = new MessageWire().Read(ref reader);
            if (message is not null && reader.IsComplete)
            {
                Deliver(message);
            }

            reader = new CodecReader(bytes);
            new RecordWire().Read(ref reader);
        });
    }

    [Fact]
    public void Damaged_messages_are_refused_or_acted_on_never_thrown()
    {
        Gen.Select(Gen.Int[0, Messages.Length - 1], Gen.Int[0, 100], Gen.Byte).Sample((which, at, value) =>
        {
            var writer = new CodecWriter();
            new MessageWire().Write(writer, Messages[which]);
            var bytes = writer.ToArray();
            bytes[at % bytes.Length] = value;
            var reader = new CodecReader(bytes);
            if (new MessageWire().Read(ref reader) is { } message && reader.IsComplete)
            {
                Deliver(message);
            }
        });
    }

    private static void Deliver(Message message)
    {
        var cluster = TestCluster.Majority(3);
        cluster.StartAll();
        cluster[1].Receive(new NodeId(2), message);
        cluster[3].State = ListState.Absent();
        cluster[3].Crash();
        cluster[3].State = ListState.Absent();
        cluster[3].Start();
        if (message is not Message.InstallSnapshot)
        {
            cluster[3].Receive(new NodeId(2), message);
        }
    }

    private static void AssertRoundTrip<T>(IWire<T> wire, T value)
    {
        var writer = new CodecWriter();
        wire.Write(writer, value);
        var reader = new CodecReader(writer.ToArray());
        var copy = wire.Read(ref reader);
        Assert.True(reader.IsComplete);
        var again = new CodecWriter();
        wire.Write(again, copy!);
        Assert.Equal(writer.ToArray(), again.ToArray());
        Assert.Equal(value!.GetType(), copy!.GetType());

        // No prefix is taken for the whole.
        for (var length = 0; length < writer.Length; length++)
        {
            var part = new CodecReader(writer.ToArray().AsMemory(0, length));
            Assert.False(wire.Read(ref part) is not null && part.IsComplete);
        }
    }

    private static IEnumerable<string> Cases(Type family) => family
        .GetNestedTypes(BindingFlags.Public).Where(type => type.BaseType == family).Select(type => type.Name).Order(StringComparer.Ordinal);
}
