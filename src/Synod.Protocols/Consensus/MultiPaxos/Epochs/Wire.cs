using Synod.Core;

namespace Synod.Protocols.Consensus;

public sealed partial class ReconfigurablePaxos
{
    private static readonly ConfigurationWire Configurations = new();
    private static readonly QuorumWire Quorums = new();

    /// <summary>The binary form of messages: one byte for the kind, then the fields in the order of their declaration.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        private static readonly MultiPaxos.MessageWire Inner = new();

        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.OfGroup m:
                    writer.Byte(1);
                    writer.Signed(m.Epoch);
                    Inner.Write(writer, m.Inner);
                    break;
                case Message.Ended m:
                    writer.Byte(2);
                    Configurations.Write(writer, m.Next);
                    break;
                case Message.Started m:
                    writer.Byte(3);
                    writer.Signed(m.Epoch);
                    break;
                case Message.FetchState m:
                    writer.Byte(4);
                    writer.Signed(m.Epoch);
                    writer.Slot(m.At);
                    writer.Int(m.Index);
                    break;
                case Message.State m:
                    writer.Byte(5);
                    writer.Signed(m.Epoch);
                    writer.Slot(m.Chunk.At);
                    writer.Int(m.Chunk.Index);
                    writer.Bool(m.Chunk.IsLast);
                    writer.Bytes(m.Chunk.Data.Span);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            switch (reader.Byte())
            {
                case 1:
                    var epoch = reader.Signed();
                    return Inner.Read(ref reader) is { } inner ? new Message.OfGroup(epoch, inner) : null;
                case 2:
                    return Configurations.Read(ref reader) is { } next ? new Message.Ended(next) : null;
                case 3:
                    return new Message.Started(reader.Signed());
                case 4:
                    return new Message.FetchState(reader.Signed(), reader.Slot(), reader.Int());
                case 5:
                    return new Message.State(reader.Signed(), new SnapshotChunk(reader.Slot(), reader.Int(), reader.Bool(), reader.Bytes()));
                default:
                    return null;
            }
        }
    }

    /// <summary>The binary form of records.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        private static readonly MultiPaxos.RecordWire Inner = new();

        public void Write(CodecWriter writer, Record value)
        {
            switch (value)
            {
                case Record.OfGroup r:
                    writer.Byte(1);
                    writer.Signed(r.Epoch);
                    Inner.Write(writer, r.Inner);
                    break;
                case Record.Adopted r:
                    writer.Byte(2);
                    Configurations.Write(writer, r.Configuration);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
            }
        }

        public Record? Read(ref CodecReader reader)
        {
            switch (reader.Byte())
            {
                case 1:
                    var epoch = reader.Signed();
                    return Inner.Read(ref reader) is { } inner ? new Record.OfGroup(epoch, inner) : null;
                case 2:
                    return Configurations.Read(ref reader) is { } configuration ? new Record.Adopted(configuration) : null;
                default:
                    return null;
            }
        }
    }

    /// <summary>What a group agrees on: a command, or the end of its epoch.</summary>
    private static class Values
    {
        private const byte CommandKind = 0;
        private const byte StopKind = 1;

        public static ReadOnlyMemory<byte> Command(ReadOnlyMemory<byte> value)
        {
            var tagged = new byte[value.Length + 1];
            tagged[0] = CommandKind;
            value.CopyTo(tagged.AsMemory(1));
            return tagged;
        }

        /// <summary>Stop(newConfig) of paxos.md §7.</summary>
        public static ReadOnlyMemory<byte> Stop(QuorumSystem next)
        {
            var writer = new CodecWriter();
            writer.Byte(StopKind);
            Quorums.Write(writer, next);
            return writer.ToArray();
        }

        /// <summary>The quorum system of a Stop, or null for a command.</summary>
        public static QuorumSystem? StopOf(ReadOnlyMemory<byte> value)
        {
            var reader = new CodecReader(value);
            return reader.Byte() == StopKind ? Quorums.Read(ref reader) : null;
        }
    }
}
