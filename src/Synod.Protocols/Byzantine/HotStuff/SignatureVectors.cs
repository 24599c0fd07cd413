using Synod.Core;

namespace Synod.Protocols.Byzantine;

/// <summary>
/// A proof is the list of its votes. It needs no other cryptography than signatures and no set-up; it is O(n) bytes, so that a view
/// has O(n) messages but O(n²) authenticators (hotstuff.md §2).
/// </summary>
public sealed class SignatureVectors(ISigner signer, NodeSet members, int quorum) : IQuorumCertificateScheme
{
    public Signature Sign(ReadOnlySpan<byte> statement) => signer.Sign(statement);

    public bool Verify(NodeId member, ReadOnlySpan<byte> statement, Signature vote) =>
        members.Contains(member) && signer.Verify(member, statement, vote);

    public Proof Aggregate(ReadOnlySpan<byte> statement, IReadOnlyList<Endorsement> votes)
    {
        var writer = new CodecWriter();
        writer.Unsigned((ulong)votes.Count);
        foreach (var vote in votes)
        {
            writer.Node(vote.Signer);
            vote.Signature.Write(writer);
        }

        return new Proof(writer.ToArray());
    }

    public bool Verify(ReadOnlySpan<byte> statement, Proof proof)
    {
        var votes = Read(proof);
        if (votes is null || votes.Count < quorum)
        {
            return false;
        }

        foreach (var vote in votes)
        {
            if (!Verify(vote.Signer, statement, vote.Signature))
            {
                return false;
            }
        }

        return true;
    }

    public NodeSet Voters(Proof proof)
    {
        var voters = NodeSet.Empty;
        foreach (var vote in Read(proof) ?? [])
        {
            voters = members.Contains(vote.Signer) ? voters.With(vote.Signer) : voters;
        }

        return voters;
    }

    /// <summary>Null unless it is a list in ascending order of signers: one member's vote twice is not two votes.</summary>
    private static List<Endorsement>? Read(Proof proof)
    {
        var reader = new CodecReader(proof.Memory);
        var count = reader.Count();
        var votes = new List<Endorsement>(count);
        for (var index = 0; index < count && !reader.Failed; index++)
        {
            var vote = new Endorsement(reader.Node(), Signature.Read(ref reader));
            if (votes.Count > 0 && !(votes[^1].Signer < vote.Signer))
            {
                return null;
            }

            votes.Add(vote);
        }

        return reader.IsComplete ? votes : null;
    }
}
