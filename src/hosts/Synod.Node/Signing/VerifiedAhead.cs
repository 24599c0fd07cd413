using System.Collections.Concurrent;
using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Node;

/// <summary>
/// Lets whoever brings a client's statement check it on its own thread, so that the event loop, which asks again, need not. One statement
/// is remembered of each signer, its newest: memory is bounded by the signers that are known.
/// </summary>
/// <param name="signer">Who signs and checks; asked on several threads.</param>
public sealed class VerifiedAhead(ISigner signer) : ISigner
{
    private readonly ConcurrentDictionary<NodeId, Found> _found = [];

    public NodeId Self => signer.Self;

    public Signature Sign(ReadOnlySpan<byte> statement) => signer.Sign(statement);

    /// <summary>Checks, on any thread, and remembers what is found valid.</summary>
    /// <param name="by">The signer.</param>
    /// <param name="statement">Not written to any more.</param>
    /// <param name="signature">Its signature.</param>
    public bool Check(NodeId by, ReadOnlyMemory<byte> statement, Signature signature)
    {
        if (!Verify(by, statement.Span, signature))
        {
            return false;
        }

        _found[by] = new Found(statement, signature);
        return true;
    }

    public bool Verify(NodeId by, ReadOnlySpan<byte> statement, Signature signature) =>
        (_found.TryGetValue(by, out var known) && known.Signature == signature && known.Statement.Span.SequenceEqual(statement))
        || signer.Verify(by, statement, signature);

    private sealed record Found(ReadOnlyMemory<byte> Statement, Signature Signature);
}
