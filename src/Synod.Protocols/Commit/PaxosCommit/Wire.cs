using Synod.Core;

namespace Synod.Protocols.Commit;

public sealed partial class PaxosCommit
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
                case Message.BeginCommit begin:
                    CommitFields.Write(writer, begin.Oldest);
                    CommitFields.Write(writer, begin.Settled);
                    writer.Nodes(begin.Members);
                    CommitFields.Write(writer, begin.Branches);
                    CommitFields.Write(writer, begin.Enrolled);
                    break;
                case Message.Prepare prepare:
                    CommitFields.Write(writer, prepare.Oldest);
                    writer.Nodes(prepare.Members);
                    writer.Signed(prepare.Life);
                    CommitFields.Write(writer, prepare.Writes);
                    break;
                case Message.Phase1a phase1a:
                    writer.Ballot(phase1a.Ballot);
                    writer.Nodes(phase1a.Members);
                    break;
                case Message.Phase1b phase1b:
                    writer.Ballot(phase1b.Ballot);
                    writer.Ballot(phase1b.Voted);
                    writer.Nodes(phase1b.Members);
                    writer.Nodes(phase1b.Prepared);
                    break;
                case Message.Phase2a phase2a:
                    writer.Ballot(phase2a.Ballot);
                    writer.Nodes(phase2a.Members);
                    writer.Nodes(phase2a.Prepared);
                    CommitFields.Write(writer, phase2a.Settled);
                    break;
                case Message.Phase2b phase2b:
                    writer.Ballot(phase2b.Ballot);
                    writer.Nodes(phase2b.Members);
                    writer.Nodes(phase2b.Prepared);
                    CommitFields.Write(writer, phase2b.Settled);
                    break;
                case Message.Outbid outbid:
                    writer.Ballot(outbid.Ballot);
                    break;
                case Message.Decide decide:
                    writer.Bool(decide.Commit);
                    break;
                case Message.Inquire inquire:
                    writer.Nodes(inquire.Members);
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
                1 => new Message.BeginCommit(
                    id,
                    CommitFields.ReadTransaction(ref reader),
                    CommitFields.ReadTransaction(ref reader),
                    reader.Nodes(),
                    CommitFields.ReadBranches(ref reader),
                    CommitFields.ReadEnrolled(ref reader)),
                2 => new Message.Prepare(
                    id, CommitFields.ReadTransaction(ref reader), reader.Nodes(), reader.Signed(), CommitFields.ReadWrites(ref reader)),
                3 => new Message.Phase1a(id, reader.Ballot(), reader.Nodes()),
                4 => new Message.Phase1b(id, reader.Ballot(), reader.Ballot(), reader.Nodes(), reader.Nodes()),
                5 => new Message.Phase2a(id, reader.Ballot(), reader.Nodes(), reader.Nodes(), CommitFields.ReadTransaction(ref reader)),
                6 => new Message.Phase2b(id, reader.Ballot(), reader.Nodes(), reader.Nodes(), CommitFields.ReadTransaction(ref reader)),
                7 => new Message.Outbid(id, reader.Ballot()),
                8 => new Message.Decide(id, reader.Bool()),
                9 => new Message.Inquire(id, reader.Nodes()),
                10 => new Message.Over(id),
                11 => new Message.Join(id, reader.Signed(), reader.Bool()),
                12 => new Message.Joined(id, reader.Signed()),
                13 => new Message.Closed(id),
                _ => null,
            };
        }

        private static byte KindOf(Message value) => value switch
        {
            Message.BeginCommit => 1,
            Message.Prepare => 2,
            Message.Phase1a => 3,
            Message.Phase1b => 4,
            Message.Phase2a => 5,
            Message.Phase2b => 6,
            Message.Outbid => 7,
            Message.Decide => 8,
            Message.Inquire => 9,
            Message.Over => 10,
            Message.Join => 11,
            Message.Joined => 12,
            Message.Closed => 13,
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
                case Record.Accepted accepted:
                    writer.Byte(3);
                    CommitFields.Write(writer, accepted.Transaction);
                    writer.Nodes(accepted.Members);
                    writer.Ballot(accepted.Promised);
                    writer.Ballot(accepted.Voted);
                    writer.Nodes(accepted.Yes);
                    break;
                case Record.Ended ended:
                    writer.Byte(4);
                    CommitFields.Write(writer, ended.Transaction);
                    writer.Bool(ended.Commit);
                    break;
                case Record.Flushed flushed:
                    writer.Byte(5);
                    writer.Slot(flushed.Applied);
                    break;
                case Record.Past past:
                    writer.Byte(6);
                    CommitFields.Write(writer, past.Marks);
                    CommitFields.Write(writer, past.Managers);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
            }
        }

        public Record? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Record.Booted(reader.Signed()),
            2 => new Record.Prepared(CommitFields.ReadPromise(ref reader), CommitFields.ReadTransaction(ref reader)),
            3 => new Record.Accepted(
                CommitFields.ReadTransaction(ref reader), reader.Nodes(), reader.Ballot(), reader.Ballot(), reader.Nodes()),
            4 => new Record.Ended(CommitFields.ReadTransaction(ref reader), reader.Bool()),
            5 => new Record.Flushed(reader.Slot()),
            6 => new Record.Past(
                CommitFields.ReadTransactions(ref reader),
                CommitFields.ReadSettlements(ref reader)),
            _ => null,
        };
    }
}
