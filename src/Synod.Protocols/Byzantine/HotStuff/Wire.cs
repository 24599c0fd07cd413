using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class HotStuff
{
    /// <summary>The binary form of messages: one byte for the kind, then the fields in the order of their declaration.</summary>
    public sealed class MessageWire : IWire<Message>
    {
        public void Write(CodecWriter writer, Message value)
        {
            switch (value)
            {
                case Message.Proposal proposal:
                    writer.Byte(1);
                    Fields.Write(writer, proposal.Block);
                    Fields.Write(writer, proposal.Decision);
                    Fields.Write(writer, proposal.Entry);
                    break;
                case Message.Vote vote:
                    writer.Byte(2);
                    writer.Byte((byte)vote.Phase);
                    writer.Signed(vote.View);
                    vote.Block.Write(writer);
                    vote.Signature.Write(writer);
                    break;
                case Message.Certified certified:
                    writer.Byte(3);
                    Fields.Write(writer, certified.Certificate);
                    break;
                case Message.NewView newView:
                    writer.Byte(4);
                    writer.Signed(newView.View);
                    Fields.Write(writer, newView.Certificates);
                    break;
                case Message.Timeout timeout:
                    writer.Byte(5);
                    writer.Signed(timeout.View);
                    Fields.Write(writer, timeout.Certificates);
                    timeout.Signature.Write(writer);
                    break;
                case Message.Sync sync:
                    writer.Byte(6);
                    Fields.Write(writer, sync.Certificates);
                    break;
                case Message.Fetch fetch:
                    writer.Byte(7);
                    fetch.Block.Write(writer);
                    writer.Signed(fetch.Above);
                    break;
                case Message.Blocks blocks:
                    writer.Byte(8);
                    writer.Many(blocks.Chain, Fields.Write);
                    break;
                case Message.Checkpoint checkpoint:
                    writer.Byte(9);
                    Fields.Write(writer, checkpoint.Of);
                    checkpoint.Signature.Write(writer);
                    break;
                case Message.Stable stable:
                    writer.Byte(10);
                    Fields.Write(writer, stable.Proven);
                    break;
                case Message.FetchState fetch:
                    writer.Byte(11);
                    writer.Signed(fetch.Height);
                    writer.Int(fetch.Level);
                    writer.Int(fetch.Index);
                    break;
                case Message.StatePart part:
                    writer.Byte(12);
                    writer.Signed(part.Height);
                    writer.Int(part.Level);
                    writer.Int(part.Index);
                    writer.Bytes(part.Content.Span);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a message of this protocol.");
            }
        }

        public Message? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Message.Proposal(
                Fields.ReadBlock(ref reader), Fields.ReadCertificate(ref reader), Fields.ReadTimeout(ref reader)),
            2 => new Message.Vote(
                Fields.ReadPhase(ref reader), reader.Signed(), Digest.Read(ref reader), Signature.Read(ref reader)),
            3 => new Message.Certified(Fields.ReadCertificate(ref reader)),
            4 => new Message.NewView(reader.Signed(), Fields.ReadCertificates(ref reader)),
            5 => new Message.Timeout(reader.Signed(), Fields.ReadCertificates(ref reader), Signature.Read(ref reader)),
            6 => new Message.Sync(Fields.ReadCertificates(ref reader)),
            7 => new Message.Fetch(Digest.Read(ref reader), reader.Signed()),
            8 => new Message.Blocks(reader.Many(Fields.ReadBlock)),
            9 => new Message.Checkpoint(Fields.ReadCheckpoint(ref reader), Signature.Read(ref reader)),
            10 => new Message.Stable(Fields.ReadStable(ref reader)),
            11 => new Message.FetchState(reader.Signed(), reader.Int(), reader.Int()),
            12 => new Message.StatePart(reader.Signed(), reader.Int(), reader.Int(), reader.Bytes()),
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
                case Record.Stored stored:
                    writer.Byte(1);
                    Fields.Write(writer, stored.Block);
                    break;
                case Record.Learned learned:
                    writer.Byte(2);
                    Fields.Write(writer, learned.Certificate);
                    break;
                case Record.Voted voted:
                    writer.Byte(3);
                    writer.Byte((byte)voted.Phase);
                    writer.Signed(voted.View);
                    voted.Block.Write(writer);
                    break;
                case Record.TimedOut timedOut:
                    writer.Byte(4);
                    writer.Signed(timedOut.View);
                    break;
                case Record.Entered entered:
                    writer.Byte(5);
                    Fields.Write(writer, entered.Timeout);
                    break;
                case Record.Saved saved:
                    writer.Byte(6);
                    Fields.Write(writer, saved.Checkpoint);
                    writer.Bytes(saved.State.Span);
                    break;
                case Record.Stable stable:
                    writer.Byte(7);
                    Fields.Write(writer, stable.Proven);
                    break;
                case Record.Based based:
                    writer.Byte(8);
                    Fields.Write(writer, based.Proven);
                    writer.Bytes(based.State.Span);
                    break;
                case Record.Stands stands:
                    writer.Byte(9);
                    writer.Byte((byte)stands.VotedPhase);
                    writer.Signed(stands.VotedView);
                    writer.Signed(stands.TimedOutView);
                    writer.Signed(stands.ProposedView);
                    Fields.Write(writer, stands.Certificates);
                    Fields.Write(writer, stands.Locked);
                    stands.Committed.Write(writer);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(value), value, "Not a record of this protocol.");
            }
        }

        public Record? Read(ref CodecReader reader) => reader.Byte() switch
        {
            1 => new Record.Stored(Fields.ReadBlock(ref reader)),
            2 => new Record.Learned(Fields.ReadCertificate(ref reader)),
            3 => new Record.Voted(Fields.ReadPhase(ref reader), reader.Signed(), Digest.Read(ref reader)),
            4 => new Record.TimedOut(reader.Signed()),
            5 => new Record.Entered(Fields.ReadTimeout(ref reader)),
            6 => new Record.Saved(Fields.ReadCheckpoint(ref reader), reader.Bytes()),
            7 => new Record.Stable(Fields.ReadStable(ref reader)),
            8 => new Record.Based(Fields.ReadStable(ref reader), reader.Bytes()),
            9 => new Record.Stands(
                Fields.ReadPhase(ref reader),
                reader.Signed(),
                reader.Signed(),
                reader.Signed(),
                Fields.ReadCertificates(ref reader),
                Fields.ReadCertificate(ref reader),
                Digest.Read(ref reader)),
            _ => null,
        };
    }

    /// <summary>The binary form of commands, in blocks and by themselves.</summary>
    public sealed class CommandWire : IWire<Command>
    {
        public void Write(CodecWriter writer, Command value) => Fields.Write(writer, value);

        public Command Read(ref CodecReader reader) => Fields.ReadCommand(ref reader);
    }

    /// <summary>A block inside a state.</summary>
    internal sealed class BlockWire : IWire<Block>
    {
        public static BlockWire Instance { get; } = new();

        public void Write(CodecWriter writer, Block value) => Fields.Write(writer, value);

        public Block Read(ref CodecReader reader) => Fields.ReadBlock(ref reader);
    }
}
