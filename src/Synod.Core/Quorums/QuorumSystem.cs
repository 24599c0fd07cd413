namespace Synod.Core;

/// <summary>
/// Which sets of members suffice for which phase (Howard, Malkhi and Spiegelman 2016, "Flexible Paxos"). Phase 1 elects, phase 2
/// replicates. Safety needs one thing: every phase-1 quorum meets every phase-2 quorum. A value, validated before use and
/// the same for every member of a configuration.
/// </summary>
public abstract record QuorumSystem(NodeSet Members)
{
    /// <summary>Whether <paramref name="votes"/> suffice to elect a leader. Votes of others than members do not count.</summary>
    public abstract bool IsPhase1(NodeSet votes);

    /// <summary>Whether <paramref name="votes"/> suffice to choose a value; also to hold a lease and to confirm leadership.</summary>
    public abstract bool IsPhase2(NodeSet votes);

    /// <summary>Null if safe, otherwise the reason why not, with two disjoint quorums.</summary>
    public abstract string? Unsafe();

    /// <summary>How it is written in configurations and shown to people; <see cref="QuorumText"/> reads it.</summary>
    public abstract override string ToString();

    /// <summary>Null if it can be used, otherwise the reason why not: it is unsafe, or no quorum can ever be had.</summary>
    public string? Refused
    {
        get
        {
            var reason = Members.IsEmpty ? "it has no members" : Unsafe();
            return reason is null && !(IsPhase1(Members) && IsPhase2(Members))
                ? "all members together are not a quorum, so nothing could ever be agreed on; ask for less"
                : reason;
        }
    }

    /// <exception cref="ArgumentException">Two quorums of different phases could be disjoint, or one can never be had.</exception>
    public QuorumSystem Validated() => Refused is { } reason
        ? throw new ArgumentException($"Quorum system '{this}' over {Members.Count} members is refused: {reason}.")
        : this;
}
