using System.Collections.Immutable;
using System.Reflection;
using CsCheck;
using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.Quartet;

namespace Synod.Protocols.Tests.Pbft;

using Message = PbftReplica.Message;
using Record = PbftReplica.Record;

/// <summary>The binary forms: each case has one, and whatever arrives is read or refused, never thrown.</summary>
public sealed class WireTests
{
    private static readonly Quartet s_group = new(Small);
    private static readonly Quartet s_coded = new(Small with { UsesCodes = true });
    private static readonly PbftReplica.Batch s_batch = s_group.Batch("x+");
    private static readonly PbftReplica.Prepared s_prepared = s_group.Prepared(0, 2, s_batch.Digest, A, B, C);
    private static readonly PbftReplica.CheckpointProof s_proof = s_group.Proven(4, s_batch.Digest, A, B, C);
    private static readonly ImmutableArray<Message.ViewChange> s_changes =
    [
        s_group.ViewChange(A, 1), s_group.ViewChange(C, 1, [s_group.Prepared(0, 6, s_batch.Digest, A, B, C)], s_proof), s_group.ViewChange(D, 1),
    ];

    private static readonly Message[] s_messages =
    [
        new Message.Request(s_batch.Requests[0]),
        new Message.Read(s_batch.Requests[0]),
        new Message.Reply(3, 7, true, Counters.Bytes("5")),
        s_group.PrePrepare(A, 0, 1, s_batch),
        s_coded.PrePrepare(A, 0, 1, s_batch),
        s_group.Prepare(B, 0, 1, s_batch.Digest),
        s_group.Commit(B, 0, 1, s_batch.Digest),
        s_coded.Commit(B, 0, 1, s_batch.Digest),
        s_group.Checkpoint(B, 4, s_batch.Digest),
        s_group.Signed(s_group.ViewChange(B, 1, [s_prepared], s_proof) with { PrePrepared = [new(0, new Slot(5), s_batch.Digest)] }),
        s_group.NewView(B, 1, s_changes, (5, Digest.None), (6, s_batch.Digest)),
        new Message.Status(2, true, new Slot(4), new Slot(6)),
        new Message.Decided(new Slot(5), s_batch),
        new Message.Decided(new Slot(5), PbftReplica.Batch.Null),
        new Message.StableCheckpoint(s_proof),
        new Message.FetchBatch(s_batch.Digest),
        new Message.BatchFound(s_batch),
        new Message.FetchState(new Slot(4), -1, 0),
        new Message.StateChunk(new Slot(4), 1, 2, Counters.Bytes("content")),
    ];

    private static readonly Record[] s_records =
    [
        new Record.Known(s_batch),
        new Record.PrePrepared(1, new Slot(5), s_batch.Digest, s_group.Prove(A, PbftReplica.Phase.PrePrepare, 1, 5, s_batch.Digest)),
        new Record.Prepared(s_prepared),
        new Record.Changing(s_changes[1]),
        new Record.Entered(s_group.NewView(B, 1, s_changes, (5, Digest.None))),
        new Record.Saved(new Slot(4), Counters.Bytes("state")),
        new Record.Stable(s_proof),
        new Record.Executed(new Slot(5), s_batch.Digest),
        new Record.Claimed(9),
    ];

    [Fact]
    public void Every_case_survives_its_binary_form()
    {
        Assert.Equal(Cases(typeof(Message)), s_messages.Select(message => message.GetType().Name).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(Cases(typeof(Record)), s_records.Select(record => record.GetType().Name).Order(StringComparer.Ordinal));
        Assert.All(s_messages, message => AssertRoundTrip(new PbftReplica.MessageWire(), message));
        Assert.All(s_records, record => AssertRoundTrip(new PbftReplica.RecordWire(), record));
    }

    [Fact]
    public void The_null_request_has_a_digest_of_its_own()
    {
        Assert.Equal(Digest.None, PbftReplica.Batch.Null.Digest);
        Assert.NotEqual(Digest.None, s_batch.Digest);
        Assert.NotEqual(s_batch.Digest, s_group.Batch("x+", 2).Digest);
    }

    /// <summary>In a new replica, a busy one, and one that changes views; from members and strangers.</summary>
    [Fact]
    public void Every_message_is_handled_in_every_state()
    {
        foreach (var message in s_messages)
        {
            Deliver(message);
        }
    }

    // One thread: the groups share one table of signatures.
    [Fact]
    public void Random_bytes_are_refused_or_read_never_thrown() => Gen.Byte.Array[0, 90].Sample(
        bytes =>
        {
            var reader = new CodecReader(bytes);
            var message = new PbftReplica.MessageWire().Read(ref reader);
            if (message is not null && reader.IsComplete)
            {
                Deliver(message);
            }

            reader = new CodecReader(bytes);
            new PbftReplica.RecordWire().Read(ref reader);
        },
        threads: 1);

    [Fact]
    public void Damaged_messages_are_refused_or_acted_on_never_thrown() =>
        Gen.Select(Gen.Int[0, s_messages.Length - 1], Gen.Int[0, 900], Gen.Byte).Sample(
            (which, at, value) =>
            {
                var writer = new CodecWriter();
                new PbftReplica.MessageWire().Write(writer, s_messages[which]);
                var bytes = writer.ToArray();
                bytes[at % bytes.Length] = value;
                var reader = new CodecReader(bytes);
                if (new PbftReplica.MessageWire().Read(ref reader) is { } message && reader.IsComplete)
                {
                    Deliver(message);
                }
            },
            threads: 1);

    private static void Deliver(Message message)
    {
        foreach (var group in new[] { s_group, s_coded })
        {
            var play = group.Stage(X);
            play.Receive(B, C, message);
            play.Receive(X, C, message);
            play.Receive(A, C, group.PrePrepare(A, 0, 1, s_batch));
            play.Receive(B, C, group.Prepare(B, 0, 1, s_batch.Digest));
            play.Receive(B, C, message);
            if (play.IsArmed(C, (int)PbftReplica.Timer.Request))
            {
                play.Fire(C, (int)PbftReplica.Timer.Request);
            }

            play.Receive(B, C, message);
            play.Receive(A, B, message);
            play.Receive(A, X, message);
            play.Submit(X, new PbftReplica.Command.Invoke(Counters.Bytes("x+")));
            play.Receive(A, X, message);
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
        Assert.Equal(value.ToString(), copy.ToString());

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
