using Google.Protobuf;
using Synod.Core;
using Synod.Database.Ranges;
using Synod.Database.Transactions;

namespace Synod.Database;

/// <summary>Between the network API's messages and the database's own values.</summary>
internal static class Responses
{
    public static Api.Response Read(Api.ReadResult result) => new() { Read = result };

    public static Api.Response Done() => new() { Done = new Api.Done() };

    public static Api.Response Refused(string reason) => new() { Refused = new Api.Refused { Reason = reason } };

    public static Api.Response Unavailable(string reason) => new() { Unavailable = new Api.Unavailable { Reason = reason } };

    public static Api.Response Aborted(string reason) => new() { Aborted = new Api.Aborted { Reason = reason } };

    public static Api.Response Unknown(string reason) => new()
    {
        Commit = new Api.CommitResult { Outcome = Api.CommitResult.Types.Outcome.Unknown, Reason = reason },
    };

    public static Api.Response Decided(CommandEffect effect, string abortReason) => effect.Outcome switch
    {
        null => Unknown("The session is past this transaction, and its outcome is no longer kept."),
        { IsCommit: true, Timestamp: var timestamp } => Committed(timestamp),
        _ => new Api.Response
        {
            Commit = new Api.CommitResult { Outcome = Api.CommitResult.Types.Outcome.Aborted, Reason = abortReason },
        },
    };

    public static Api.Response Committed(Timestamp timestamp) => new()
    {
        Commit = new Api.CommitResult
        {
            Outcome = Api.CommitResult.Types.Outcome.Committed,
            Timestamp = timestamp.Nanoseconds,
        },
    };

    public static Api.KeyValue Item(Key key, ReadOnlyMemory<byte> value, Timestamp timestamp) => new()
    {
        Key = ByteString.CopyFrom(key.Span),
        Value = ByteString.CopyFrom(value.Span),
        Timestamp = timestamp.Nanoseconds,
    };

    public static Api.Term Term(Ballot ballot) => new() { Round = ballot.Round, Node = ballot.Node.Value };

    public static Ballot Term(Api.Term? term) => term is null ? Ballot.None : new Ballot(term.Round, new NodeId(term.Node));

    public static TransactionId Identify(Api.TransactionId id) => new(id.Client, id.Sequence);

    public static (TransactionId Id, Age Age) Identify(Api.TransactionId id, Api.Age? age) =>
        (Identify(id), new Age(age?.Start ?? long.MaxValue, age?.Client ?? id.Client));

    public static IReadOnlyList<KeyWrite> Writes(Api.Part part)
    {
        var writes = new KeyWrite[part.Writes.Count];
        for (var i = 0; i < writes.Length; i++)
        {
            var write = part.Writes[i];
            writes[i] = new KeyWrite(new Key(write.Key.Memory), write.Delete ? default(ReadOnlyMemory<byte>?) : write.Value.Memory);
        }

        return writes;
    }

    /// <summary>What is wrong with a request whatever the state of the cluster; null if nothing.</summary>
    public static string? Fault(Api.Request request) => request.BodyCase switch
    {
        Api.Request.BodyOneofCase.None => "The request has no body: it is empty, or of a newer version of the API.",
        Api.Request.BodyOneofCase.Read => Fault(request.Read),
        Api.Request.BodyOneofCase.Commit => Fault(request.Commit),
        Api.Request.BodyOneofCase.Split => KeyFault(request.Split.At, "split key"),
        Api.Request.BodyOneofCase.Rollback when request.Rollback.Transaction is null => "A rollback needs a transaction id.",
        Api.Request.BodyOneofCase.KeepAlive when request.KeepAlive.Transaction is null => "A keep-alive needs a transaction id.",
        _ => null,
    };

    private static string? Fault(Api.Read read)
    {
        if (read.Single)
        {
            return KeyFault(read.Start, "key") ?? (read.End.IsEmpty ? null : "A read of a single key has no end.");
        }

        // A scan that goes on after a key of full length begins at its successor, one byte longer.
        if (read.Start.Length > Limits.KeyBytes + 1 || read.End.Length > Limits.KeyBytes + 1)
        {
            return $"A bound of the scan is longer than {Limits.KeyBytes} bytes.";
        }

        if (read.At < 0 || (read.Transaction is not null && (read.At != 0 || read.ChooseTimestamp)))
        {
            return "A read is at a timestamp of zero or more, or in a read-write transaction, not both.";
        }

        return !read.End.IsEmpty && read.Start.Span.SequenceCompareTo(read.End.Span) >= 0
            ? "The scan's end is not above its start."
            : null;
    }

    private static string? Fault(Api.Commit commit)
    {
        if (commit.Transaction is null || commit.Parts.Count == 0)
        {
            return "A commit needs a transaction id and at least one part.";
        }

        if (commit.Parts.Count > 1 && commit.Parts.Select(part => part.Group).Distinct().Count() != commit.Parts.Count)
        {
            return "Two parts of the commit name the same group.";
        }

        long bytes = 0;
        foreach (var part in commit.Parts)
        {
            foreach (var write in part.Writes)
            {
                if ((KeyFault(write.Key, "key") ?? ValueFault(write)) is { } fault)
                {
                    return fault;
                }

                bytes += write.Key.Length + write.Value.Length;
            }
        }

        return bytes > Limits.TransactionBytes
            ? $"The transaction writes {bytes} bytes; the limit is {Limits.TransactionBytes} (64 MiB). Split it into smaller ones."
            : null;
    }

    private static string? KeyFault(ByteString key, string what) =>
        key.IsEmpty ? $"The {what} is empty."
        : key.Length > Limits.KeyBytes ? $"The {what} has {key.Length} bytes; the limit is {Limits.KeyBytes}."
        : null;

    private static string? ValueFault(Api.Write write) =>
        write.Value.Length > Limits.ValueBytes
            ? $"A value has {write.Value.Length} bytes; the limit is {Limits.ValueBytes} (4 MiB). Store it in pieces."
            : null;
}
