using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class ThreePhaseCommit
{
    /// <summary>The binary form of messages: one byte for the kind, the transaction, then the fields as declared.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            writer.Byte(KindOf(value));
            CommitFields.Write(writer, value.Transaction);
            switch (value)
            {
                case Message.CanCommit canCommit:
                    CommitFields.Write(writer, canCommit.Oldest);
                    CommitFields.Write(writer, canCommit.Settled);
                    writer.Nodes(canCommit.Writers);
                    writer.Signed(canCommit.Life);
                    CommitFields.Write(writer, canCommit.Writes);
                    break;
                case Message.Vote vote:
                    writer.Byte((byte)vote.Choice);
                    CommitFields.Write(writer, vote.Settled);
                    break;
                case Message.Decide decide:
                    writer.Bool(decide.Commit);
                    break;
                case Message.StateRep report:
                    writer.Byte((byte)report.Standing);
                    break;
                case Message.Inquire inquire:
                    writer.Bool(inquire.Recovering);
                    break;
                case Message.Join join:
                    writer.Signed(join.Life);
                    writer.Bool(join.Writes);
                    break;
                case Message.Joined joined:
                    writer.Signed(joined.Life);
                    break;
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            var id = CommitFields.ReadTransaction(ref reader);
            return kind switch
            {
                1 => new Message.CanCommit(
                    id,
                    CommitFields.ReadTransaction(ref reader),
                    CommitFields.ReadSettlements(ref reader),
                    reader.Nodes(),
                    reader.Signed(),
                    CommitFields.ReadWrites(ref reader)),
                2 => new Message.Vote(
                    id, (Choice)CommitFields.ReadEnum(ref reader, (byte)Choice.ReadOnly), CommitFields.ReadTransaction(ref reader)),
                3 => new Message.PreCommit(id),
                4 => new Message.AckPre(id),
                5 => new Message.Decide(id, reader.Bool()),
                6 => new Message.StateReq(id),
                7 => new Message.StateRep(id, (Standing)CommitFields.ReadEnum(ref reader, (byte)Standing.Forgotten)),
                8 => new Message.Inquire(id, reader.Bool()),
                9 => new Message.Join(id, reader.Signed(), reader.Bool()),
                10 => new Message.Joined(id, reader.Signed()),
                11 => new Message.Closed(id),
                _ => null,
            };
        }

        private static byte KindOf(Message value) => value switch
        {
            Message.CanCommit => 1,
            Message.Vote => 2,
            Message.PreCommit => 3,
            Message.AckPre => 4,
            Message.Decide => 5,
            Message.StateReq => 6,
            Message.StateRep => 7,
            Message.Inquire => 8,
            Message.Join => 9,
            Message.Joined => 10,
            Message.Closed => 11,
            _ => throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol."),
        };
    }

    /// <summary>The binary form of records.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        public void Write(CodecWriter writer, Record value)
        {
            switch (value)
            {
                case Record.Booted booted:
                    writer.Byte(1);
                    writer.Signed(booted.Epoch);
                    break;
                case Record.Prepared prepared:
                    writer.Byte(2);
                    CommitFields.Write(writer, prepared.Promise);
                    CommitFields.Write(writer, prepared.Settled);
                    break;
                case Record.PreCommitted preCommitted:
                    writer.Byte(3);
                    CommitFields.Write(writer, preCommitted.Transaction);
                    break;
                case Record.Ended ended:
                    writer.Byte(4);
                    CommitFields.Write(writer, ended.Transaction);
                    writer.Bool(ended.Commit);
                    writer.Nodes(ended.Writers);
                    break;
                case Record.Decided decided:
                    writer.Byte(5);
                    CommitFields.Write(writer, decided.Transaction);
                    writer.Nodes(decided.Writers);
                    break;
                case Record.Flushed flushed:
                    writer.Byte(6);
                    writer.Slot(flushed.Applied);
                    break;
                case Record.Past past:
                    writer.Byte(7);
                    CommitFields.Write(writer, past.Marks);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
            }
        }

        public Record? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Record.Booted(reader.Signed()),
            2 => new Record.Prepared(CommitFields.ReadPromise(ref reader), CommitFields.ReadTransaction(ref reader)),
            3 => new Record.PreCommitted(CommitFields.ReadTransaction(ref reader)),
            4 => new Record.Ended(CommitFields.ReadTransaction(ref reader), reader.Bool(), reader.Nodes()),
            5 => new Record.Decided(CommitFields.ReadTransaction(ref reader), reader.Nodes()),
            6 => new Record.Flushed(reader.Slot()),
            7 => new Record.Past(CommitFields.ReadTransactions(ref reader)),
            _ => null,
        };
    }
}
