using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>The parts of messages, records and states.</summary>
internal static class RangeFields
{
    private const byte Hashed = 1;
    private const byte Listed = 2;

    // The span begins where the one before it ended, as parts of one span do: half of the bounds need not be said.
    private const byte Follows = 4;

    public static RangeReconciliation.MessageWire Messages { get; } = new();

    public static KeyWire Keys { get; } = new();

    public static SpanWire Spans { get; } = new();

    public static ContentWire Contents { get; } = new();

    public static DifferenceWire Differences { get; } = new();

    public static void WritePieces(CodecWriter writer, ImmutableArray<Piece> pieces)
    {
        writer.Unsigned((ulong)pieces.Length);
        var end = Key.Empty;
        foreach (var piece in pieces)
        {
            var follows = piece.Span.Start == end;
            writer.Byte((byte)((piece is Piece.Hashed ? Hashed : Listed) | (follows ? Follows : 0)));
            if (!follows)
            {
                writer.Bytes(piece.Span.Start.Span);
            }

            end = piece.Span.End;
            writer.Bytes(end.Span);
            if (piece is Piece.Hashed hashed)
            {
                hashed.Fingerprint.Write(writer);
            }
            else
            {
                writer.Many(((Piece.Listed)piece).Ids, WriteId);
            }
        }
    }

    public static ImmutableArray<Piece> ReadPieces(ref CodecReader reader)
    {
        var pieces = ImmutableArray.CreateBuilder<Piece>();
        var end = Key.Empty;
        for (var count = reader.Count(); count > 0 && !reader.Failed; count--)
        {
            var kind = reader.Byte();
            var start = (kind & Follows) != 0 ? end : new Key(reader.Bytes());
            if ((kind & Follows) == 0 && start == end)
            {
                reader.Fail();
            }

            end = new Key(reader.Bytes());
            switch (kind & ~Follows)
            {
                case Hashed:
                    pieces.Add(new Piece.Hashed(new KeySpan(start, end), Fingerprint.Read(ref reader)));
                    break;
                case Listed:
                    pieces.Add(new Piece.Listed(new KeySpan(start, end), reader.Many(ReadId)));
                    break;
                default:
                    reader.Fail();
                    break;
            }
        }

        return pieces.ToImmutable();
    }

    private static void WriteId(CodecWriter writer, ItemId id)
    {
        writer.Bytes(id.Key.Span);
        id.Fingerprint.Write(writer);
    }

    private static ItemId ReadId(ref CodecReader reader) => new(new Key(reader.Bytes()), Fingerprint.Read(ref reader));

    public sealed class KeyWire : IWire<Key>
    {
        public void Write(CodecWriter writer, Key value) => writer.Bytes(value.Span);

        public Key Read(ref CodecReader reader) => new(reader.Bytes());
    }

    public sealed class SpanWire : IWire<KeySpan>
    {
        public void Write(CodecWriter writer, KeySpan value)
        {
            writer.Bytes(value.Start.Span);
            writer.Bytes(value.End.Span);
        }

        public KeySpan Read(ref CodecReader reader) => new(new Key(reader.Bytes()), new Key(reader.Bytes()));
    }

    public sealed class ContentWire : IWire<Content>
    {
        public void Write(CodecWriter writer, Content value)
        {
            writer.Bytes(value.Key.Span);
            writer.Bytes(value.Value.Span);
        }

        public Content Read(ref CodecReader reader) => new(new Key(reader.Bytes()), reader.Bytes());
    }

    public sealed class DifferenceWire : IWire<Difference>
    {
        public void Write(CodecWriter writer, Difference value)
        {
            Spans.Write(writer, value.Span);
            writer.Many(value.Theirs, WriteId);
        }

        public Difference Read(ref CodecReader reader) => new(Spans.Read(ref reader), reader.Many(ReadId));
    }
}

public sealed partial class RangeReconciliation
{
    /// <summary>The binary form of messages: one byte for the kind, then the fields in the order of their declaration.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Request request:
                    writer.Byte(1);
                    writer.Signed(request.Session);
                    writer.Signed(request.Sequence);
                    RangeFields.WritePieces(writer, request.Pieces);
                    writer.Many(request.Items, RangeFields.Contents.Write);
                    writer.Many(request.Wants, RangeFields.Keys.Write);
                    break;
                case Message.Reply reply:
                    writer.Byte(2);
                    writer.Signed(reply.Session);
                    writer.Signed(reply.Sequence);
                    writer.Int(reply.Compared);
                    RangeFields.WritePieces(writer, reply.Pieces);
                    writer.Int(reply.Served);
                    writer.Many(reply.Items, RangeFields.Contents.Write);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            var (session, sequence) = (reader.Signed(), reader.Signed());
            switch (kind)
            {
                case 1:
                    var asked = RangeFields.ReadPieces(ref reader);
                    var items = reader.Many(static (ref CodecReader r) => RangeFields.Contents.Read(ref r));
                    return new Message.Request(session, sequence, asked, items, reader.Many(static (ref CodecReader r) => RangeFields.Keys.Read(ref r)));
                case 2:
                    var compared = reader.Int();
                    var pieces = RangeFields.ReadPieces(ref reader);
                    var served = reader.Int();
                    return new Message.Reply(
                        session, sequence, compared, pieces, served, reader.Many(static (ref CodecReader r) => RangeFields.Contents.Read(ref r)));
                default:
                    return null;
            }
        }
    }

    /// <summary>The binary form of records.</summary>
    public sealed class RecordWire : IWire<Record>
    {
        public void Write(CodecWriter writer, Record value)
        {
            switch (value)
            {
                case Record.Stored stored:
                    writer.Byte(1);
                    RangeFields.Contents.Write(writer, new Content(stored.Key, stored.Value));
                    break;
                case Record.Image image:
                    writer.Byte(2);
                    writer.Many(image.Items, RangeFields.Contents.Write);
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
                    var content = RangeFields.Contents.Read(ref reader);
                    return new Record.Stored(content.Key, content.Value);
                case 2:
                    return new Record.Image(reader.Many(static (ref CodecReader r) => RangeFields.Contents.Read(ref r)));
                default:
                    return null;
            }
        }
    }
}
