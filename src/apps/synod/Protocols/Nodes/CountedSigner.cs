using Synod.Core;
using Synod.Node;
using Synod.Protocols.Byzantine;

namespace Synod.App.Protocols.Nodes;

/// <summary>A node's signer that counts what it is asked for. The loop's thread signs; several check.</summary>
/// <param name="signer">Who signs and checks.</param>
/// <param name="believesClients">
/// Whether what clients are said to have asked is believed unchecked, to see what agreement costs without it. Any one member could then
/// make up commands.
/// </param>
internal sealed class CountedSigner(ISigner signer, bool believesClients) : ISigner
{
    private const int CheckedPerSample = 16;

    private long _sampledNanoseconds;
    private long _verified;

    public NodeId Self => signer.Self;

    public long Signed { get; private set; }

    public long Verified => Volatile.Read(ref _verified);

    /// <summary>Processor time that went into checking, from one check in sixteen: a price of the same seconds, as machines drift.</summary>
    public long VerifyingMicroseconds => Volatile.Read(ref _sampledNanoseconds) * CheckedPerSample / 1_000;

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

        if (Interlocked.Increment(ref _verified) % CheckedPerSample != 0)
        {
            return signer.Verify(by, statement, signature);
        }

        var began = SystemTime.ThreadTime;
        var isValid = signer.Verify(by, statement, signature);
        Interlocked.Add(ref _sampledNanoseconds, SystemTime.ThreadTime - began);
        return isValid;
    }
}
