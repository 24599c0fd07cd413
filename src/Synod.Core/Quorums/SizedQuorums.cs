using System.Globalization;

namespace Synod.Core;

/// <summary>Quorums by number of members: any <paramref name="Phase1"/> of them elect, any <paramref name="Phase2"/> replicate.</summary>
public sealed record SizedQuorums(NodeSet Members, int Phase1, int Phase2) : QuorumSystem(Members)
{
    /// <summary>More than half of the members in both phases.</summary>
    public static SizedQuorums Majority(NodeSet members) => new(members, members.Count / 2 + 1, members.Count / 2 + 1);

    public override bool IsPhase1(NodeSet votes) => votes.Intersect(Members).Count >= Phase1;

    public override bool IsPhase2(NodeSet votes) => votes.Intersect(Members).Count >= Phase2;

    public override string? Unsafe()
    {
        if (Phase1 < 1 || Phase2 < 1)
        {
            return "a quorum needs at least one member";
        }

        return Phase1 + Phase2 > Members.Count
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{Phase1} + {Phase2} is not more than {Members.Count}, so an election by {Phase1} may miss a value chosen by the other {Phase2}; {Members.Count - Phase2 + 1}/{Phase2} always meet");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Phase1}/{Phase2}");
}
