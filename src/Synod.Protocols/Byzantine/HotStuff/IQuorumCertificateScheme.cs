using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// How votes are signed, and how n - f of them become one proof: a list of signatures, or one threshold or aggregate signature.
/// Pure, and nothing throws on what a peer sent.
/// </summary>
public interface IQuorumCertificateScheme
{
    /// <summary>This member's vote under a statement.</summary>
    Signature Sign(ReadOnlySpan<byte> statement);

    /// <summary>Whether <paramref name="member"/> gave this vote.</summary>
    bool Verify(NodeId member, ReadOnlySpan<byte> statement, Signature vote);

    /// <summary>The proof that the givers of <paramref name="votes"/>, verified, of distinct members and ordered by them, voted.</summary>
    Proof Aggregate(ReadOnlySpan<byte> statement, IReadOnlyList<Endorsement> votes);

    /// <summary>Whether the proof shows votes of a quorum of distinct members.</summary>
    bool Verify(ReadOnlySpan<byte> statement, Proof proof);

    /// <summary>Members among which those are who voted; each correct one of these has the block.</summary>
    NodeSet Voters(Proof proof);
}
