namespace Synod.Protocols.Byzantine;

/// <summary>
/// Chained HotStuff (Yin et al. 2019, §5; hotstuff.md §4): one vote a view, which is the prepare of its block, the pre-commit of the
/// parent and the commit of the grandparent. It needs four consecutive views with correct leaders to commit.
/// </summary>
public sealed class ChainedRules : IHotStuffRules
{
    public string Name => "hotstuff-chained";

    public int Phases => 1;

    public int Chain => 3;

    public bool JudgesTimeouts => false;

    public bool VotesGoToNextLeader(VotePhase phase) => true;

    public Opening Opening(bool afterTimeout) => Byzantine.Opening.AtOnce;

    /// <summary>safeNode, as in the basic protocol.</summary>
    public bool MayVote(HotStuff.Message.Proposal proposal, QuorumCertificate locked, BlockTree tree) =>
        tree.Extends(proposal.Block, locked) || proposal.Block.Justify.View > locked.View;

    /// <summary>The parent of a certified block is locked: a chain of two.</summary>
    public QuorumCertificate? Lock(QuorumCertificate certificate, BlockTree tree) => tree.Find(certificate.Block)?.Justify;

    /// <summary>
    /// A chain of three whose views follow each other directly. With gaps another chain may have been certified in between, whose
    /// voters were not yet locked (the example in hotstuff.md §4).
    /// </summary>
    public Block? Commit(QuorumCertificate certificate, BlockTree tree) =>
        tree.Find(certificate.Block) is { } third
        && tree.Parent(third) is { } second && third.View == second.View + 1
        && tree.Parent(second) is { } first && second.View == first.View + 1
            ? first
            : null;
}
