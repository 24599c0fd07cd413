using Synod.Core;

namespace Synod.Protocols.Consensus;

public sealed partial class MultiPaxos
{
    /// <summary>The binary form of messages: one kind byte, then the fields.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        /// <exception cref="InvariantViolation">A message case has no binary form.</exception>
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.PreVote m:
                    Head(writer, 1, m.Ballot);
                    writer.Slot(m.Chosen);
                    break;
                case Message.PreVoteAck m:
                    Head(writer, 2, m.Ballot);
                    writer.Ballot(m.Promised);
                    break;
                case Message.Prepare m:
                    Head(writer, 3, m.Ballot);
                    writer.Slot(m.From);
                    writer.Ballot(m.Released);
                    break;
                case Message.Promise m:
                    WritePromise(writer, m);
                    break;
                case Message.Reject m:
                    Head(writer, 5, m.Ballot);
                    writer.Ballot(m.Promised);
                    break;
                case Message.Accept m:
                    Head(writer, 6, m.Ballot);
                    writer.Slot(m.Slot);
                    writer.Slot(m.Commit);
                    writer.Bytes(m.Value.Span);
                    break;
                case Message.Accepted m:
                    Head(writer, 7, m.Ballot);
                    writer.Slot(m.Slot);
                    writer.Slot(m.Through);
                    break;
                case Message.Heartbeat m:
                    WriteHeartbeat(writer, m);
                    break;
                case Message.HeartbeatAck m:
                    Head(writer, 9, m.Ballot);
                    writer.Signed(m.Round);
                    writer.Slot(m.Through);
                    writer.Timestamp(m.LeaseFrom);
                    break;
                default:
                    WriteLearning(writer, value);
                    break;
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            return kind <= 9 ? ReadBalloting(kind, ref reader) : ReadLearning(kind, ref reader);
        }

        private static void Head(CodecWriter writer, byte kind, Ballot ballot)
        {
            writer.Byte(kind);
            writer.Ballot(ballot);
        }

        private static void WritePromise(CodecWriter writer, Message.Promise m)
        {
            Head(writer, 4, m.Ballot);
            writer.Slot(m.From);
            WriteEntries(writer, m.Report);
            writer.Slot(m.Through);
            writer.Bool(m.IsLast);
            writer.Slot(m.Chosen);
            writer.Slot(m.Floor);
        }

        private static void WriteHeartbeat(CodecWriter writer, Message.Heartbeat m)
        {
            Head(writer, 8, m.Ballot);
            writer.Slot(m.Commit);
            writer.Signed(m.Round);
            writer.Timestamp(m.LeaseFrom);
            writer.Duration(m.LeaseFor);
        }

        private static void WriteLearning(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Fetch m:
                    writer.Byte(10);
                    writer.Slot(m.From);
                    break;
                case Message.Entries m:
                    writer.Byte(11);
                    WriteEntries(writer, m.Chosen);
                    break;
                case Message.FetchSnapshot m:
                    writer.Byte(12);
                    writer.Slot(m.At);
                    writer.Int(m.Index);
                    break;
                case Message.InstallSnapshot m:
                    writer.Byte(13);
                    writer.Slot(m.Chunk.At);
                    writer.Int(m.Chunk.Index);
                    writer.Bool(m.Chunk.IsLast);
                    writer.Bytes(m.Chunk.Data.Span);
                    break;
                case Message.TimeoutNow m:
                    Head(writer, 14, m.Ballot);
                    break;
                case Message.Quiesce m:
                    Head(writer, 15, m.Ballot);
                    writer.Slot(m.Commit);
                    break;
                default:
                    Invariant.Check(false, "EveryMessageHasAWireForm");
                    break;
            }
        }

        private static Message? ReadBalloting(byte kind, ref CodecReader reader)
        {
            var ballot = reader.Ballot();
            return kind switch
            {
                1 => new Message.PreVote(ballot, reader.Slot()),
                2 => new Message.PreVoteAck(ballot, reader.Ballot()),
                3 => new Message.Prepare(ballot, reader.Slot(), reader.Ballot()),
                4 => new Message.Promise(
                    ballot, reader.Slot(), ReadEntries(ref reader), reader.Slot(), reader.Bool(), reader.Slot(), reader.Slot()),
                5 => new Message.Reject(ballot, reader.Ballot()),
                6 => ReadAccept(ballot, ref reader),
                7 => new Message.Accepted(ballot, reader.Slot(), reader.Slot()),
                8 => new Message.Heartbeat(ballot, reader.Slot(), reader.Signed(), reader.Timestamp(), reader.Duration()),
                9 => new Message.HeartbeatAck(ballot, reader.Signed(), reader.Slot(), reader.Timestamp()),
                _ => null,
            };
        }

        private static Message? ReadLearning(byte kind, ref CodecReader reader) => kind switch
        {
            10 => new Message.Fetch(reader.Slot()),
            11 => new Message.Entries(ReadEntries(ref reader)),
            12 => new Message.FetchSnapshot(reader.Slot(), reader.Int()),
            13 => new Message.InstallSnapshot(new SnapshotChunk(reader.Slot(), reader.Int(), reader.Bool(), Owned(ref reader))),
            14 => new Message.TimeoutNow(reader.Ballot()),
            15 => new Message.Quiesce(reader.Ballot(), reader.Slot()),
            _ => null,
        };

        private static Message.Accept ReadAccept(Ballot ballot, ref CodecReader reader)
        {
            var slot = reader.Slot();
            var commit = reader.Slot();
            return new Message.Accept(new Record.Accepted(slot, ballot, Owned(ref reader)), commit);
        }
    }

    /// <summary>The binary form of records: one kind byte, then the fields.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        /// <exception cref="InvariantViolation">A record case has no binary form.</exception>
        public void Write(CodecWriter writer, Record value)
        {
            switch (value)
            {
                case Record.Promised r:
                    writer.Byte(1);
                    writer.Ballot(r.Ballot);
                    break;
                case Record.Accepted r:
                    writer.Byte(2);
                    WriteEntry(writer, r);
                    break;
                case Record.LeaseVote r:
                    writer.Byte(3);
                    writer.Ballot(r.Ballot);
                    writer.Timestamp(r.End);
                    break;
                case Record.Chosen r:
                    writer.Byte(4);
                    writer.Slot(r.Through);
                    writer.Slot(r.SnapshotAt);
                    writer.Slot(r.Floor);
                    break;
                default:
                    Invariant.Check(false, "EveryRecordHasAWireForm");
                    break;
            }
        }

        public Record? Read(ref CodecReader reader)
        {
            switch (reader.Byte())
            {
                case 1:
                    return new Record.Promised(reader.Ballot());
                case 2:
                    return ReadEntry(ref reader);
                case 3:
                    return new Record.LeaseVote(reader.Ballot(), reader.Timestamp());
                case 4:
                    return new Record.Chosen(reader.Slot(), reader.Slot(), reader.Slot());
                default:
                    return null;
            }
        }
    }

    private static void WriteEntries(CodecWriter writer, IReadOnlyList<Record.Accepted> entries)
    {
        writer.Unsigned((ulong)entries.Count);
        for (var index = 0; index < entries.Count; index++)
        {
            WriteEntry(writer, entries[index]);
        }
    }

    private static Record.Accepted[] ReadEntries(ref CodecReader reader)
    {
        var entries = new Record.Accepted[reader.Count()];
        for (var index = 0; index < entries.Length && !reader.Failed; index++)
        {
            entries[index] = ReadEntry(ref reader);
        }

        return entries;
    }

    private static void WriteEntry(CodecWriter writer, Record.Accepted entry)
    {
        writer.Slot(entry.Slot);
        writer.Ballot(entry.Ballot);
        writer.Bytes(entry.Value.Span);
    }

    private static Record.Accepted ReadEntry(ref CodecReader reader)
    {
        var slot = reader.Slot();
        var ballot = reader.Ballot();
        return new Record.Accepted(slot, ballot, Owned(ref reader));
    }

    // A value is kept for as long as lagging replicas may need it. A slice would keep the whole frame alive that it came in.
    private static ReadOnlyMemory<byte> Owned(ref CodecReader reader) => reader.Bytes().ToArray();
}
