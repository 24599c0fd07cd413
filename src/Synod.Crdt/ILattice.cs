using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A state of a convergent type: an element of a join semilattice (Shapiro et al. 2011), whose deltas are states of the same type
/// (Almeida, Shoker, Baquero 2018). Replicas that joined the same deltas are equal, in whatever order, however often.
/// <para>
/// States are mutable and owned by whoever made them: nothing that changes is shared between two of them. Mutators change the state
/// they are called on and return the delta, with <c>m(X) = X ⊔ delta</c>. A delta must be durable, with the state, before it is sent.
/// </para>
/// An instance also serves as the prototype of its type: <see cref="Bottom"/> and <see cref="Read"/> make states like it.
/// </summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
public interface ILattice<TSelf>
    where TSelf : class, ILattice<TSelf>
{
    /// <summary>Tells types apart in what is written; 128 and above are for users' own types.</summary>
    byte Tag { get; }

    /// <summary>Whether this is the least state, which adds nothing to any other.</summary>
    bool IsBottom { get; }

    /// <summary>A new least state with the same parameters.</summary>
    TSelf Bottom();

    /// <summary>Becomes the least upper bound of both. True if that is more than it was; <paramref name="other"/> is left alone.</summary>
    bool Join(TSelf other);

    /// <summary>The order: joining this to <paramref name="other"/> would change nothing.</summary>
    bool LessOrEqual(TSelf other);

    /// <summary>
    /// The part of this that <paramref name="known"/> lacks: the join of those of <see cref="Decompose"/>'s parts that are not in it
    /// (Enes et al. 2019). Bottom if nothing is missing.
    /// </summary>
    TSelf Minus(TSelf known);

    /// <summary>Parts that cannot be cut further and whose join is this state.</summary>
    IEnumerable<TSelf> Decompose();

    /// <summary>Writes the state: equal states in equal bytes.</summary>
    void Write(CodecWriter writer);

    /// <summary>
    /// Reads a state of this type. Null or a failed reader if the input is malformed or not what <see cref="Write"/> would write of
    /// any state.
    /// </summary>
    TSelf? Read(ref CodecReader reader);
}

/// <summary>A state that carries timestamps of clocks, which a receiver compares with its own clock before it joins.</summary>
public interface ITimestamped
{
    /// <summary>The largest timestamp in the state. Refuse the state if <see cref="HybridClock.Observe"/> does.</summary>
    HybridTimestamp Newest { get; }
}

/// <summary>What follows from the lattice operations, for every type alike.</summary>
public static class LatticeExtensions
{
    /// <summary>An equal state that shares nothing with this one.</summary>
    public static T Copy<T>(this T state)
        where T : class, ILattice<T>
    {
        var copy = state.Bottom();
        copy.Join(state);
        return copy;
    }

    /// <summary>The least upper bound of both, as a new state.</summary>
    public static T Joined<T>(this T state, T other)
        where T : class, ILattice<T>
    {
        var joined = state.Copy();
        joined.Join(other);
        return joined;
    }
}
