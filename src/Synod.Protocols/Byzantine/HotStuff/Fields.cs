using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class HotStuff
{
    /// <summary>The binary form of what messages, records and states share. What a digest is taken of is written here alone.</summary>
    internal static class Fields
    {
        public static void Write(CodecWriter writer, Block value)
        {
            writer.Signed(value.View);
            Write(writer, value.Justify);
            writer.Many(value.Commands, Write);
        }

        public static Block ReadBlock(ref CodecReader reader)
        {
            var view = reader.Signed();
            return new Block(view, ReadCertificate(ref reader), reader.Many(ReadCommand));
        }

        public static void Write(CodecWriter writer, Command value)
        {
            writer.Node(value.Client);
            writer.Signed(value.Sequence);
            writer.Bytes(value.Payload.Span);
            value.Signature.Write(writer);
        }

        public static Command ReadCommand(ref CodecReader reader) =>
            new(reader.Node(), reader.Signed(), reader.Bytes(), Signature.Read(ref reader));

        public static void Write(CodecWriter writer, QuorumCertificate value)
        {
            writer.Byte((byte)value.Phase);
            writer.Signed(value.View);
            value.Block.Write(writer);
            writer.Bytes(value.Proof.Memory.Span);
        }

        public static QuorumCertificate ReadCertificate(ref CodecReader reader) =>
            new(ReadPhase(ref reader), reader.Signed(), Digest.Read(ref reader), new Proof(reader.Bytes()));

        public static void Write(CodecWriter writer, TimeoutCertificate value)
        {
            writer.Signed(value.View);
            writer.Many(value.Shares, static (w, share) =>
            {
                w.Node(share.Signer);
                w.Signed(share.HighView);
                share.Signature.Write(w);
            });
        }

        public static TimeoutCertificate ReadTimeout(ref CodecReader reader) =>
            new(reader.Signed(), reader.Many(ReadShare));

        public static TimeoutShare ReadShare(ref CodecReader reader) =>
            new(reader.Node(), reader.Signed(), Signature.Read(ref reader));

        public static void Write(CodecWriter writer, Certificates value)
        {
            Write(writer, value.High);
            Write(writer, value.Decision);
            Write(writer, value.Timeout);
        }

        public static Certificates ReadCertificates(ref CodecReader reader) =>
            new(ReadCertificate(ref reader), ReadCertificate(ref reader), ReadTimeout(ref reader));

        public static void Write(CodecWriter writer, ChainCheckpoint value)
        {
            writer.Signed(value.Height);
            writer.Signed(value.View);
            value.Block.Write(writer);
            writer.Signed(value.Position.Value);
            value.State.Write(writer);
        }

        public static ChainCheckpoint ReadCheckpoint(ref CodecReader reader) => new(
            reader.Signed(), reader.Signed(), Digest.Read(ref reader), new Slot(reader.Signed()), Digest.Read(ref reader));

        public static void Write(CodecWriter writer, StableCheckpoint value)
        {
            Write(writer, value.Checkpoint);
            writer.Bytes(value.Proof.Memory.Span);
        }

        public static StableCheckpoint ReadStable(ref CodecReader reader) => new(ReadCheckpoint(ref reader), new Proof(reader.Bytes()));

        public static VotePhase ReadPhase(ref CodecReader reader)
        {
            var phase = reader.Byte();
            if (phase > (byte)VotePhase.Commit)
            {
                reader.Fail();
            }

            return (VotePhase)phase;
        }
    }
}
