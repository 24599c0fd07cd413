using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Gossip.AntiEntropy;

/// <summary>The parts of messages and records.</summary>
internal static class ScuttlebuttFields
{
    public static EntryWire Entries { get; } = new();

    public static void WriteDigest(CodecWriter writer, Digest value)
    {
        OriginWire.Instance.Write(writer, value.First);
        OriginWire.Instance.Write(writer, value.Last);
        writer.Many(value.Origins, WriteProgress);
    }

    public static Digest ReadDigest(ref CodecReader reader)
    {
        var (first, last) = (OriginWire.Instance.Read(ref reader), OriginWire.Instance.Read(ref reader));
        return new Digest(first, last, reader.Many(ReadProgress));
    }

    public static void WriteDeltas(CodecWriter writer, ImmutableArray<OriginDelta> value) => writer.Many(value, WriteDelta);

    public static ImmutableArray<OriginDelta> ReadDeltas(ref CodecReader reader) => reader.Many(ReadDelta);

    public static void WriteDelta(CodecWriter writer, OriginDelta value)
    {
        WriteProgress(writer, value.Sender);
        writer.Signed(value.From);
        writer.Signed(value.Through);
        writer.Many(value.Entries, Entries.Write);
    }

    public static OriginDelta ReadDelta(ref CodecReader reader)
    {
        var sender = ReadProgress(ref reader);
        var (from, through) = (reader.Signed(), reader.Signed());
        return new OriginDelta(sender, from, through, reader.Many(static (ref CodecReader r) => Entries.Read(ref r)));
    }

    private static void WriteProgress(CodecWriter writer, Progress value)
    {
        OriginWire.Instance.Write(writer, value.Origin);
        writer.Signed(value.Floor);
        writer.Signed(value.Max);
    }

    private static Progress ReadProgress(ref CodecReader reader) =>
        new(OriginWire.Instance.Read(ref reader), reader.Signed(), reader.Signed());

    public sealed class EntryWire : IWire<Entry>
    {
        public void Write(CodecWriter writer, Entry value)
        {
            writer.Signed(value.Version);
            writer.Bool(value.IsDeleted);
            writer.Bytes(value.Key.Span);
            writer.Bytes(value.Value.Span);
        }

        public Entry Read(ref CodecReader reader)
        {
            var (version, isDeleted) = (reader.Signed(), reader.Bool());
            return new Entry(version, new Key(reader.Bytes()), reader.Bytes(), isDeleted);
        }
    }
}

public sealed partial class Scuttlebutt
{
    /// <summary>The binary form of messages: one byte for the kind, then the fields in the order of their declaration.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Ask ask:
                    writer.Byte(1);
                    writer.Signed(ask.Round);
                    ScuttlebuttFields.WriteDigest(writer, ask.Digest);
                    break;
                case Message.Exchange exchange:
                    writer.Byte(2);
                    writer.Signed(exchange.Round);
                    ScuttlebuttFields.WriteDeltas(writer, exchange.Deltas);
                    ScuttlebuttFields.WriteDigest(writer, exchange.Digest);
                    break;
                case Message.Tell tell:
                    writer.Byte(3);
                    ScuttlebuttFields.WriteDeltas(writer, tell.Deltas);
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
                    return new Message.Ask(reader.Signed(), ScuttlebuttFields.ReadDigest(ref reader));
                case 2:
                    var round = reader.Signed();
                    var deltas = ScuttlebuttFields.ReadDeltas(ref reader);
                    return new Message.Exchange(round, deltas, ScuttlebuttFields.ReadDigest(ref reader));
                case 3:
                    return new Message.Tell(ScuttlebuttFields.ReadDeltas(ref reader));
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
                case Record.Created created:
                    writer.Byte(1);
                    OriginWire.Instance.Write(writer, created.Origin);
                    break;
                case Record.Wrote wrote:
                    writer.Byte(2);
                    ScuttlebuttFields.Entries.Write(writer, wrote.Entry);
                    break;
                case Record.Learned learned:
                    writer.Byte(3);
                    ScuttlebuttFields.WriteDelta(writer, learned.Delta);
                    break;
                case Record.Forgot forgot:
                    writer.Byte(4);
                    writer.Signed(forgot.Floor);
                    break;
                case Record.Adopted adopted:
                    writer.Byte(5);
                    RosterWire.Instance.Write(writer, adopted.Roster);
                    break;
                case Record.Image image:
                    writer.Byte(6);
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
                    return new Record.Created(OriginWire.Instance.Read(ref reader));
                case 2:
                    return new Record.Wrote(ScuttlebuttFields.Entries.Read(ref reader));
                case 3:
                    return new Record.Learned(ScuttlebuttFields.ReadDelta(ref reader));
                case 4:
                    return new Record.Forgot(reader.Signed());
                case 5:
                    return new Record.Adopted(RosterWire.Instance.Read(ref reader));
                case 6:
                    return new Record.Image(reader.Bytes());
                default:
                    return null;
            }
        }
    }
}
