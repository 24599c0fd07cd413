namespace Synod.Protocols.Byzantine;

/// <summary>
/// Basic HotStuff (Yin et al. 2019, §4; hotstuff.md §3): one block a view, three phases, all votes to its leader. The first phase makes the
/// certificate unique, the second makes a quorum know it, so that no lock is hidden from the next leader, the third locks.
/// </summary>
public sealed class BasicRules : IHotStuffRules
{
    public string Name => "hotstuff-basic";

    public int Phases => 3;

    public int Chain => 1;

    public bool JudgesTimeouts => false;

    public bool VotesGoToNextLeader(VotePhase phase) => false;

    /// <summary>A time-out certificate already brought the certificates of n - f replicas with it.</summary>
    public Opening Opening(bool afterTimeout) =>
        afterTimeout ? Byzantine.Opening.AtOnce : Byzantine.Opening.AfterReports;

    /// <summary>safeNode: it extends the lock (safety), or a quorum has gone on without that (liveness).</summary>
    public bool MayVote(HotStuff.Message.Proposal proposal, QuorumCertificate locked, BlockTree tree) =>
        tree.Extends(proposal.Block, locked) || proposal.Block.Justify.View > locked.View;

    public QuorumCertificate? Lock(QuorumCertificate certificate, BlockTree tree) =>
        certificate.Phase == VotePhase.PreCommit ? certificate : null;

    public Block? Commit(QuorumCertificate certificate, BlockTree tree) =>
        certificate.Phase == VotePhase.Commit ? tree.Find(certificate.Block) : null;
}
