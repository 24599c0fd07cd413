using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>The values that messages and records share.</summary>
public sealed partial class Pbft
{
    /// <summary>
    /// What a client asks for, signed by it. Its timestamps grow with each request, so that one is executed once (Castro and Liskov
    /// 2002, §2.2).
    /// </summary>
    public sealed record SignedRequest(NodeId Client, long Timestamp, ReadOnlyMemory<byte> Operation, Signature Signature)
    {
        /// <summary>A request that may be ordered, as its client signs it for the group of a domain.</summary>
        public static SignedRequest Sign(
            SigningDomain domain, NodeId client, long timestamp, ReadOnlyMemory<byte> operation, ISigner signer) =>
            new(client, timestamp, operation, signer.Sign(new Statements(domain).Request(client, timestamp, operation.Span, isRead: false)));

        /// <summary>What its client signs if it may be ordered, for those who check it before a replica does.</summary>
        public ReadOnlyMemory<byte> StatementIn(SigningDomain domain) =>
            new Statements(domain).Request(Client, Timestamp, Operation.Span, isRead: false).ToArray();

        public bool Equals(SignedRequest? other) =>
            other is not null && Client == other.Client && Timestamp == other.Timestamp
            && Operation.Span.SequenceEqual(other.Operation.Span) && Signature == other.Signature;

        public override int GetHashCode() => Signature.GetHashCode();

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Client}.{Timestamp}:{new Key(Operation)}");
    }

    /// <summary>Requests that get one position. The digest is that of its binary form.</summary>
    public sealed record Batch(ImmutableArray<SignedRequest> Requests)
    {
        /// <summary>The null request, which fills a gap and does nothing. No other batch has its digest or is empty.</summary>
        public static Batch Null { get; } = new([]);

        public Digest Digest { get; } = DigestOf(Requests);

        public bool Equals(Batch? other) => other is not null && Digest == other.Digest;

        public override int GetHashCode() => (int)(ulong)Digest.Low;

        public override string ToString() => Requests.IsEmpty ? "null" : $"[{string.Join(" ", Requests)}]";

        private static Digest DigestOf(ImmutableArray<SignedRequest> requests)
        {
            if (requests.IsEmpty)
            {
                return Digest.None;
            }

            var writer = new CodecWriter();
            Fields.Write(writer, requests);
            return Digest.Of(writer.Span);
        }
    }

    /// <summary>Shows receivers who made a normal-case message: to everyone by a signature, or to each by a code of its own.</summary>
    public abstract record Authenticator
    {
        public sealed record Signed(Signature Signature) : Authenticator
        {
            public override string ToString() => "signed";
        }

        /// <summary>One code for each replica, in the order of the group (§3.2 calls the vector an authenticator).</summary>
        public sealed record Coded(ImmutableArray<Mac> Codes) : Authenticator
        {
            public override string ToString() => "coded";
        }
    }

    /// <summary>2f+1 signatures under the digest of the state after <paramref name="Slot"/>. Slot 0, the beginning, needs none.</summary>
    public sealed record CheckpointProof(Slot Slot, Digest State, ImmutableArray<Endorsement> Endorsements)
    {
        public override string ToString() => $"{Slot}";
    }

    /// <summary>
    /// That a batch prepared: the primary's signature under its pre-prepare and 2f backups' under matching prepares. With codes there
    /// is nothing to show, and it is a claim.
    /// </summary>
    public sealed record Prepared(
        long View, Slot Slot, Digest Digest, Signature Proposal, ImmutableArray<Endorsement> Prepares)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Slot}={Digest}@{View}");
    }

    /// <summary>That a batch was pre-prepared here, last in <paramref name="View"/> (the set Q of §4.2 in pbft.md).</summary>
    public sealed record PrePrepared(long View, Slot Slot, Digest Digest)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Slot}~{Digest}@{View}");
    }

    /// <summary>A pre-prepare without its batch, as a new view contains them.</summary>
    public sealed record Proposal(Slot Slot, Digest Digest, Authenticator Authenticator)
    {
        public override string ToString() => $"{Slot}={Digest}";
    }

    /// <summary>
    /// Two signatures of one replica under contradicting statements about one slot of a view: anyone can see that it is faulty. Only
    /// signed statements make evidence that convinces others.
    /// </summary>
    public sealed record Evidence(
        NodeId Accused, Phase Phase, long View, Slot Slot, Digest First, Authenticator FirstProof, Digest Second, Authenticator SecondProof)
    {
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{Accused} {Phase} {View} {Slot}: {First} and {Second}");
    }

    /// <summary>The phases of agreement on one slot; their numbers are those of the signed statements.</summary>
    public enum Phase : byte
    {
        PrePrepare = 3,
        Prepare = 4,
        Commit = 5,
    }
}
