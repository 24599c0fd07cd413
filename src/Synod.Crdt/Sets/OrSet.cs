using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A set in which an add wins over a removal that has not seen it (Bieniusa et al. 2012; Almeida et al. 2018, §7.3). Removed elements
/// leave nothing behind but their dots in the context, which are a number for each replica.
/// </summary>
public sealed class OrSet<T> : Causal<OrSet<T>, AddWinsStore<T>>
    where T : notnull, IEquatable<T>
{
    public OrSet(IWire<T> wire)
        : this(new AddWinsStore<T>(wire), new())
    {
    }

    private OrSet(AddWinsStore<T> store, CausalContext context)
        : base(store, context)
    {
    }

    public override byte Tag => Tags.OrSet;

    public int Count => Store.Count;

    /// <summary>The elements, in no particular order.</summary>
    public IReadOnlyCollection<T> Elements => Store.Elements;

    public bool Contains(T element) => Store.Contains(element);

    /// <summary>Adds an element, also one that is there: an add that is not seen by a concurrent removal survives it.</summary>
    public OrSet<T> Add(ReplicaId replica, T element)
    {
        var (store, seen) = Store.AddHere(Context, replica, element);
        return new(store, seen);
    }

    /// <summary>Removes an element as far as this replica has seen it; removing one that it has not seen does nothing.</summary>
    public OrSet<T> Remove(T element) => Apply(Store.Remove(element));

    /// <summary>Removes every element that this replica has seen.</summary>
    public OrSet<T> Clear() => Apply(Store.Clear());

    protected override OrSet<T> With(AddWinsStore<T> store, CausalContext context) => new(store, context);
}
