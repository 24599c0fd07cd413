using System.Collections.Immutable;
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
                    writer.Nodes(prepare.Writers);
                    Fields.Write(writer, prepare.Writes);
                    break;
                case Message.Vote vote:
                    Head(writer, 2, vote.Transaction);
                    writer.Byte((byte)vote.Choice);
                    break;
                case Message.Decide decide:
                    Head(writer, 3, decide.Transaction);
                    writer.Bool(decide.Commit);
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
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            var id = Fields.ReadTransaction(ref reader);
            return kind switch
            {
                1 => new Message.Prepare(id, reader.Nodes(), Fields.ReadWrites(ref reader)),
                2 => new Message.Vote(id, (Choice)Fields.ReadEnum(ref reader, (byte)Choice.ReadOnly)),
                3 => new Message.Decide(id, reader.Bool()),
                4 => new Message.Ack(id),
                5 => new Message.Inquire(id),
                6 => new Message.Outcome(id, (Ending)Fields.ReadEnum(ref reader, (byte)Ending.Aborted)),
                _ => null,
            };
        }

        private static void Head(CodecWriter writer, byte kind, TransactionId transaction)
        {
            writer.Byte(kind);
            Fields.Write(writer, transaction);
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
                    Fields.Write(writer, prepared.Transaction);
                    writer.Nodes(prepared.Writers);
                    Fields.Write(writer, prepared.Writes);
                    break;
                case Record.Committed committed:
                    writer.Byte(3);
                    Fields.Write(writer, committed.Transaction);
                    break;
                case Record.Aborted aborted:
                    writer.Byte(4);
                    Fields.Write(writer, aborted.Transaction);
                    break;
                case Record.Decided decided:
                    writer.Byte(5);
                    Fields.Write(writer, decided.Transaction);
                    writer.Nodes(decided.Voters);
                    break;
                case Record.Ended ended:
                    writer.Byte(6);
                    Fields.Write(writer, ended.Transaction);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
            }
        }

        public Record? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Record.Booted(reader.Signed()),
            2 => new Record.Prepared(Fields.ReadTransaction(ref reader), reader.Nodes(), Fields.ReadWrites(ref reader)),
            3 => new Record.Committed(Fields.ReadTransaction(ref reader)),
            4 => new Record.Aborted(Fields.ReadTransaction(ref reader)),
            5 => new Record.Decided(Fields.ReadTransaction(ref reader), reader.Nodes()),
            6 => new Record.Ended(Fields.ReadTransaction(ref reader)),
            _ => null,
        };
    }

    /// <summary>The fields that messages, records and states share.</summary>
    internal static class Fields
    {
        public static void Write(CodecWriter writer, TransactionId value)
        {
            writer.Node(value.Coordinator);
            writer.Signed(value.Epoch);
            writer.Signed(value.Counter);
        }

        public static TransactionId ReadTransaction(ref CodecReader reader) =>
            new(reader.Node(), reader.Signed(), reader.Signed());

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

        public static byte ReadEnum(ref CodecReader reader, byte highest)
        {
            var value = reader.Byte();
            if (value > highest)
            {
                reader.Fail();
            }

            return value;
        }
    }

    /// <summary>A transaction id inside a state.</summary>
    internal sealed class TransactionWire : IWire<TransactionId>
    {
        public void Write(CodecWriter writer, TransactionId value) => Fields.Write(writer, value);

        public TransactionId Read(ref CodecReader reader) => Fields.ReadTransaction(ref reader);
    }
}
