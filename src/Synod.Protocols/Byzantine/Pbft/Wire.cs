using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class Pbft
{
    /// <summary>The binary form of messages: one byte for the kind, then the fields in the order of their declaration.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Request m:
                    writer.Byte(1);
                    Fields.Write(writer, m.Signed);
                    break;
                case Message.Read m:
                    writer.Byte(2);
                    Fields.Write(writer, m.Signed);
                    break;
                case Message.Reply m:
                    writer.Byte(3);
                    writer.Signed(m.View);
                    writer.Signed(m.Timestamp);
                    writer.Bool(m.IsRead);
                    writer.Bytes(m.Result.Span);
                    break;
                case Message.PrePrepare m:
                    writer.Byte(4);
                    Fields.WriteVote(writer, m.View, m.Slot, m.Digest, m.Authenticator);
                    Fields.Write(writer, m.Batch.Requests);
                    break;
                case Message.Prepare m:
                    writer.Byte(5);
                    Fields.WriteVote(writer, m.View, m.Slot, m.Digest, m.Authenticator);
                    break;
                case Message.Commit m:
                    writer.Byte(6);
                    Fields.WriteVote(writer, m.View, m.Slot, m.Digest, m.Authenticator);
                    break;
                case Message.Checkpoint m:
                    writer.Byte(7);
                    writer.Slot(m.Slot);
                    m.State.Write(writer);
                    m.Signature.Write(writer);
                    break;
                case Message.ViewChange m:
                    writer.Byte(8);
                    Fields.Write(writer, m);
                    break;
                case Message.NewView m:
                    writer.Byte(9);
                    Fields.Write(writer, m);
                    break;
                case Message.Status m:
                    writer.Byte(10);
                    writer.Signed(m.View);
                    writer.Bool(m.IsActive);
                    writer.Slot(m.Stable);
                    writer.Slot(m.Executed);
                    break;
                case Message.Decided m:
                    writer.Byte(11);
                    writer.Slot(m.Slot);
                    Fields.Write(writer, m.Batch.Requests);
                    break;
                case Message.StableCheckpoint m:
                    writer.Byte(12);
                    Fields.Write(writer, m.Proof);
                    break;
                case Message.FetchBatch m:
                    writer.Byte(13);
                    m.Digest.Write(writer);
                    break;
                case Message.BatchFound m:
                    writer.Byte(14);
                    Fields.Write(writer, m.Batch.Requests);
                    break;
                case Message.FetchState m:
                    writer.Byte(15);
                    writer.Slot(m.Slot);
                    writer.Int(m.Level);
                    writer.Int(m.Index);
                    break;
                case Message.StateChunk m:
                    writer.Byte(16);
                    writer.Slot(m.Slot);
                    writer.Int(m.Level);
                    writer.Int(m.Index);
                    writer.Bytes(m.Content.Span);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Message.Request(Fields.ReadRequest(ref reader)),
            2 => new Message.Read(Fields.ReadRequest(ref reader)),
            3 => new Message.Reply(reader.Signed(), reader.Signed(), reader.Bool(), reader.Bytes()),
            4 => new Message.PrePrepare(
                reader.Signed(), reader.Slot(), Digest.Read(ref reader), Fields.ReadAuthenticatedBatch(ref reader, out var proof), proof),
            5 => new Message.Prepare(reader.Signed(), reader.Slot(), Digest.Read(ref reader), Authenticators.Read(ref reader)),
            6 => new Message.Commit(reader.Signed(), reader.Slot(), Digest.Read(ref reader), Authenticators.Read(ref reader)),
            7 => new Message.Checkpoint(reader.Slot(), Digest.Read(ref reader), Signature.Read(ref reader)),
            8 => Fields.ReadViewChange(ref reader),
            9 => Fields.ReadNewView(ref reader),
            10 => new Message.Status(reader.Signed(), reader.Bool(), reader.Slot(), reader.Slot()),
            11 => new Message.Decided(reader.Slot(), Fields.ReadBatch(ref reader)),
            12 => new Message.StableCheckpoint(Fields.ReadCheckpoint(ref reader)),
            13 => new Message.FetchBatch(Digest.Read(ref reader)),
            14 => new Message.BatchFound(Fields.ReadBatch(ref reader)),
            15 => new Message.FetchState(reader.Slot(), reader.Int(), reader.Int()),
            16 => new Message.StateChunk(reader.Slot(), reader.Int(), reader.Int(), reader.Bytes()),
            _ => null,
        };
    }

    /// <summary>The binary form of records.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        public void Write(CodecWriter writer, Record value)
        {
            switch (value)
            {
                case Record.PrePrepared r:
                    writer.Byte(1);
                    Fields.WriteVote(writer, r.View, r.Slot, r.Digest, r.Authenticator);
                    break;
                case Record.Prepared r:
                    writer.Byte(2);
                    Fields.Write(writer, r.Proof);
                    break;
                case Record.Changing r:
                    writer.Byte(3);
                    Fields.Write(writer, r.ViewChange);
                    break;
                case Record.Entered r:
                    writer.Byte(4);
                    Fields.Write(writer, r.NewView);
                    break;
                case Record.Saved r:
                    writer.Byte(5);
                    writer.Slot(r.Slot);
                    writer.Bytes(r.State.Span);
                    break;
                case Record.Stable r:
                    writer.Byte(6);
                    Fields.Write(writer, r.Proof);
                    break;
                case Record.Claimed r:
                    writer.Byte(7);
                    writer.Signed(r.Timestamp);
                    break;
                case Record.Executed r:
                    writer.Byte(9);
                    writer.Slot(r.Slot);
                    r.Digest.Write(writer);
                    break;
                case Record.Known r:
                    writer.Byte(8);
                    Fields.Write(writer, r.Batch.Requests);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
            }
        }

        public Record? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Record.PrePrepared(reader.Signed(), reader.Slot(), Digest.Read(ref reader), Authenticators.Read(ref reader)),
            2 => new Record.Prepared(Fields.ReadPrepared(ref reader)),
            3 => new Record.Changing(Fields.ReadViewChange(ref reader)),
            4 => new Record.Entered(Fields.ReadNewView(ref reader)),
            5 => new Record.Saved(reader.Slot(), reader.Bytes()),
            6 => new Record.Stable(Fields.ReadCheckpoint(ref reader)),
            7 => new Record.Claimed(reader.Signed()),
            8 => new Record.Known(Fields.ReadBatch(ref reader)),
            9 => new Record.Executed(reader.Slot(), Digest.Read(ref reader)),
            _ => null,
        };
    }
}
