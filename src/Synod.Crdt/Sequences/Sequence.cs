using System.Text;
using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A list or text that many edit at once (Fugue; Weidner, Kleppmann 2023). Each element has its place beside one that was there when it
/// was inserted, so runs that are typed at the same place at the same time do not mix. A deleted element stays, unseen, until every
/// replica has seen its deletion: <see cref="Compact"/>.
/// <para>
/// To move an element by deleting and inserting it makes two of it if two do so at once: keep positions in
/// <see cref="LwwRegister{T}"/>s if elements move.
/// </para>
/// </summary>
public sealed class Sequence<T> : Causal<Sequence<T>, SequenceStore<T>>
    where T : notnull
{
    public Sequence(IWire<T> wire)
        : this(new SequenceStore<T>(wire), new())
    {
    }

    private Sequence(SequenceStore<T> store, CausalContext context)
        : base(store, context)
    {
    }

    public override byte Tag => Tags.Sequence;

    public int Count => Store.Count;

    /// <summary>Deleted elements that are still kept.</summary>
    public int Tombstones => Store.Tombstones;

    /// <summary>Elements that are not shown because what they stand beside has not arrived: none if deltas come in causal order.</summary>
    public int Waiting => Store.Waiting;

    /// <summary>The values in order.</summary>
    public IEnumerable<T> Values => Store.Elements.Select(element => element.Value);

    public T this[int index] => Store.At(index).Value;

    /// <summary>The name of the element at an index: it stays the same wherever the element goes.</summary>
    public Dot IdAt(int index) => Store.At(index).Id;

    /// <summary>Where the element of a name is now, or would be if it was not deleted; null if it is not here.</summary>
    public int? IndexOf(Dot id) => Store.IndexOf(id);

    /// <summary>Inserts values before the element at an index, or at the end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside.</exception>
    public Sequence<T> Insert(ReplicaId replica, int index, params IReadOnlyList<T> values) => Apply(Store.Insert(Fresh(replica), index, values));

    /// <summary>Deletes elements from an index on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    public Sequence<T> Delete(ReplicaId replica, int index, int count = 1) => Apply(Store.Delete(Fresh(replica), index, count));

    /// <summary>Drops deleted elements whose deletion every replica has seen and that nothing stands beside any more.</summary>
    /// <param name="stable">What every replica has seen; see <see cref="CausalStability"/>.</param>
    public Sequence<T> Compact(CausalContext stable) => Apply(Store.Compact(stable));

    protected override Sequence<T> With(SequenceStore<T> store, CausalContext context) => new(store, context);
}

/// <summary>Texts: sequences of Unicode scalar values.</summary>
public static class TextExtensions
{
    /// <summary>Inserts a text before the scalar value at an index.</summary>
    public static Sequence<Rune> Insert(this Sequence<Rune> sequence, ReplicaId replica, int index, string text) =>
        sequence.Insert(replica, index, [.. text.EnumerateRunes()]);
}
