using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>Who the acceptors are, and how long to wait; the same on every node.</summary>
public sealed record PaxosCommitOptions
{
    /// <param name="acceptors">2F+1 distinct nodes: 1, 3 or 5.</param>
    /// <exception cref="ArgumentException">Another number of them, one twice, or one that cannot be a member of a set.</exception>
    public PaxosCommitOptions(params ImmutableArray<NodeId> acceptors)
    {
        if (acceptors.Length is not (1 or 3 or 5)
            || acceptors.Any(node => node.Value is <= 0 or >= NodeSet.Capacity)
            || NodeSet.Of(acceptors.AsSpan()).Count != acceptors.Length)
        {
            throw new ArgumentException("Acceptors are 1, 3 or 5 distinct members.", nameof(acceptors));
        }

        Acceptors = acceptors;
    }

    public ImmutableArray<NodeId> Acceptors { get; }

    /// <summary>The leader of ballot 0 for every transaction; none if it is the node that began it.</summary>
    public NodeId Leader { get; init; }

    /// <summary>Whether acceptors tell every manager as well, which saves one delay and costs messages (Faster Paxos Commit).</summary>
    public bool IsFaster { get; init; }

    /// <summary>A leader waits this long for a decision, then begins a higher ballot with all acceptors.</summary>
    public Duration Vote { get; init; } = Duration.FromSeconds(2);

    /// <summary>A prepared manager asks at least this often how it ended.</summary>
    public Duration Inquire { get; init; } = Duration.FromSeconds(1);

    /// <summary>How often a manager asks before it leads a ballot itself.</summary>
    public int Patience { get; init; } = 1;

    /// <summary>How many acceptors may fail.</summary>
    public int Faults => Acceptors.Length / 2;

    /// <summary>F+1: any two sets of so many have a member in common.</summary>
    public int Majority => Faults + 1;

    /// <summary>Who leads ballot 0 of a transaction.</summary>
    public NodeId LeaderOf(TransactionId transaction) => Leader == NodeId.None ? transaction.Coordinator : Leader;

    /// <summary>The F+1 acceptors that are enough as long as nothing fails: the one beside the leader, if there is one, and the next.</summary>
    public NodeSet FirstAcceptors(TransactionId transaction)
    {
        var first = Math.Max(0, Acceptors.IndexOf(LeaderOf(transaction)));
        var chosen = NodeSet.Empty;
        for (var count = 0; count < Majority; count++)
        {
            chosen = chosen.With(Acceptors[(first + count) % Acceptors.Length]);
        }

        return chosen;
    }

    /// <summary>All 2F+1 as a set.</summary>
    public NodeSet AllAcceptors => NodeSet.Of(Acceptors.AsSpan());
}
