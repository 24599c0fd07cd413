using Synod.Core;

namespace Synod.Protocols.Snapshots;

public sealed partial class ChandyLamport
{
    /// <summary>The fields that messages, records and states share.</summary>
    internal static class Fields
    {
        public static IdWire Ids { get; } = new();

        public static IncarnationWire Incarnations { get; } = new();

        public static TopologyWire Topologies { get; } = new();

        public static ParcelWire Parcels { get; } = new();

        public static PieceWire Pieces { get; } = new();

        public static CutWire Cuts { get; } = new();

        public static RestoringWire Restorings { get; } = new();

        /// <summary>A number from 1.</summary>
        public static long Positive(ref CodecReader reader)
        {
            var value = reader.Signed();
            if (value < 1)
            {
                reader.Fail();
            }

            return value;
        }

        public static SnapshotEnd End(ref CodecReader reader)
        {
            var value = reader.Byte();
            if (value > (byte)SnapshotEnd.Restored)
            {
                reader.Fail();
            }

            return (SnapshotEnd)value;
        }
    }

    internal sealed class IdWire : IWire<SnapshotId>
    {
        public void Write(CodecWriter writer, SnapshotId value)
        {
            writer.Node(value.Initiator);
            writer.Signed(value.Number);
            writer.Signed(value.Epoch);
        }

        public SnapshotId Read(ref CodecReader reader) => new(reader.Node(), reader.Signed(), reader.Signed());
    }

    internal sealed class IncarnationWire : IWire<Incarnation>
    {
        public void Write(CodecWriter writer, Incarnation value)
        {
            writer.Signed(value.Number);
            writer.Node(value.By);
        }

        public Incarnation Read(ref CodecReader reader) => new(reader.Signed(), reader.Node());
    }

    internal sealed class TopologyWire : IWire<Topology>
    {
        public void Write(CodecWriter writer, Topology value)
        {
            writer.Signed(value.Epoch);
            writer.Nodes(value.Members);
            writer.Many(value.Channels, static (w, edge) =>
            {
                w.Node(edge.From);
                w.Node(edge.To);
            });
        }

        public Topology Read(ref CodecReader reader) => new(
            reader.Signed(), reader.Nodes(), reader.Many(static (ref reader) => new Edge(Member(ref reader), Member(ref reader))));
    }

    internal sealed class ParcelWire : IWire<Parcel>
    {
        public void Write(CodecWriter writer, Parcel value)
        {
            switch (value)
            {
                case Parcel.Payload payload:
                    writer.Byte(1);
                    writer.Signed(payload.Number);
                    writer.Signed(payload.Epoch);
                    writer.Many(payload.Colours, static (w, id) => Fields.Ids.Write(w, id));
                    writer.Bytes(payload.Body.Span);
                    break;
                case Parcel.Marker marker:
                    writer.Byte(2);
                    Fields.Ids.Write(writer, marker.Id);
                    writer.Signed(marker.Number);
                    break;
                case Parcel.Entered entered:
                    writer.Byte(3);
                    writer.Signed(entered.Epoch);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a parcel.");
            }
        }

        public Parcel? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Parcel.Payload(
                Fields.Positive(ref reader), Fields.Positive(ref reader), reader.Many(static (ref reader) => Fields.Ids.Read(ref reader)),
                reader.Bytes()),
            2 => new Parcel.Marker(Fields.Ids.Read(ref reader), reader.Signed()),
            3 => new Parcel.Entered(Fields.Positive(ref reader)),
            _ => null,
        };
    }

    internal sealed class PieceWire : IWire<Piece>
    {
        public void Write(CodecWriter writer, Piece value)
        {
            Fields.Ids.Write(writer, value.Id);
            writer.Node(value.Process);
            writer.Bytes(value.State.Span);
            writer.Many(value.Incoming, static (w, channel) =>
            {
                w.Node(channel.From);
                w.Signed(channel.Received);
                w.Signed(channel.Highest);
                w.Many(channel.Contents, static (w, message) =>
                {
                    w.Signed(message.Number);
                    w.Bytes(message.Body.Span);
                });
            });
            writer.Many(value.Sent, static (w, sent) =>
            {
                w.Node(sent.To);
                w.Signed(sent.Count);
            });
        }

        public Piece Read(ref CodecReader reader) => new(
            Fields.Ids.Read(ref reader),
            Member(ref reader),
            reader.Bytes(),
            reader.Many(static (ref reader) => new ChannelPiece(
                Member(ref reader),
                reader.Signed(),
                reader.Signed(),
                reader.Many(static (ref reader) => new InChannel(reader.Signed(), reader.Bytes())))),
            reader.Many(static (ref reader) => new SentCount(Member(ref reader), reader.Signed())));
    }

    /// <summary>The binary form of a cut, for whoever keeps one to restore it.</summary>
    public sealed class CutWire : IWire<Cut>
    {
        public void Write(CodecWriter writer, Cut value)
        {
            Fields.Ids.Write(writer, value.Id);
            Fields.Incarnations.Write(writer, value.Incarnation);
            Fields.Topologies.Write(writer, value.Topology);
            writer.Many(value.Pieces, static (w, piece) => Fields.Pieces.Write(w, piece));
        }

        public Cut Read(ref CodecReader reader) => new(
            Fields.Ids.Read(ref reader),
            Fields.Incarnations.Read(ref reader),
            Fields.Topologies.Read(ref reader),
            reader.Many(static (ref reader) => Fields.Pieces.Read(ref reader)));
    }

    internal sealed class RestoringWire : IWire<Record.Restoring>
    {
        public void Write(CodecWriter writer, Record.Restoring value)
        {
            Fields.Incarnations.Write(writer, value.Incarnation);
            Fields.Cuts.Write(writer, value.Cut);
        }

        public Record.Restoring Read(ref CodecReader reader) => new(Fields.Incarnations.Read(ref reader), Fields.Cuts.Read(ref reader));
    }

    /// <summary>A node that can be a member: its id fits a set.</summary>
    private static NodeId Member(ref CodecReader reader)
    {
        var node = reader.Node();
        if (node.Value >= NodeSet.Capacity)
        {
            reader.Fail();
        }

        return node;
    }
}
