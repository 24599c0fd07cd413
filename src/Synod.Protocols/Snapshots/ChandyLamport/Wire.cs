using Synod.Core;

namespace Synod.Protocols.Snapshots;

public sealed partial class ChandyLamport
{
    /// <summary>The binary form of messages: one byte for the kind, the incarnation, then the fields in the order of their declaration.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Data data:
                    Head(writer, 1, data);
                    writer.Signed(data.Sequence);
                    Fields.Parcels.Write(writer, data.Parcel);
                    break;
                case Message.Ack ack:
                    Head(writer, 2, ack);
                    writer.Signed(ack.Through);
                    writer.Signed(ack.Sequence);
                    break;
                case Message.Hand hand:
                    Head(writer, 3, hand);
                    Fields.Pieces.Write(writer, hand.Piece);
                    break;
                case Message.Inquire inquire:
                    Head(writer, 4, inquire);
                    Fields.Ids.Write(writer, inquire.Id);
                    break;
                case Message.Decline decline:
                    Head(writer, 5, decline);
                    Fields.Ids.Write(writer, decline.Id);
                    writer.Byte((byte)decline.Reason);
                    break;
                case Message.Ended ended:
                    Head(writer, 6, ended);
                    Fields.Ids.Write(writer, ended.Id);
                    writer.Signed(ended.Floor);
                    break;
                case Message.Load load:
                    Head(writer, 7, load);
                    Fields.Topologies.Write(writer, load.Topology);
                    Fields.Pieces.Write(writer, load.Piece);
                    break;
                case Message.Loaded loaded:
                    Head(writer, 8, loaded);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            var incarnation = Fields.Incarnations.Read(ref reader);
            switch (kind)
            {
                case 1:
                    var sequence = Fields.Positive(ref reader);
                    return Fields.Parcels.Read(ref reader) is { } parcel ? new Message.Data(incarnation, sequence, parcel) : null;
                case 2:
                    return new Message.Ack(incarnation, reader.Signed(), reader.Signed());
                case 3:
                    return new Message.Hand(incarnation, Fields.Pieces.Read(ref reader));
                case 4:
                    return new Message.Inquire(incarnation, Fields.Ids.Read(ref reader));
                case 5:
                    return new Message.Decline(incarnation, Fields.Ids.Read(ref reader), Fields.End(ref reader));
                case 6:
                    return new Message.Ended(incarnation, Fields.Ids.Read(ref reader), reader.Signed());
                case 7:
                    return new Message.Load(incarnation, Fields.Topologies.Read(ref reader), Fields.Pieces.Read(ref reader));
                case 8:
                    return new Message.Loaded(incarnation);
                default:
                    return null;
            }
        }

        private static void Head(CodecWriter writer, byte kind, Message message)
        {
            writer.Byte(kind);
            Fields.Incarnations.Write(writer, message.Incarnation);
        }
    }

    /// <summary>The binary form of records.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        public void Write(CodecWriter writer, Record value)
        {
            switch (value)
            {
                case Record.Acted acted:
                    writer.Byte(1);
                    writer.Bytes(acted.Command.Span);
                    break;
                case Record.Received received:
                    writer.Byte(2);
                    writer.Node(received.From);
                    writer.Signed(received.Sequence);
                    Fields.Parcels.Write(writer, received.Parcel);
                    break;
                case Record.Begun begun:
                    writer.Byte(3);
                    writer.Signed(begun.Number);
                    break;
                case Record.Collected collected:
                    writer.Byte(4);
                    Fields.Pieces.Write(writer, collected.Piece);
                    break;
                case Record.Closed closed:
                    writer.Byte(5);
                    writer.Signed(closed.Number);
                    writer.Byte((byte)closed.End);
                    break;
                case Record.Forgotten forgotten:
                    writer.Byte(6);
                    Fields.Ids.Write(writer, forgotten.Id);
                    writer.Signed(forgotten.Floor);
                    break;
                case Record.Declined declined:
                    writer.Byte(7);
                    Fields.Ids.Write(writer, declined.Id);
                    break;
                case Record.Reconfigured reconfigured:
                    writer.Byte(8);
                    Fields.Topologies.Write(writer, reconfigured.Topology);
                    break;
                case Record.Restoring restoring:
                    writer.Byte(9);
                    Fields.Restorings.Write(writer, restoring);
                    break;
                case Record.Restored restored:
                    writer.Byte(10);
                    Fields.Incarnations.Write(writer, restored.Incarnation);
                    Fields.Topologies.Write(writer, restored.Topology);
                    Fields.Pieces.Write(writer, restored.Piece);
                    break;
                case Record.Image image:
                    writer.Byte(11);
                    writer.Bytes(image.State.Span);
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
                    return new Record.Acted(reader.Bytes());
                case 2:
                    var (from, sequence) = (reader.Node(), Fields.Positive(ref reader));
                    return Fields.Parcels.Read(ref reader) is { } parcel ? new Record.Received(from, sequence, parcel) : null;
                case 3:
                    return new Record.Begun(reader.Signed());
                case 4:
                    return new Record.Collected(Fields.Pieces.Read(ref reader));
                case 5:
                    return new Record.Closed(reader.Signed(), Fields.End(ref reader));
                case 6:
                    return new Record.Forgotten(Fields.Ids.Read(ref reader), reader.Signed());
                case 7:
                    return new Record.Declined(Fields.Ids.Read(ref reader));
                case 8:
                    return new Record.Reconfigured(Fields.Topologies.Read(ref reader));
                case 9:
                    return Fields.Restorings.Read(ref reader);
                case 10:
                    return new Record.Restored(
                        Fields.Incarnations.Read(ref reader), Fields.Topologies.Read(ref reader), Fields.Pieces.Read(ref reader));
                case 11:
                    return new Record.Image(reader.Bytes());
                default:
                    return null;
            }
        }
    }
}
