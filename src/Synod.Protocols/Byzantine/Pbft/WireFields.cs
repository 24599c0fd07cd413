using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

public sealed partial class Pbft
{
    private static readonly AuthenticatorWire Authenticators = new();
    private static readonly ProposalWire Proposals = new();
    private static readonly PreparedWire Proofs = new();

    /// <summary>The fields that messages, records, states and signed statements share.</summary>
    internal static class Fields
    {
        public static void Write(CodecWriter writer, SignedRequest value)
        {
            writer.Node(value.Client);
            writer.Signed(value.Timestamp);
            writer.Bytes(value.Operation.Span);
            value.Signature.Write(writer);
        }

        public static SignedRequest ReadRequest(ref CodecReader reader) =>
            new(reader.Node(), reader.Signed(), reader.Bytes(), Signature.Read(ref reader));

        public static void Write(CodecWriter writer, ImmutableArray<SignedRequest> value) => writer.Many(value, Write);

        public static Batch ReadBatch(ref CodecReader reader)
        {
            var requests = reader.Many(ReadRequest);
            return requests.IsEmpty ? Batch.Null : new Batch(requests);
        }

        /// <summary>A batch with the authenticator before it.</summary>
        public static Batch ReadAuthenticatedBatch(ref CodecReader reader, out Authenticator authenticator)
        {
            authenticator = Authenticators.Read(ref reader);
            return ReadBatch(ref reader);
        }

        public static void WriteVote(CodecWriter writer, long view, Slot slot, Digest digest, Authenticator authenticator)
        {
            writer.Signed(view);
            writer.Slot(slot);
            digest.Write(writer);
            Authenticators.Write(writer, authenticator);
        }

        public static void Write(CodecWriter writer, ImmutableArray<Endorsement> value) => writer.Many(value, static (w, item) =>
        {
            w.Node(item.Signer);
            item.Signature.Write(w);
        });

        public static Endorsement ReadEndorsement(ref CodecReader reader) => new(reader.Node(), Signature.Read(ref reader));

        public static void Write(CodecWriter writer, CheckpointProof value)
        {
            writer.Slot(value.Slot);
            value.State.Write(writer);
            Write(writer, value.Endorsements);
        }

        public static CheckpointProof ReadCheckpoint(ref CodecReader reader) =>
            new(reader.Slot(), Digest.Read(ref reader), reader.Many(ReadEndorsement));

        public static void Write(CodecWriter writer, Prepared value)
        {
            writer.Signed(value.View);
            writer.Slot(value.Slot);
            value.Digest.Write(writer);
            value.Proposal.Write(writer);
            Write(writer, value.Prepares);
        }

        public static Prepared ReadPrepared(ref CodecReader reader) => new(
            reader.Signed(), reader.Slot(), Digest.Read(ref reader), Signature.Read(ref reader), reader.Many(ReadEndorsement));

        /// <summary>What a view change says, without the signature under it.</summary>
        public static void WriteBody(CodecWriter writer, Message.ViewChange value)
        {
            writer.Node(value.Sender);
            writer.Signed(value.View);
            Write(writer, value.Stable);
            writer.Many(value.Prepared, Write);
            writer.Many(value.PrePrepared, static (w, item) =>
            {
                w.Signed(item.View);
                w.Slot(item.Slot);
                item.Digest.Write(w);
            });
        }

        public static void Write(CodecWriter writer, Message.ViewChange value)
        {
            WriteBody(writer, value);
            value.Signature.Write(writer);
        }

        public static Message.ViewChange ReadViewChange(ref CodecReader reader) => new(
            reader.Node(),
            reader.Signed(),
            ReadCheckpoint(ref reader),
            reader.Many(ReadPrepared),
            reader.Many(static (ref reader) => new PrePrepared(reader.Signed(), reader.Slot(), Digest.Read(ref reader))),
            Signature.Read(ref reader));

        public static void Write(CodecWriter writer, Message.NewView value)
        {
            writer.Signed(value.View);
            writer.Many(value.ViewChanges, Write);
            writer.Many(value.Proposals, Write);
            value.Signature.Write(writer);
        }

        public static Message.NewView ReadNewView(ref CodecReader reader) => new(
            reader.Signed(), reader.Many(ReadViewChange), reader.Many(ReadProposal), Signature.Read(ref reader));

        public static void Write(CodecWriter writer, Proposal value)
        {
            writer.Slot(value.Slot);
            value.Digest.Write(writer);
            Authenticators.Write(writer, value.Authenticator);
        }

        public static Proposal ReadProposal(ref CodecReader reader) =>
            new(reader.Slot(), Digest.Read(ref reader), Authenticators.Read(ref reader));
    }

    private sealed class AuthenticatorWire : IWire<Authenticator>
    {
        public void Write(CodecWriter writer, Authenticator value)
        {
            if (value is Authenticator.Coded coded)
            {
                writer.Byte(2);
                writer.Many(coded.Codes, static (w, code) => code.Write(w));
            }
            else
            {
                writer.Byte(1);
                ((Authenticator.Signed)value).Signature.Write(writer);
            }
        }

        public Authenticator Read(ref CodecReader reader)
        {
            var kind = reader.Byte();
            if (kind == 2)
            {
                return new Authenticator.Coded(reader.Many(Mac.Read));
            }

            if (kind != 1)
            {
                reader.Fail();
            }

            return new Authenticator.Signed(Signature.Read(ref reader));
        }
    }

    private sealed class ProposalWire : IWire<Proposal>
    {
        public void Write(CodecWriter writer, Proposal value) => Fields.Write(writer, value);

        public Proposal Read(ref CodecReader reader) => Fields.ReadProposal(ref reader);
    }

    private sealed class PreparedWire : IWire<Prepared>
    {
        public void Write(CodecWriter writer, Prepared value) => Fields.Write(writer, value);

        public Prepared Read(ref CodecReader reader) => Fields.ReadPrepared(ref reader);
    }
}
