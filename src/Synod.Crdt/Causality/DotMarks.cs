namespace Synod.Crdt;

/// <summary>
/// The dots of a store as a bit for each dot of its context: whether one is held takes no look into a table. For stores whose contexts
/// are not much larger than they are.
/// </summary>
internal sealed class DotMarks
{
    private const ulong WordBits = 64;

    private readonly ReplicaId[] _replicas;
    private readonly ulong[][] _words;

    /// <summary>Where the last dot's replica is: the next one's is mostly the same.</summary>
    private int _recent;

    private DotMarks(ReplicaId[] replicas, ulong[][] words) => (_replicas, _words) = (replicas, words);

    /// <summary>No marks yet, with room for the dots of a context; null if that is more than a word for each of <paramref name="dots"/>.</summary>
    public static DotMarks? For(CausalContext context, long dots)
    {
        var replicas = context.Replicas.ToArray();
        var most = (ulong)dots + (ulong)replicas.Length;
        var needed = 0UL;
        foreach (var replica in replicas)
        {
            needed += context.Highest(replica) / WordBits + 1;
            if (needed > most)
            {
                return null;
            }
        }

        return replicas.Length == 0 ? null : new(replicas, [.. replicas.Select(replica => new ulong[context.Highest(replica) / WordBits + 1])]);
    }

    /// <summary>Marks a dot of the context.</summary>
    public void Mark(Dot dot)
    {
        if (TryFind(dot))
        {
            _words[_recent][dot.Counter / WordBits] |= 1UL << (int)(dot.Counter % WordBits);
        }
    }

    public bool Contains(Dot dot) =>
        TryFind(dot) && (_words[_recent][dot.Counter / WordBits] >> (int)(dot.Counter % WordBits) & 1) != 0;

    private bool TryFind(Dot dot)
    {
        if (_replicas[_recent] != dot.Replica)
        {
            if (Array.BinarySearch(_replicas, dot.Replica) is not (>= 0 and var index))
            {
                return false;
            }

            _recent = index;
        }

        return dot.Counter / WordBits < (ulong)_words[_recent].Length;
    }
}
