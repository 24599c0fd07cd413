using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

public sealed partial class DeltaSync
{
    /// <summary>The binary form of messages: one byte for the kind, the sender, then the fields in the order of their declaration.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Interval interval:
                    Head(writer, 1, interval);
                    OriginWire.Instance.Write(writer, interval.Receiver);
                    writer.Signed(interval.From);
                    writer.Signed(interval.Through);
                    writer.Bytes(interval.Delta.Span);
                    break;
                case Message.Full full:
                    Head(writer, 2, full);
                    writer.Signed(full.Through);
                    writer.Bytes(full.State.Span);
                    break;
                case Message.Ack ack:
                    Head(writer, 3, ack);
                    OriginWire.Instance.Write(writer, ack.Of);
                    writer.Signed(ack.Through);
                    break;
                case Message.Inquire inquire:
                    Head(writer, 4, inquire);
                    break;
                case Message.Have have:
                    Head(writer, 5, have);
                    writer.Bytes(have.Digest.Span);
                    break;
                case Message.Missing missing:
                    Head(writer, 6, missing);
                    OriginWire.Instance.Write(writer, missing.Receiver);
                    writer.Signed(missing.Through);
                    writer.Bytes(missing.Delta.Span);
                    break;
                case Message.Seen seen:
                    Head(writer, 7, seen);
                    writer.Signed(seen.Epoch);
                    writer.Bytes(seen.Digest.Span);
                    break;
                case Message.Part part:
                    Head(writer, 8, part);
                    OriginWire.Instance.Write(writer, part.Receiver);
                    writer.Signed(part.Through);
                    part.Of.Write(writer);
                    writer.Signed(part.Length);
                    writer.Signed(part.Offset);
                    writer.Bytes(part.Bytes.Span);
                    break;
                case Message.Want want:
                    Head(writer, 9, want);
                    want.Of.Write(writer);
                    writer.Signed(want.Offset);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            var sender = OriginWire.Instance.Read(ref reader);
            return kind switch
            {
                1 => new Message.Interval(sender, OriginWire.Instance.Read(ref reader), reader.Signed(), reader.Signed(), reader.Bytes()),
                2 => new Message.Full(sender, reader.Signed(), reader.Bytes()),
                3 => new Message.Ack(sender, OriginWire.Instance.Read(ref reader), reader.Signed()),
                4 => new Message.Inquire(sender),
                5 => new Message.Have(sender, reader.Bytes()),
                6 => new Message.Missing(sender, OriginWire.Instance.Read(ref reader), reader.Signed(), reader.Bytes()),
                7 => new Message.Seen(sender, reader.Signed(), reader.Bytes()),
                8 => new Message.Part(
                    sender, OriginWire.Instance.Read(ref reader), reader.Signed(), Fingerprint.Read(ref reader), reader.Int(), reader.Int(), reader.Bytes()),
                9 => new Message.Want(sender, Fingerprint.Read(ref reader), reader.Int()),
                _ => null,
            };
        }

        private static void Head(CodecWriter writer, byte kind, Message message)
        {
            writer.Byte(kind);
            OriginWire.Instance.Write(writer, message.Sender);
        }
    }

    /// <summary>The binary form of records.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        public void Write(CodecWriter writer, Record value)
        {
            switch (value)
            {
                case Record.Created created:
                    writer.Byte(1);
                    OriginWire.Instance.Write(writer, created.Origin);
                    writer.Bool(created.Anew);
                    break;
                case Record.Changed changed:
                    writer.Byte(2);
                    writer.Bytes(changed.Delta.Span);
                    break;
                case Record.Adopted adopted:
                    writer.Byte(3);
                    RosterWire.Instance.Write(writer, adopted.Roster);
                    break;
                case Record.Image image:
                    writer.Byte(4);
                    OriginWire.Instance.Write(writer, image.Origin);
                    RosterWire.Instance.Write(writer, image.Roster);
                    writer.Signed(image.Changes);
                    writer.Bytes(image.State.Span);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
            }
        }

        public Record? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Record.Created(OriginWire.Instance.Read(ref reader), reader.Bool()),
            2 => new Record.Changed(reader.Bytes()),
            3 => new Record.Adopted(RosterWire.Instance.Read(ref reader)),
            4 => new Record.Image(OriginWire.Instance.Read(ref reader), RosterWire.Instance.Read(ref reader), reader.Signed(), reader.Bytes()),
            _ => null,
        };
    }
}
