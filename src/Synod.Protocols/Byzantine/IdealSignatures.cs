using System.Buffers.Binary;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Signatures and codes for simulations: a digest of who says what to whom. Nobody forges one as long as each node is given nothing
/// but its own signer. They are a function of what they sign, so a run is the same each time, and so is a world of the explorer, whichever
/// way leads to it and whichever thread makes it.
/// </summary>
public sealed class IdealSignatures : IVerifier
{
    /// <summary>The key of <paramref name="node"/>: whoever holds it speaks in that name.</summary>
    public ISigner SignerOf(NodeId node) => new Signer(this, node);

    /// <summary>The keys that <paramref name="node"/> shares with each other node.</summary>
    public IMacs MacsOf(NodeId node) => new Macs(node);

    public bool Verify(NodeId signer, ReadOnlySpan<byte> statement, Signature signature) =>
        signature.Span.Length == sizeof(ulong)
        && BinaryPrimitives.ReadUInt64LittleEndian(signature.Span) == (ulong)CodeOf(signer, NodeId.None, statement);

    /// <summary>To sign for all is to sign for nobody in particular.</summary>
    private static UInt128 CodeOf(NodeId signer, NodeId receiver, ReadOnlySpan<byte> statement)
    {
        const int Head = 2 * sizeof(int);
        Span<byte> content = Head + statement.Length <= 512 ? stackalloc byte[Head + statement.Length] : new byte[Head + statement.Length];
        BinaryPrimitives.WriteInt32LittleEndian(content, signer.Value);
        BinaryPrimitives.WriteInt32LittleEndian(content[sizeof(int)..], receiver.Value);
        statement.CopyTo(content[Head..]);
        return Digest.Of(content).High;
    }

    private sealed class Signer(IdealSignatures all, NodeId self) : ISigner
    {
        public NodeId Self => self;

        public Signature Sign(ReadOnlySpan<byte> statement)
        {
            var bytes = new byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)CodeOf(self, NodeId.None, statement));
            return new Signature(bytes);
        }

        public bool Verify(NodeId signer, ReadOnlySpan<byte> statement, Signature signature) => all.Verify(signer, statement, signature);
    }

    private sealed class Macs(NodeId self) : IMacs
    {
        public Mac Authenticate(NodeId receiver, ReadOnlySpan<byte> statement) => new(CodeOf(self, receiver, statement));

        // Either of the two that share a key can make its codes; a third party cannot.
        public bool Check(NodeId sender, ReadOnlySpan<byte> statement, Mac mac) => mac.Value == CodeOf(sender, self, statement);
    }
}
