using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>The fields that messages, records and states of all protocols of atomic commit share.</summary>
internal static class CommitFields
{
    private static readonly IWire<TransactionId> Ids = new TransactionWire();
    private static readonly IWire<Promise> Promises = new PromiseWire();

    /// <summary>A branch inside a state.</summary>
    public static IWire<Branch> Branches { get; } = new BranchWire();

    public static void Write(CodecWriter writer, TransactionId value)
    {
        writer.Node(value.Coordinator);
        writer.Signed(value.Epoch);
        writer.Signed(value.Counter);
    }

    public static TransactionId ReadTransaction(ref CodecReader reader) =>
        new(reader.Node(), reader.Signed(), reader.Signed());

    public static void Write(CodecWriter writer, ImmutableArray<TransactionId> values) => writer.Many(values, static (w, id) => Write(w, id));

    public static ImmutableArray<TransactionId> ReadTransactions(ref CodecReader reader) =>
        reader.Many(static (ref reader) => ReadTransaction(ref reader));

    public static void Write(CodecWriter writer, ImmutableArray<Settlement> settlements) => writer.Many(settlements, static (w, settlement) =>
    {
        w.Node(settlement.Participant);
        Write(w, settlement.Mark);
    });

    public static ImmutableArray<Settlement> ReadSettlements(ref CodecReader reader) =>
        reader.Many(static (ref reader) => new Settlement(reader.Node(), ReadTransaction(ref reader)));

    public static void Write(CodecWriter writer, ImmutableArray<Write> writes) => writer.Many(writes, static (w, write) =>
    {
        w.Bytes(write.Key.Span);
        w.Bytes(write.Value.Span);
    });

    public static ImmutableArray<Write> ReadWrites(ref CodecReader reader) => reader.Many(static (ref reader) =>
    {
        var key = reader.Bytes();
        if (key.Length > Key.MaxLength)
        {
            reader.Fail();
        }

        return new Write(new Key(key), reader.Bytes());
    });

    public static void Write(CodecWriter writer, Branch branch)
    {
        writer.Node(branch.Participant);
        Write(writer, branch.Writes);
    }

    public static Branch ReadBranch(ref CodecReader reader) => new(reader.Node(), ReadWrites(ref reader));

    public static void Write(CodecWriter writer, ImmutableArray<Branch> branches) => writer.Many(branches, static (w, branch) => Write(w, branch));

    public static ImmutableArray<Branch> ReadBranches(ref CodecReader reader) =>
        reader.Many(static (ref reader) => ReadBranch(ref reader));

    public static void Write(CodecWriter writer, ImmutableArray<Enrolled> enrolled) => writer.Many(enrolled, static (w, who) =>
    {
        w.Node(who.Participant);
        w.Signed(who.Life);
    });

    public static ImmutableArray<Enrolled> ReadEnrolled(ref CodecReader reader) =>
        reader.Many(static (ref reader) => new Enrolled(reader.Node(), reader.Signed()));

    public static void Write(CodecWriter writer, Promise promise)
    {
        Write(writer, promise.Transaction);
        writer.Nodes(promise.Members);
        Write(writer, promise.Writes);
    }

    public static Promise ReadPromise(ref CodecReader reader) =>
        new(ReadTransaction(ref reader), reader.Nodes(), ReadWrites(ref reader));

    /// <summary>A byte that must not be above <paramref name="highest"/>.</summary>
    public static byte ReadEnum(ref CodecReader reader, byte highest)
    {
        var value = reader.Byte();
        if (value > highest)
        {
            reader.Fail();
        }

        return value;
    }

    public static void VisitId(StateVisitor visitor, ref TransactionId id) => visitor.Visit("", ref id, Ids);

    public static void VisitPromise(StateVisitor visitor, ref Promise promise) => visitor.Visit("", ref promise, Promises);

    private sealed class TransactionWire : IWire<TransactionId>
    {
        public void Write(CodecWriter writer, TransactionId value) => CommitFields.Write(writer, value);

