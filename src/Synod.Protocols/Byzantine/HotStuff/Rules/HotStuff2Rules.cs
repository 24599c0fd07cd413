namespace Synod.Protocols.Byzantine;

/// <summary>
/// HotStuff-2 (Malkhi and Nayak 2023; hotstuff.md §5.3): two phases. The first certificate locks, the second, collected by the next
/// leader and carried in its proposal, commits. After a failed view its leader waits until every correct replica's lock has arrived,
/// so that no lock stays hidden; after a good one it proposes at once.
/// </summary>
public sealed class HotStuff2Rules : IHotStuffRules
{
    public string Name => "hotstuff-2";

    public int Phases => 2;

    public int Chain => 1;

    public bool JudgesTimeouts => false;

    public bool VotesGoToNextLeader(VotePhase phase) => phase == VotePhase.PreCommit;

    public Opening Opening(bool afterTimeout) =>
        afterTimeout ? Byzantine.Opening.AfterDelay : Byzantine.Opening.AtOnce;

    /// <summary>Nothing below the lock; of the lock's own view there is one certified block only.</summary>
    public bool MayVote(HotStuff.Message.Proposal proposal, QuorumCertificate locked, BlockTree tree) =>
        proposal.Block.Justify.View >= locked.View;

    public QuorumCertificate? Lock(QuorumCertificate certificate, BlockTree tree) =>
        certificate.Phase == VotePhase.Prepare ? certificate : null;

    public Block? Commit(QuorumCertificate certificate, BlockTree tree) =>
        certificate.Phase == VotePhase.PreCommit ? tree.Find(certificate.Block) : null;
}
