using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.App.Protocols.Nodes;

/// <summary>A node's signer that counts what it is asked for; used by the loop's thread alone.</summary>
/// <param name="signer">Who signs and checks.</param>
/// <param name="believesClients">
/// Whether what clients are said to have asked is believed unchecked, to see what agreement costs without it. Any one member could then
/// make up commands.
/// </param>
internal sealed class CountedSigner(ISigner signer, bool believesClients) : ISigner
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
        if (believesClients && by.Value >= ProtocolSettings.FirstClient)
        {
            return true;
        }

        Verified++;
        return signer.Verify(by, statement, signature);
    }
}
