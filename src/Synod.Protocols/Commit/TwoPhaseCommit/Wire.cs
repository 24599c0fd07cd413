using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class TwoPhaseCommit
{
    /// <summary>The binary form of messages: one byte for the kind, then the fields in the order of their declaration.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Prepare prepare:
                    Head(writer, 1, prepare.Transaction);
                    CommitFields.Write(writer, prepare.Oldest);
                    writer.Nodes(prepare.Writers);
                    writer.Signed(prepare.Life);
                    CommitFields.Write(writer, prepare.Writes);
                    break;
                case Message.Vote vote:
                    Head(writer, 2, vote.Transaction);
                    writer.Byte((byte)vote.Choice);
                    break;
                case Message.Decide decide:
                    Head(writer, 3, decide.Transaction);
                    writer.Bool(decide.Commit);
                    break;
                case Message.CommitAlone alone:
                    Head(writer, 7, alone.Transaction);
                    CommitFields.Write(writer, alone.Oldest);
                    writer.Signed(alone.Life);
                    CommitFields.Write(writer, alone.Writes);
                    break;
                case Message.DecidedAlone decided:
                    Head(writer, 8, decided.Transaction);
                    break;
                case Message.Ack ack:
                    Head(writer, 4, ack.Transaction);
                    break;
                case Message.Inquire inquire:
                    Head(writer, 5, inquire.Transaction);
                    break;
                case Message.Outcome outcome:
                    Head(writer, 6, outcome.Transaction);
                    writer.Byte((byte)outcome.Ending);
                    break;
                case Message.Join join:
                    Head(writer, 9, join.Transaction);
                    writer.Signed(join.Life);
                    writer.Bool(join.Writes);
                    break;
                case Message.Joined joined:
                    Head(writer, 10, joined.Transaction);
                    writer.Signed(joined.Life);
                    break;
                case Message.Closed closed:
                    Head(writer, 11, closed.Transaction);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            var id = CommitFields.ReadTransaction(ref reader);
            return kind switch
            {
                1 => new Message.Prepare(
                    id, CommitFields.ReadTransaction(ref reader), reader.Nodes(), reader.Signed(), CommitFields.ReadWrites(ref reader)),
                2 => new Message.Vote(id, (Choice)CommitFields.ReadEnum(ref reader, (byte)Choice.ReadOnly)),
                3 => new Message.Decide(id, reader.Bool()),
                4 => new Message.Ack(id),
                5 => new Message.Inquire(id),
                6 => new Message.Outcome(id, (Ending)CommitFields.ReadEnum(ref reader, (byte)Ending.Aborted)),
                7 => new Message.CommitAlone(
                    id, CommitFields.ReadTransaction(ref reader), reader.Signed(), CommitFields.ReadWrites(ref reader)),
                8 => new Message.DecidedAlone(id),
                9 => new Message.Join(id, reader.Signed(), reader.Bool()),
                10 => new Message.Joined(id, reader.Signed()),
                11 => new Message.Closed(id),
                _ => null,
            };
        }

        private static void Head(CodecWriter writer, byte kind, TransactionId transaction)
        {
            writer.Byte(kind);
            CommitFields.Write(writer, transaction);
        }
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
                    break;
                case Record.CommittedAlone alone:
                    writer.Byte(7);
                    CommitFields.Write(writer, alone.Promise);
                    break;
                case Record.Committed committed:
                    writer.Byte(3);
                    CommitFields.Write(writer, committed.Transaction);
                    break;
                case Record.Aborted aborted:
                    writer.Byte(4);
                    CommitFields.Write(writer, aborted.Transaction);
                    break;
                case Record.Decided decided:
                    writer.Byte(5);
                    CommitFields.Write(writer, decided.Transaction);
                    writer.Nodes(decided.Voters);
                    break;
                case Record.Ended ended:
                    writer.Byte(6);
                    CommitFields.Write(writer, ended.Transaction);
                    break;
                case Record.Flushed flushed:
                    writer.Byte(8);
                    writer.Slot(flushed.Applied);
                    break;
                case Record.Past past:
                    writer.Byte(9);
                    CommitFields.Write(writer, past.Marks);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
            }
        }

        public Record? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Record.Booted(reader.Signed()),
            2 => new Record.Prepared(CommitFields.ReadPromise(ref reader)),
            3 => new Record.Committed(CommitFields.ReadTransaction(ref reader)),
            4 => new Record.Aborted(CommitFields.ReadTransaction(ref reader)),
            5 => new Record.Decided(CommitFields.ReadTransaction(ref reader), reader.Nodes()),
            6 => new Record.Ended(CommitFields.ReadTransaction(ref reader)),
            7 => new Record.CommittedAlone(CommitFields.ReadPromise(ref reader)),
            8 => new Record.Flushed(reader.Slot()),
            9 => new Record.Past(CommitFields.ReadTransactions(ref reader)),
            _ => null,
        };
    }
}
