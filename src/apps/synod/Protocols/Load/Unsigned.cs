using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.App.Protocols.Load;

/// <summary>A client whose word is believed as it is.</summary>
internal sealed class Unsigned(NodeId self) : ISigner
{
    public NodeId Self => self;

    public Signature Sign(ReadOnlySpan<byte> statement) => default;

    public bool Verify(NodeId signer, ReadOnlySpan<byte> statement, Signature signature) => false;
}
