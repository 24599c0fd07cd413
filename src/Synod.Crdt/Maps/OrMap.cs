using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A map of causal values under one context for all of it (Almeida et al. 2018, §7.4). A concurrent update of a key wins over its
/// removal, with exactly what the removal has not seen: the rest of the value is reset.
/// <para>
/// Values are stores: <see cref="AddWinsStore{T}"/>, <see cref="DotFun{T}"/>, <see cref="DotSet"/>, <see cref="DotMap{TKey,TValue}"/> or
/// <see cref="Field"/>, which is any of them.
/// </para>
/// </summary>
public sealed class OrMap<TKey, TValue> : Causal<OrMap<TKey, TValue>, DotMap<TKey, TValue>>
    where TKey : notnull, IEquatable<TKey>
    where TValue : class, IDotStore<TValue>
{
    public OrMap(IWire<TKey> wire, TValue prototype)
        : this(new DotMap<TKey, TValue>(wire, prototype), new())
    {
    }

    private OrMap(DotMap<TKey, TValue> store, CausalContext context)
        : base(store, context)
    {
    }

    public override byte Tag => Tags.OrMap;

    public int Count => Store.Count;

    /// <summary>The keys, in no particular order.</summary>
    public IReadOnlyCollection<TKey> Keys => Store.Keys;

    /// <summary>What is under a key, for reading; null if nothing is.</summary>
    public TValue? this[TKey key] => Store[key];

    /// <summary>Makes a change to what is under a key, with the fresh dots it asks the source for.</summary>
    public OrMap<TKey, TValue> Update(ReplicaId replica, TKey key, Func<TValue, DotSource, Change<TValue>> change) =>
        Apply(Store.Update(Fresh(replica), key, change));

    /// <summary>Removes a key as far as this replica has seen what is under it.</summary>
    public OrMap<TKey, TValue> Remove(TKey key) => Apply(Store.Remove(key));

    protected override OrMap<TKey, TValue> With(DotMap<TKey, TValue> store, CausalContext context) => new(store, context);
}
