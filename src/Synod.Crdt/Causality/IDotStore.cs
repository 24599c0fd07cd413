using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// What a causal type keeps for its dots (Almeida et al. 2018, §7.1). It has no context of its own: stores that are nested in a map
/// share the map's, or a field's removal would not be told from a field that was never seen. A store changes only by
/// <see cref="Join"/>; its mutators return what is to be joined.
/// </summary>
public interface IDotStore<TSelf>
    where TSelf : class, IDotStore<TSelf>
{
    bool IsEmpty { get; }

    /// <summary>A new empty store with the same parameters.</summary>
    TSelf Empty();

    /// <summary>
    /// Joins stores under their contexts, which stay as they are: entries of both stay, and entries of one side whose dots the other
    /// has not seen. True if this one changed.
    /// </summary>
    bool Join(CausalContext mine, TSelf other, CausalContext theirs);

    /// <summary>The entries whose dots are not in a context, as a new store.</summary>
    TSelf Unseen(CausalContext known);

    /// <summary>Lists the dots in the store, or those of them that are in <paramref name="among"/>.</summary>
    void ListDots(List<Dot> dots, CausalContext? among = null);

    /// <summary>Each dot with the store that holds just it.</summary>
    IEnumerable<(Dot Dot, TSelf Part)> Parts();

    /// <summary>Writes the store after its context.</summary>
    void Write(CodecWriter writer, CausalContext context);

    /// <summary>Reads a store after its context; null or a failed reader if it is not what is written of any store.</summary>
    TSelf? Read(ref CodecReader reader, CausalContext context);
}

/// <summary>What a mutator changes: a store to join, and every dot that this change makes or replaces.</summary>
public readonly record struct Change<TStore>(TStore Store, CausalContext Seen);

/// <summary>Fresh dots of one replica for one change, above everything that its context has seen of it.</summary>
public sealed class DotSource(CausalContext context, ReplicaId replica)
{
    private Dot _next = context.Next(replica);

    /// <summary>A dot that was never used.</summary>
    public Dot Next()
    {
        var dot = _next;
        _next = dot with { Counter = checked(dot.Counter + 1) };
        return dot;
    }
}
