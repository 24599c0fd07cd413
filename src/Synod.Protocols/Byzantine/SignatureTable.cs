using System.Buffers.Binary;
using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// Signatures and codes for simulations, as a table: one is valid only if that node really signed that content. Nobody can forge
/// what is not in the table. Numbers are given in the order of signing, and a content signed again gets its number again, so that
/// a run is the same each time, and a world of the explorer is the same whichever way leads to it.
/// </summary>
public sealed class SignatureTable : IVerifier
{
    private readonly Dictionary<(NodeId Signer, NodeId Receiver, Digest Content), int> _numbers = [];

    /// <summary>The key of <paramref name="node"/>: whoever holds it speaks in that name.</summary>
    public ISigner SignerOf(NodeId node) => new Signer(this, node);

    /// <summary>The keys that <paramref name="node"/> shares with each other node.</summary>
    public IMacs MacsOf(NodeId node) => new Macs(this, node);

    public bool Verify(NodeId signer, ReadOnlySpan<byte> statement, Signature signature) =>
        signature.Span.Length == sizeof(int)
        && _numbers.TryGetValue((signer, NodeId.None, Digest.Of(statement)), out var number)
        && BinaryPrimitives.ReadInt32LittleEndian(signature.Span) == number;

    private int Number(NodeId signer, NodeId receiver, ReadOnlySpan<byte> statement)
    {
        var entry = (signer, receiver, Digest.Of(statement));
        if (!_numbers.TryGetValue(entry, out var number))
        {
            number = _numbers.Count + 1;
            _numbers.Add(entry, number);
        }

        return number;
    }

    private sealed class Signer(SignatureTable table, NodeId self) : ISigner
    {
        public NodeId Self => self;

        public Signature Sign(ReadOnlySpan<byte> statement)
        {
            var bytes = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, table.Number(self, NodeId.None, statement));
            return new Signature(bytes);
        }

        public bool Verify(NodeId signer, ReadOnlySpan<byte> statement, Signature signature) =>
            table.Verify(signer, statement, signature);
    }

    private sealed class Macs(SignatureTable table, NodeId self) : IMacs
    {
        public Mac Authenticate(NodeId receiver, ReadOnlySpan<byte> statement) =>
            new((UInt128)table.Number(self, receiver, statement));

        // Either of the two that share a key can make its codes; a third party cannot.
        public bool Check(NodeId sender, ReadOnlySpan<byte> statement, Mac mac) =>
            table._numbers.TryGetValue((sender, self, Digest.Of(statement)), out var number) && mac.Value == (UInt128)number;
    }
}
