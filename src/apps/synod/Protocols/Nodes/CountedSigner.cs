using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.App.Protocols.Nodes;

/// <summary>A signer that counts what it is asked for; used by the loop's thread alone.</summary>
internal sealed class CountedSigner(ISigner signer) : ISigner
{
    public NodeId Self => signer.Self;

    public long Signed { get; private set; }

    public long Verified { get; private set; }

    public Signature Sign(ReadOnlySpan<byte> statement)
    {
        Signed++;
        return signer.Sign(statement);
    }

    public bool Verify(NodeId by, ReadOnlySpan<byte> statement, Signature signature)
    {
        Verified++;
        return signer.Verify(by, statement, signature);
    }
}
