namespace Synod.Protocols.Byzantine;

/// <summary>
/// <b>Unsafe on purpose; not for use.</b> Jolteon as ports of it are often written: a chain of two commits whatever views lie between
/// its blocks. Another chain may then be certified in the gap, by members that were told of nothing newer. Kept for demonstrations and
/// for the schedules that break it (hotstuff.md §4, §9).
/// </summary>
public sealed class VulnerableRules : IHotStuffRules
{
    private static readonly JolteonRules s_sound = new();

    public string Name => "vulnerable";

    public int Phases => s_sound.Phases;

    public int Chain => s_sound.Chain;

    public bool JudgesTimeouts => s_sound.JudgesTimeouts;

    public bool VotesGoToNextLeader(VotePhase phase) => s_sound.VotesGoToNextLeader(phase);

    public Opening Opening(bool afterTimeout) => s_sound.Opening(afterTimeout);

    public bool MayVote(HotStuff.Message.Proposal proposal, QuorumCertificate locked, BlockTree tree) =>
        s_sound.MayVote(proposal, locked, tree);

    public QuorumCertificate? Lock(QuorumCertificate certificate, BlockTree tree) => s_sound.Lock(certificate, tree);

    /// <summary>The mistake: the views of the two blocks need not follow each other.</summary>
    public Block? Commit(QuorumCertificate certificate, BlockTree tree) =>
        tree.Find(certificate.Block) is { } second ? tree.Parent(second) : null;
}
