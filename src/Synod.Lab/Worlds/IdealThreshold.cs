using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

/// <summary>
/// A threshold signature as the theory has it: whoever voted, the proof is the same, and without a quorum of votes there is none. It is
/// the signature of a node that does not exist. Worlds that differ only in who voted are then one world.
/// </summary>
internal sealed class IdealThreshold(IdealSignatures keys, NodeId self, NodeSet members, int quorum) : IQuorumCertificateScheme
{
    private static readonly NodeId All = new(-1);

    public Signature Sign(ReadOnlySpan<byte> statement) => keys.SignerOf(self).Sign(statement);

    public bool Verify(NodeId member, ReadOnlySpan<byte> statement, Signature vote) =>
        members.Contains(member) && keys.Verify(member, statement, vote);

    public Proof Aggregate(ReadOnlySpan<byte> statement, IReadOnlyList<Endorsement> votes)
    {
        foreach (var vote in votes)
        {
            Invariant.Check(Verify(vote.Signer, statement, vote.Signature), "OnlyVerifiedVotes");
        }

        return votes.Select(vote => vote.Signer).Distinct().Count() >= quorum
            ? new Proof(keys.SignerOf(All).Sign(statement).Span.ToArray())
            : default;
    }

    public bool Verify(ReadOnlySpan<byte> statement, Proof proof) => keys.Verify(All, statement, new Signature(proof.Memory));

    public NodeSet Voters(Proof proof) => members;
}
