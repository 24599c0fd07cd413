using System.Buffers.Binary;
using Synod.Core;
using Synod.Database.Directory;
using Synod.Database.Transactions;
using Synod.Storage.Mvcc;

namespace Synod.Database.Ranges;

/// <summary>Where a group keeps what it knows beside the versions, and in which form.</summary>
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

    public static byte[] Prepared(ulong group, TransactionId id) => MetaKey.Of(group, PreparedKind, Suffix(id));

    public static byte[] Unresolved(ulong group, TransactionId id) => MetaKey.Of(group, UnresolvedKind, Suffix(id));

    public static byte[] Staged(ulong group, TransactionId id) => MetaKey.Of(group, StagedKind, Suffix(id));

    public static byte[] Fence(ulong group, TransactionId id) => MetaKey.Of(group, FenceKind, Suffix(id));

    public static byte[] Session(ulong group, ulong client) => MetaKey.Of(group, SessionKind, Suffix(client));

    public static byte[] WriteDescriptor(RangeDescriptor descriptor) => Written(descriptor.Write);

    public static RangeDescriptor ReadDescriptor(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        return Completed(RangeDescriptor.Read(ref reader), reader);
    }

    public static byte[] WriteProgress(Slot applied, Ballot term, Timestamp last, Timestamp collected) => Written(writer =>
    {
        writer.Slot(applied);
        writer.Ballot(term);
        writer.Timestamp(last);
        writer.Timestamp(collected);
    });

    public static (Slot Applied, Ballot Term, Timestamp Last, Timestamp Collected) ReadProgress(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        var applied = reader.Slot();
        var term = reader.Ballot();
        var last = reader.Timestamp();
        return Completed((applied, term, last, reader.Timestamp()), reader);
    }

    /// <param name="heard">When the group last heard of the session, by its commit timestamps.</param>
    public static byte[] WriteSession(ulong sequence, Outcome outcome, Timestamp heard) => Written(writer =>
    {
        writer.Unsigned(sequence);
        writer.Outcome(outcome);
        writer.Timestamp(heard);
    });

    public static (ulong Sequence, Outcome Outcome, Timestamp Heard) ReadSession(ReadOnlyMemory<byte> bytes)
    {
        var reader = new CodecReader(bytes);
        var sequence = reader.Unsigned();
        var outcome = reader.Outcome();
        return Completed((sequence, outcome, reader.Timestamp()), reader);
    }

    public static byte[] WritePrepared(PreparedTransaction value) => Written(writer =>
    {
        writer.Age(value.Age);
        writer.Fixed64(value.Coordinator);
        writer.Promise(value.Promise);
        writer.Writes(value.Writes);
    });

    public static PreparedTransaction ReadPrepared(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        var age = reader.Age();
        var coordinator = reader.Fixed64();
        var promise = reader.Promise();
        return Completed(new PreparedTransaction(age, coordinator, promise, reader.Writes()), reader);
    }

    public static byte[] WriteStaged(StagedTransaction value) => Written(writer =>
    {
        writer.Age(value.Age);
        writer.Promise(value.Promise);
        writer.Writes(value.Writes);
        writer.Groups(value.Participants);
    });

    public static StagedTransaction ReadStaged(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        var age = reader.Age();
        var promise = reader.Promise();
        var writes = reader.Writes();
        return Completed(new StagedTransaction(age, promise, writes, reader.Groups()), reader);
    }

    /// <param name="at">When the transaction was fenced, by its command.</param>
    public static byte[] WriteFence(Timestamp at) => Written(writer => writer.Timestamp(at));

    public static Timestamp ReadFence(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        return Completed(reader.Timestamp(), reader);
    }

    public static byte[] WriteUnresolved(CommittedTransaction value) => Written(writer =>
    {
        writer.Timestamp(value.Timestamp);
        writer.Groups(value.Participants);
    });

    public static CommittedTransaction ReadUnresolved(byte[] bytes)
    {
        var reader = new CodecReader(bytes);
        var timestamp = reader.Timestamp();
        return Completed(new CommittedTransaction(timestamp, reader.Groups()), reader);
    }

    public static TransactionId ReadId(ReadOnlySpan<byte> suffix) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(suffix), BinaryPrimitives.ReadUInt64BigEndian(suffix[8..]));

    private static byte[] Suffix(TransactionId id)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id.Client);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), id.Sequence);
        return bytes;
    }

    private static byte[] Suffix(ulong client)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, client);
        return bytes;
    }

    private static byte[] Written(Action<CodecWriter> write)
    {
        var writer = new CodecWriter(64);
        write(writer);
        return writer.ToArray();
    }

    private static T Completed<T>(T value, CodecReader reader)
    {
        Invariant.Check(reader.IsComplete, "StoredStateReadable");
        return value;
    }
}
