namespace Synod.Protocols.Byzantine;

/// <summary>
/// Jolteon (Gelashvili et al. 2022; hotstuff.md §5.2): one vote a view, a chain of two commits. In place of a lock, a leader that
/// does not build on the view before shows by a time-out certificate that it builds on nothing older than what a quorum knew.
/// </summary>
public sealed class JolteonRules : IHotStuffRules
{
    public string Name => "jolteon";

    public int Phases => 1;

    public int Chain => 2;

    public bool JudgesTimeouts => true;

    public bool VotesGoToNextLeader(VotePhase phase) => true;

    public Opening Opening(bool afterTimeout) => Byzantine.Opening.AtOnce;

    /// <summary>
    /// Committing a block needs n - f votes for its child in the next view, so f + 1 correct members know its certificate then. Every
    /// time-out certificate of that view or later has one of them, and forbids what is older.
    /// </summary>
    public bool MayVote(HotStuff.Message.Proposal proposal, QuorumCertificate locked, BlockTree tree)
    {
        var (block, timeout) = (proposal.Block, proposal.Entry);
        return block.Justify.View == block.View - 1
            || (timeout.View == block.View - 1 && block.Justify.View >= timeout.HighView);
    }

    /// <summary>Its highest certificate, which it tells in every time-out, is as good as a lock.</summary>
    public QuorumCertificate? Lock(QuorumCertificate certificate, BlockTree tree) => certificate;

    /// <summary>Two certified blocks of consecutive views, one the parent of the other.</summary>
    public Block? Commit(QuorumCertificate certificate, BlockTree tree) =>
        tree.Find(certificate.Block) is { } second && tree.Parent(second) is { } first && second.View == first.View + 1
            ? first
            : null;
}
