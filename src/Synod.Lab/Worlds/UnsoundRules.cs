using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

/// <summary>A rule set with another commit rule, as ports have had them (hotstuff.md §4, §9).</summary>
internal sealed class UnsoundRules(string name, IHotStuffRules sound, Func<QuorumCertificate, BlockTree, Block?> commit) : IHotStuffRules
{
    public string Name => name;

    public int Phases => sound.Phases;

    /// <summary>A chain of two commits where three are needed: its lock is known to some only.</summary>
    public static UnsoundRules ChainOfTwo { get; } = new(
        "three phases, committed after two",
        new ChainedRules(),
        (certificate, tree) => tree.Find(certificate.Block) is { } second ? tree.Parent(second) : null);

    /// <summary>A certified block is committed at once.</summary>
    public static UnsoundRules ChainOfOne { get; } = new(
        "committed when certified", new JolteonRules(), (certificate, tree) => tree.Find(certificate.Block));

    public int Chain => sound.Chain;

    public bool JudgesTimeouts => sound.JudgesTimeouts;

    public bool VotesGoToNextLeader(VotePhase phase) => sound.VotesGoToNextLeader(phase);

    public Opening Opening(bool afterTimeout) => sound.Opening(afterTimeout);

    public bool MayVote(HotStuff.Message.Proposal proposal, QuorumCertificate locked, BlockTree tree) =>
        sound.MayVote(proposal, locked, tree);

    public QuorumCertificate? Lock(QuorumCertificate certificate, BlockTree tree) => sound.Lock(certificate, tree);

    public Block? Commit(QuorumCertificate certificate, BlockTree tree) => commit(certificate, tree);
}
