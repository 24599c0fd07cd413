namespace Synod.Protocols.Byzantine;

/// <summary>When the leader of a view may propose.</summary>
public enum Opening
{
    /// <summary>On entering the view, on the highest certificate that it knows.</summary>
    AtOnce,

    /// <summary>With the highest certificates of n - f replicas, which they report on entering the view.</summary>
    AfterReports,

    /// <summary>Some time after entering the view, in which the reports of all correct replicas arrive.</summary>
    AfterDelay,
}

/// <summary>
/// What makes one protocol of the family: when to propose, to vote, to lock and to commit. Everything else, the pacemaker included, is
/// shared. Rules have no state, and look only at blocks whose ancestors are all in the tree.
/// </summary>
public interface IHotStuffRules
{
    /// <summary>Signatures are bound to it.</summary>
    string Name { get; }

    /// <summary>How many rounds of votes a block gets in its view; the certificate of the last closes the view.</summary>
    int Phases { get; }

    /// <summary>How many blocks, the certified one last, make a chain that commits its first.</summary>
    int Chain { get; }

    /// <summary>Whether votes depend on what a time-out certificate says of its signers' highest certificates.</summary>
    bool JudgesTimeouts { get; }

    /// <summary>
    /// Whether the votes of a phase go to the next view's leader, which answers with its own proposal; otherwise the view's own leader
    /// collects them and tells everyone the certificate.
    /// </summary>
    bool VotesGoToNextLeader(VotePhase phase);

    /// <summary>The propose rule: on the highest known certificate always, and when.</summary>
    Opening Opening(bool afterTimeout);

    /// <summary>The vote rule for a block of the current view from its leader, beside voting once and not after giving up.</summary>
    /// <param name="proposal">The block, and the certificates by which its view was entered.</param>
    /// <param name="locked">This replica's lock.</param>
    /// <param name="tree">The blocks.</param>
    bool MayVote(HotStuff.Message.Proposal proposal, QuorumCertificate locked, BlockTree tree);

    /// <summary>The lock that a certificate makes one take, if its view is above that of the lock so far.</summary>
    QuorumCertificate? Lock(QuorumCertificate certificate, BlockTree tree);

    /// <summary>The block that a certificate commits, with its ancestors.</summary>
    Block? Commit(QuorumCertificate certificate, BlockTree tree);
}
