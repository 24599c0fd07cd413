using Synod.Core;

namespace Synod.Database.Transactions;

/// <summary>
/// Names one attempt of one transaction: a client's session and its position in it. Never used twice: a session is drawn at
/// random and its sequence only grows.
/// </summary>
public readonly record struct TransactionId(ulong Client, ulong Sequence) : IComparable<TransactionId>
{
    public int CompareTo(TransactionId other) =>
        Client != other.Client ? Client.CompareTo(other.Client) : Sequence.CompareTo(other.Sequence);

    public override string ToString() => $"t{Client:x}.{Sequence}";
}

/// <summary>
/// The age of a transaction, kept over its retries. Smaller is older, and older wins (Rosenkrantz et al. 1978, wound-wait).
/// </summary>
public readonly record struct Age(long Start, ulong Client) : IComparable<Age>
{
    public int CompareTo(Age other) => Start != other.Start ? Start.CompareTo(other.Start) : Client.CompareTo(other.Client);

    public bool IsOlderThan(Age other) => CompareTo(other) < 0;
}

/// <summary>A buffered write of a transaction; a null value deletes.</summary>
public readonly record struct KeyWrite(Key Key, ReadOnlyMemory<byte>? Value);

/// <summary>How a transaction ended, as its coordinator's group agreed.</summary>
public readonly record struct Outcome(bool IsCommit, Timestamp Timestamp)
{
    public static Outcome Abort => default;

    public static Outcome Commit(Timestamp timestamp) => new(true, timestamp);
}

/// <summary>
/// What one group's vote promises, for as long as its record is there: a commit timestamp from <paramref name="Timestamp"/> on, up
/// to <paramref name="ValidUntil"/> at the latest, finds the group's write locks and read locks held.
/// </summary>
/// <param name="Timestamp">At or above true time at the vote, and above all that was assigned or read at there.</param>
/// <param name="ValidUntil">
/// Read locks live in the leader's memory, and up to the end of its lease nobody else can lead (commit.md §4.2); without bound if
/// the transaction read nothing there.
/// </param>
public readonly record struct Promise(Timestamp Timestamp, Timestamp ValidUntil)
{
    /// <summary>
    /// Both at once. As it is a function of records alone, whoever combines all votes comes to the same commit timestamp, and to the
    /// same abort if it is above what can be vouched for.
    /// </summary>
    public Promise With(Promise other) =>
        new(Timestamp.Max(Timestamp, other.Timestamp), Timestamp.Min(ValidUntil, other.ValidUntil));
}

internal static class TransactionCodec
{
    public static void Transaction(this CodecWriter writer, TransactionId value)
    {
        writer.Fixed64(value.Client);
        writer.Unsigned(value.Sequence);
    }

    public static TransactionId Transaction(this ref CodecReader reader)
    {
        var client = reader.Fixed64();
        return new TransactionId(client, reader.Unsigned());
    }

    public static void Age(this CodecWriter writer, Age value)
    {
        writer.Signed(value.Start);
        writer.Fixed64(value.Client);
    }

    public static Age Age(this ref CodecReader reader)
    {
        var start = reader.Signed();
        return new Age(start, reader.Fixed64());
    }

    public static void Writes(this CodecWriter writer, IReadOnlyList<KeyWrite> writes)
    {
        writer.Unsigned((ulong)writes.Count);
        for (var index = 0; index < writes.Count; index++)
        {
            var (key, value) = writes[index];
            writer.Bytes(key.Span);
            writer.Bool(value.HasValue);
            if (value is { } bytes)
            {
                writer.Bytes(bytes.Span);
            }
        }
    }

    public static IReadOnlyList<KeyWrite> Writes(this ref CodecReader reader)
    {
        var writes = new KeyWrite[reader.Count()];
        for (var i = 0; i < writes.Length && !reader.Failed; i++)
        {
            var key = new Key(reader.Bytes());
            writes[i] = new KeyWrite(key, reader.Bool() ? reader.Bytes() : default(ReadOnlyMemory<byte>?));
        }

        return writes;
    }

    public static void Outcome(this CodecWriter writer, Outcome value)
    {
        writer.Bool(value.IsCommit);
        writer.Timestamp(value.Timestamp);
    }

    public static Outcome Outcome(this ref CodecReader reader)
    {
        var commit = reader.Bool();
        return new Outcome(commit, reader.Timestamp());
    }

    public static void Promise(this CodecWriter writer, Promise value)
    {
        writer.Timestamp(value.Timestamp);
        writer.Timestamp(value.ValidUntil);
    }

    public static Promise Promise(this ref CodecReader reader)
    {
        var timestamp = reader.Timestamp();
        return new Promise(timestamp, reader.Timestamp());
    }

    public static void Groups(this CodecWriter writer, IReadOnlyList<ulong> groups)
    {
        writer.Unsigned((ulong)groups.Count);
        for (var index = 0; index < groups.Count; index++)
        {
            writer.Fixed64(groups[index]);
        }
    }

    public static IReadOnlyList<ulong> Groups(this ref CodecReader reader)
    {
        var groups = new ulong[reader.Count()];
        for (var i = 0; i < groups.Length && !reader.Failed; i++)
        {
            groups[i] = reader.Fixed64();
        }

        return groups;
    }
}
