using System.Collections.Immutable;
using System.Globalization;

namespace Synod.Core;

/// <summary>
/// Quorums by weight (Gifford 1979): votes that weigh at least <paramref name="Phase1"/> elect, at least
/// <paramref name="Phase2"/> replicate.
/// </summary>
/// <param name="Weights">The weight of each member, in ascending order of members.</param>
public sealed record WeightedQuorums(NodeSet Members, ImmutableArray<int> Weights, int Phase1, int Phase2) : QuorumSystem(Members)
{
    public override bool IsPhase1(NodeSet votes) => Weight(votes) >= Phase1;

    public override bool IsPhase2(NodeSet votes) => Weight(votes) >= Phase2;

    public override string? Unsafe()
    {
        if (Weights.Length != Members.Count || Weights.Any(weight => weight < 0))
        {
            return string.Create(CultureInfo.InvariantCulture, $"each member needs one weight of zero or more, and {Members.Count} members have {Weights.Length}");
        }

        if (Phase1 < 1 || Phase2 < 1)
        {
            return "a quorum needs a weight of at least one";
        }

        var total = Weight(Members);
        return (long)Phase1 + Phase2 > total
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{Phase1} + {Phase2} is not more than the total weight {total}, so an election by {Phase1} may miss a value chosen by the other {Phase2}; {total - Phase2 + 1}/{Phase2} always meet");
    }

    public override string ToString() => $"weights {string.Join(",", Weights)} {Phase1}/{Phase2}";

    public bool Equals(WeightedQuorums? other) =>
        other is not null && Members == other.Members && Phase1 == other.Phase1 && Phase2 == other.Phase2
        && Weights.SequenceEqual(other.Weights);

    public override int GetHashCode() => Members.Count * 31 + Phase1;

    private long Weight(NodeSet votes)
    {
        long sum = 0;
        var index = 0;
        foreach (var member in Members)
        {
            sum += votes.Contains(member) ? Weights[index] : 0;
            index++;
        }

        return sum;
    }
}
