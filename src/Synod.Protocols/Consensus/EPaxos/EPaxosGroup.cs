using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Consensus;

/// <summary>
/// The members of a group and its quorums (epaxos.md §2): of n replicas f may crash, and up to e of these leave the fast path working,
/// where n ≥ max(2e+f-1, 2f+1). A value, the same for every member.
/// </summary>
public sealed class EPaxosGroup
{
    private readonly NodeId[] _members;

    /// <exception cref="ArgumentException">There are fewer than 3 or more than 7 members.</exception>
    public EPaxosGroup(NodeSet members)
    {
        if (members.Count is < 3 or > 7)
        {
            throw new ArgumentException($"A group has 3 to 7 members, not {members.Count.ToString(CultureInfo.InvariantCulture)}.", nameof(members));
        }

        Members = members;
        _members = [.. members];
        Faults = (Count - 1) / 2;
        FastFaults = Math.Min(Faults, (Count - Faults + 1) / 2);
    }

    public NodeSet Members { get; }

    /// <summary>n.</summary>
    public int Count => _members.Length;

    /// <summary>f: crashes that may happen.</summary>
    public int Faults { get; }

    /// <summary>e: crashes with which a round trip still suffices.</summary>
    public int FastFaults { get; }

    /// <summary>n-f, coordinator included.</summary>
    public int Slow => Count - Faults;

    /// <summary>n-e, coordinator included.</summary>
    public int Fast => Count - FastFaults;

    /// <summary>The member at a position of every vector.</summary>
    public NodeId this[int column] => _members[column];

    /// <summary>A member's position in every vector; -1 for strangers.</summary>
    public int ColumnOf(NodeId node)
    {
        for (var column = 0; column < _members.Length; column++)
        {
            if (_members[column] == node)
            {
                return column;
            }
        }

        return -1;
    }
}
