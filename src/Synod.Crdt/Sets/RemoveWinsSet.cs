using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A set in which a removal wins over an add that has not seen it. A removal has a dot as an add has; it stays until it is replaced by
/// an add that has seen it, or is stable: <see cref="Compact"/>.
/// </summary>
public sealed class RemoveWinsSet<T> : Causal<RemoveWinsSet<T>, DotMap<T, DotPair<DotSet, DotSet>>>
    where T : notnull, IEquatable<T>
{
    public RemoveWinsSet(IWire<T> wire)
        : this(new(wire, new(new DotSet(), new DotSet())), new())
    {
    }

    private RemoveWinsSet(DotMap<T, DotPair<DotSet, DotSet>> store, CausalContext context)
        : base(store, context)
    {
    }

    public override byte Tag => Tags.RemoveWinsSet;

    /// <summary>The elements, in no particular order.</summary>
    public IEnumerable<T> Elements => Store.Keys.Where(Contains);

    /// <summary>Elements whose removal is still remembered.</summary>
    public int Tombstones => Store.Keys.Count(element => !Contains(element));

    public bool Contains(T element) => Store[element] is { } marks && !marks.First.IsEmpty && marks.Second.IsEmpty;

    /// <summary>Adds an element; a removal that this replica has not seen wins over it.</summary>
    public RemoveWinsSet<T> Add(ReplicaId replica, T element) => Apply(Store.Update(
        Fresh(replica), element, static (marks, source) => Replace(marks, marks.OfFirst(marks.First.Raise(source)))));

    /// <summary>Removes an element, also one that only others have added so far.</summary>
    public RemoveWinsSet<T> Remove(ReplicaId replica, T element) => Apply(Store.Update(
        Fresh(replica), element, static (marks, source) => Replace(marks, marks.OfSecond(marks.Second.Raise(source)))));

    /// <summary>
    /// Forgets the removals that every replica has seen, with what they removed: whoever adds the element again has seen them. The
    /// delta carries this to the others, who would come to the same.
    /// </summary>
    /// <param name="stable">What every replica has seen; see <see cref="CausalStability"/>.</param>
    public RemoveWinsSet<T> Compact(CausalContext stable)
    {
        var dots = new List<Dot>();
        foreach (var element in Store.Keys)
        {
            var own = new List<Dot>();
            Store[element]!.ListDots(own);
            if (!Contains(element) && own.TrueForAll(stable.Contains))
            {
                dots.AddRange(own);
            }
        }

        return Apply(new(Store.Empty(), CausalContext.Of(dots)));
    }

    public override string ToString() => $"{{{string.Join(", ", Elements.Select(element => $"{element}").Order(StringComparer.Ordinal))}}}";

    protected override RemoveWinsSet<T> With(DotMap<T, DotPair<DotSet, DotSet>> store, CausalContext context) => new(store, context);

    /// <summary>A change that takes the place of all adds and removals of the element.</summary>
    private static Change<DotPair<DotSet, DotSet>> Replace(
        DotPair<DotSet, DotSet> marks, Change<DotPair<DotSet, DotSet>> change)
    {
        var replaced = new List<Dot>();
        marks.ListDots(replaced);
        change.Seen.Join(CausalContext.Of(replaced));
        return change;
    }
}
