using Synod.Protocols.Byzantine;

namespace Synod.Lab.Worlds;

/// <summary>A rule set with one rule replaced by a mistake that ports have made (hotstuff.md §4, §5.1, §9).</summary>
internal sealed class UnsoundRules(string name, IHotStuffRules sound) : IHotStuffRules
{
    /// <summary>What replaces the vote rule.</summary>
    public Func<HotStuff.Message.Proposal, QuorumCertificate, bool>? MayVoteInstead { get; init; }

    /// <summary>What replaces the commit rule.</summary>
    public Func<QuorumCertificate, BlockTree, Block?>? CommitInstead { get; init; }

    public string Name => name;

    public int Phases => sound.Phases;

    /// <summary>A chain of two locks nobody: its first certificate is forgotten when a leader proposes something older.</summary>
    public static UnsoundRules WithoutLock { get; } = new("two phases without a lock", new JolteonRules())
    {
        MayVoteInstead = (_, _) => true,
    };

    /// <summary>A chain of three locks nobody.</summary>
    public static UnsoundRules ChainWithoutLock { get; } = new("three phases without a lock", new ChainedRules())
    {
        MayVoteInstead = (_, _) => true,
    };

    /// <summary>A chain of two commits where three are needed: its lock is known to some only.</summary>
    public static UnsoundRules ChainOfTwo { get; } = new("three phases, committed after two", new ChainedRules())
    {
        CommitInstead = (certificate, tree) => tree.Find(certificate.Block) is { } second ? tree.Parent(second) : null,
    };

    /// <summary>A certified block is committed at once.</summary>
    public static UnsoundRules ChainOfOne { get; } = new("committed when certified", new JolteonRules())
    {
        CommitInstead = (certificate, tree) => tree.Find(certificate.Block),
    };

    /// <summary>The lock gives way to a certificate of its own view or any other: "&gt;=" and worse in the liveness rule.</summary>
    public static UnsoundRules EagerUnlock { get; } = new("unlocked by any certificate", new HotStuff2Rules())
    {
        MayVoteInstead = (proposal, locked) => proposal.Block.Justify.View + 1 >= locked.View,
    };

    public bool VotesGoToNextLeader(VotePhase phase) => sound.VotesGoToNextLeader(phase);

    public Opening Opening(bool afterTimeout) => sound.Opening(afterTimeout);

    public bool MayVote(HotStuff.Message.Proposal proposal, QuorumCertificate locked, BlockTree tree) =>
        MayVoteInstead?.Invoke(proposal, locked) ?? sound.MayVote(proposal, locked, tree);

    public QuorumCertificate? Lock(QuorumCertificate certificate, BlockTree tree) => sound.Lock(certificate, tree);

    public Block? Commit(QuorumCertificate certificate, BlockTree tree) =>
        CommitInstead is null ? sound.Commit(certificate, tree) : CommitInstead(certificate, tree);
}
