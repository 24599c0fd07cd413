using System.Collections.Immutable;
using Synod.Core;

namespace Synod.Exploration;

/// <summary>Who leads in which round, for protocols that are told.</summary>
public static class LeaderSequences
{
    /// <summary>
    /// Every sequence of leaders over so many rounds, except that nodes which are <paramref name="alike"/> take their first turns in order: a
    /// sequence that differs only in their names says nothing new where the partitions are all tried.
    /// </summary>
    public static IEnumerable<ImmutableArray<NodeId>> All(IReadOnlyList<NodeId> others, IReadOnlyList<NodeId> alike, int rounds)
    {
        return Extend([], 0);

        IEnumerable<ImmutableArray<NodeId>> Extend(ImmutableArray<NodeId> leaders, int met)
        {
            if (leaders.Length == rounds)
            {
                yield return leaders;
                yield break;
            }

            foreach (var leader in others.Concat(alike.Take(met + 1)))
            {
                var isNew = met < alike.Count && leader == alike[met];
                foreach (var longer in Extend(leaders.Add(leader), isNew ? met + 1 : met))
                {
                    yield return longer;
                }
            }
        }
    }
}