        public TransactionId Read(ref CodecReader reader) => ReadTransaction(ref reader);
    }

    private sealed class BranchWire : IWire<Branch>
    {
        public void Write(CodecWriter writer, Branch value) => CommitFields.Write(writer, value);

        public Branch Read(ref CodecReader reader) => ReadBranch(ref reader);
    }

    private sealed class PromiseWire : IWire<Promise>
    {
        public void Write(CodecWriter writer, Promise value) => CommitFields.Write(writer, value);

        public Promise Read(ref CodecReader reader) => ReadPromise(ref reader);
    }
}

/// <summary>The binary form of commands.</summary>
public sealed class CommitCommandWire : IWire<CommitCommand>
{
    public void Write(CodecWriter writer, CommitCommand value)
    {
        switch (value)
        {
            case CommitCommand.Begin begin:
                writer.Byte(1);
                CommitFields.Write(writer, begin.Branches);
                break;
            case CommitCommand.Veto veto:
                writer.Byte(2);
                CommitFields.Write(writer, veto.Transaction);
                break;
            case CommitCommand.Suspect suspect:
                writer.Byte(3);
                writer.Node(suspect.Node);
                break;
            case CommitCommand.Apply apply:
                writer.Byte(4);
                CommitFields.Write(writer, apply.Transaction);
                CommitFields.Write(writer, apply.Writes);
                break;
            case CommitCommand.Open:
                writer.Byte(5);
                break;
            case CommitCommand.Enlist enlist:
                writer.Byte(6);
                CommitFields.Write(writer, enlist.Transaction);
                CommitFields.Write(writer, enlist.Writes);
                break;
            case CommitCommand.Commit commit:
                writer.Byte(7);
                CommitFields.Write(writer, commit.Transaction);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(value), value, "Not a command of this contract.");
        }
    }

    public CommitCommand? Read(ref CodecReader reader) => reader.Byte() switch
    {
        1 => new CommitCommand.Begin(CommitFields.ReadBranches(ref reader)),
        2 => new CommitCommand.Veto(CommitFields.ReadTransaction(ref reader)),
        3 => new CommitCommand.Suspect(reader.Node()),
        4 => new CommitCommand.Apply(CommitFields.ReadTransaction(ref reader), CommitFields.ReadWrites(ref reader)),
        5 => new CommitCommand.Open(),
        6 => new CommitCommand.Enlist(CommitFields.ReadTransaction(ref reader), CommitFields.ReadWrites(ref reader)),
        7 => new CommitCommand.Commit(CommitFields.ReadTransaction(ref reader)),
        _ => null,
    };
}

/// <summary>The binary form of results.</summary>
public sealed class CommitResultWire : IWire<CommitResult>
{
    public void Write(CodecWriter writer, CommitResult value)
    {
        var (kind, id) = value switch
        {
            CommitResult.Committed committed => (1, committed.Transaction),
            CommitResult.Aborted aborted => (2, aborted.Transaction),
            CommitResult.Vetoed vetoed => (3, vetoed.Transaction),
            CommitResult.TooLate late => (4, late.Transaction),
            CommitResult.Opened opened => (6, opened.Transaction),
            CommitResult.Enlisted enlisted => (7, enlisted.Transaction),
            CommitResult.NotOpen unknown => (8, unknown.Transaction),
            _ => (5, default),
        };
        writer.Byte((byte)kind);
        CommitFields.Write(writer, id);
    }

    public CommitResult? Read(ref CodecReader reader)
    {
        var kind = reader.Byte();
        var id = CommitFields.ReadTransaction(ref reader);
        return kind switch
        {
            1 => new CommitResult.Committed(id),
            2 => new CommitResult.Aborted(id),
            3 => new CommitResult.Vetoed(id),
            4 => new CommitResult.TooLate(id),
            5 => new CommitResult.Malformed(),
            6 => new CommitResult.Opened(id),
            7 => new CommitResult.Enlisted(id),
            8 => new CommitResult.NotOpen(id),
            _ => null,
        };
    }
}
