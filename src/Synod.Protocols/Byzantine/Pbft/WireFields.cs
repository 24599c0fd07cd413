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

        public static void Write(CodecWriter writer, ImmutableArray<SignedRequest> value)
        {
            writer.Unsigned((ulong)value.Length);
            foreach (var request in value)
            {
                Write(writer, request);
            }
        }

        public static Batch ReadBatch(ref CodecReader reader)
        {
            var requests = ReadMany(ref reader, ReadRequest);
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

        public static void Write(CodecWriter writer, ImmutableArray<Endorsement> value)
        {
            writer.Unsigned((ulong)value.Length);
            foreach (var (signer, signature) in value)
            {
                writer.Node(signer);
                signature.Write(writer);
            }
        }

        public static Endorsement ReadEndorsement(ref CodecReader reader) => new(reader.Node(), Signature.Read(ref reader));

        public static void Write(CodecWriter writer, CheckpointProof value)
        {
            writer.Slot(value.Slot);
            value.State.Write(writer);
            Write(writer, value.Endorsements);
        }

        public static CheckpointProof ReadCheckpoint(ref CodecReader reader) =>
            new(reader.Slot(), Digest.Read(ref reader), ReadMany(ref reader, ReadEndorsement));

        public static void Write(CodecWriter writer, Prepared value)
        {
            writer.Signed(value.View);
            writer.Slot(value.Slot);
            value.Digest.Write(writer);
            value.Proposal.Write(writer);
            Write(writer, value.Prepares);
        }

        public static Prepared ReadPrepared(ref CodecReader reader) => new(
            reader.Signed(), reader.Slot(), Digest.Read(ref reader), Signature.Read(ref reader), ReadMany(ref reader, ReadEndorsement));

        /// <summary>What a view change says, without the signature under it.</summary>
        public static void WriteBody(CodecWriter writer, Message.ViewChange value)
        {
            writer.Node(value.Sender);
            writer.Signed(value.View);
            Write(writer, value.Stable);
            writer.Unsigned((ulong)value.Prepared.Length);
            foreach (var prepared in value.Prepared)
            {
                Write(writer, prepared);
            }

            writer.Unsigned((ulong)value.PrePrepared.Length);
            foreach (var (view, slot, digest) in value.PrePrepared)
            {
                writer.Signed(view);
                writer.Slot(slot);
                digest.Write(writer);
            }
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
            ReadMany(ref reader, ReadPrepared),
            ReadMany(ref reader, static (ref reader) => new PrePrepared(reader.Signed(), reader.Slot(), Digest.Read(ref reader))),
            Signature.Read(ref reader));

        public static void Write(CodecWriter writer, Message.NewView value)
        {
            writer.Signed(value.View);
            writer.Unsigned((ulong)value.ViewChanges.Length);
            foreach (var change in value.ViewChanges)
            {
                Write(writer, change);
            }

            writer.Unsigned((ulong)value.Proposals.Length);
            foreach (var proposal in value.Proposals)
            {
                Write(writer, proposal);
            }

            value.Signature.Write(writer);
        }

        public static Message.NewView ReadNewView(ref CodecReader reader) => new(
            reader.Signed(), ReadMany(ref reader, ReadViewChange), ReadMany(ref reader, ReadProposal), Signature.Read(ref reader));

        public static void Write(CodecWriter writer, Proposal value)
        {
            writer.Slot(value.Slot);
            value.Digest.Write(writer);
            Authenticators.Write(writer, value.Authenticator);
        }

        public static Proposal ReadProposal(ref CodecReader reader) =>
            new(reader.Slot(), Digest.Read(ref reader), Authenticators.Read(ref reader));

        public delegate T Element<out T>(ref CodecReader reader);

        public static ImmutableArray<T> ReadMany<T>(ref CodecReader reader, Element<T> read)
        {
            var count = reader.Count();
            var items = ImmutableArray.CreateBuilder<T>();
            for (var index = 0; index < count && !reader.Failed; index++)
            {
                items.Add(read(ref reader));
            }

            return items.ToImmutable();
        }
    }

    private sealed class AuthenticatorWire : IWire<Authenticator>
    {
        public void Write(CodecWriter writer, Authenticator value)
        {
            if (value is Authenticator.Coded coded)
            {
                writer.Byte(2);
                writer.Unsigned((ulong)coded.Codes.Length);
                foreach (var code in coded.Codes)
                {
                    code.Write(writer);
                }
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
                return new Authenticator.Coded(Fields.ReadMany(ref reader, Mac.Read));
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
