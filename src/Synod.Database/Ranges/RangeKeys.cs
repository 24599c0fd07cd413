using System.Buffers.Binary;
using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Transactions;
using Synod.Storage.Mvcc;

namespace Synod.Database.Ranges;

/// <summary>
/// Where a group keeps what it knows beside the versions, and in which form. Writing takes a writer that is used over and over; what it
/// held before is gone.
/// </summary>
internal static class RangeKeys
{
    public const byte DescriptorKind = 1;
    public const byte ProgressKind = 2;
    public const byte PreparedKind = 3;
    public const byte UnresolvedKind = 4;
    public const byte SessionKind = 5;
    public const byte StagedKind = 6;
    public const byte FenceKind = 7;

    public static byte[] Descriptor(ulong group) => MetaKey.Of(group, DescriptorKind);

    public static byte[] Progress(ulong group) => MetaKey.Of(group, ProgressKind);

    public static byte[] Prepared(ulong group, TransactionId id) => Of(group, PreparedKind, id);

    public static byte[] Unresolved(ulong group, TransactionId id) => Of(group, UnresolvedKind, id);

    public static byte[] Staged(ulong group, TransactionId id) => Of(group, StagedKind, id);

    public static byte[] Fence(ulong group, TransactionId id) => Of(group, FenceKind, id);

    public static byte[] Session(ulong group, ulong client)
    {
        Span<byte> suffix = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(suffix, client);
        return MetaKey.Of(group, SessionKind, suffix);
    }

    public static byte[] WriteDescriptor(CodecWriter writer, RangeDescriptor descriptor)
    {
        writer.Clear();
        descriptor.Write(writer);
        return writer.ToArray();
    }

    public static RangeDescriptor ReadDescriptor(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        return Completed(RangeDescriptor.Read(ref reader), reader);
    }

    public static byte[] WriteProgress(CodecWriter writer, Slot applied, Ballot term, Timestamp last, Timestamp collected)
    {
        writer.Clear();
        writer.Slot(applied);
        writer.Ballot(term);
        writer.Timestamp(last);
        writer.Timestamp(collected);
        return writer.ToArray();
    }

    public static (Slot Applied, Ballot Term, Timestamp Last, Timestamp Collected) ReadProgress(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        var applied = reader.Slot();
        var term = reader.Ballot();
        var last = reader.Timestamp();
        return Completed((applied, term, last, reader.Timestamp()), reader);
    }

    /// <param name="heard">When the group last heard of the session, by its commit timestamps.</param>
    public static byte[] WriteSession(CodecWriter writer, ulong sequence, Outcome outcome, Timestamp heard)
    {
        writer.Clear();
        writer.Unsigned(sequence);
        writer.Outcome(outcome);
        writer.Timestamp(heard);
        return writer.ToArray();
    }

    public static (ulong Sequence, Outcome Outcome, Timestamp Heard) ReadSession(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        var sequence = reader.Unsigned();
        var outcome = reader.Outcome();
        return Completed((sequence, outcome, reader.Timestamp()), reader);
    }

    public static byte[] WritePrepared(CodecWriter writer, PreparedTransaction value)
    {
        writer.Clear();
        writer.Age(value.Age);
        writer.Fixed64(value.Coordinator);
        writer.Promise(value.Promise);
        writer.Writes(value.Writes);
        return writer.ToArray();
    }

    public static PreparedTransaction ReadPrepared(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        var age = reader.Age();
        var coordinator = reader.Fixed64();
        var promise = reader.Promise();
        return Completed(new PreparedTransaction(age, coordinator, promise, reader.Writes()), reader);
    }

    public static byte[] WriteStaged(CodecWriter writer, StagedTransaction value)
    {
        writer.Clear();
        writer.Age(value.Age);
        writer.Promise(value.Promise);
        writer.Writes(value.Writes);
        writer.Groups(value.Participants);
        return writer.ToArray();
    }

    public static StagedTransaction ReadStaged(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        var age = reader.Age();
        var promise = reader.Promise();
        var writes = reader.Writes();
        return Completed(new StagedTransaction(age, promise, writes, reader.Groups()), reader);
    }

    /// <param name="at">When the transaction was fenced, by its command.</param>
    public static byte[] WriteFence(CodecWriter writer, Timestamp at)
    {
        writer.Clear();
        writer.Timestamp(at);
        return writer.ToArray();
    }

    public static Timestamp ReadFence(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        return Completed(reader.Timestamp(), reader);
    }

    public static byte[] WriteUnresolved(CodecWriter writer, CommittedTransaction value)
    {
        writer.Clear();
        writer.Timestamp(value.Timestamp);
        writer.Groups(value.Participants);
        return writer.ToArray();
    }

    public static CommittedTransaction ReadUnresolved(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        var timestamp = reader.Timestamp();
        return Completed(new CommittedTransaction(timestamp, reader.Groups()), reader);
    }

    public static TransactionId ReadId(ReadOnlySpan<byte> suffix) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(suffix), BinaryPrimitives.ReadUInt64BigEndian(suffix[8..]));

    private static byte[] Of(ulong group, byte kind, TransactionId id)
    {
        Span<byte> suffix = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(suffix, id.Client);
        BinaryPrimitives.WriteUInt64BigEndian(suffix[8..], id.Sequence);
        return MetaKey.Of(group, kind, suffix);
    }

    private static T Completed<T>(T value, CodecReader reader)
    {
        Invariant.Check(reader.IsComplete, "StoredStateReadable");
        return value;
    }
}
