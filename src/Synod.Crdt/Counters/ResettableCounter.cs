namespace Synod.Crdt;

/// <summary>
/// A counter that can be reset, by itself or as a value of a map: each increment has a dot, and a reset removes those it has seen. An
/// increment that is concurrent with a reset is all that stays. A plain <see cref="PnCounter"/> under a removable key would come
/// back with its whole old value.
/// </summary>
public sealed class ResettableCounter : Causal<ResettableCounter, DotFun<long>>
{
    public ResettableCounter()
        : this(new(Wires.Int64), new())
    {
    }

    private ResettableCounter(DotFun<long> store, CausalContext context)
        : base(store, context)
    {
    }

    public override byte Tag => Tags.ResettableCounter;

    public Int128 Value => Sum(Store);

    /// <summary>Increments that are kept one by one; <see cref="Fold"/> makes them fewer.</summary>
    public int Parts => Store.Values.Count;

    /// <summary>Adds an amount, which may be negative.</summary>
    public ResettableCounter Add(ReplicaId replica, long amount) => Apply(Increment(Store, Fresh(replica), amount));

    /// <summary>Takes back every increment that this replica has seen.</summary>
    public ResettableCounter Reset() => Apply(Store.Clear());

    /// <summary>
    /// Puts one increment in the place of all that this replica has made. A reset that is concurrent with this loses against all of
    /// them: fold rarely, and when everybody has seen them.
    /// </summary>
    public ResettableCounter Fold(ReplicaId replica) => Apply(FoldOwn(Store, Fresh(replica), replica));

    public override string ToString() => $"{Value}";

    /// <summary>The value of a counter's store.</summary>
    public static Int128 Sum(DotFun<long> store)
    {
        Int128 sum = 0;
        foreach (var (_, amount) in store.Entries)
        {
            sum += amount;
        }

        return sum;
    }

    /// <summary>An increment, for a counter that is a value of a map.</summary>
    public static Change<DotFun<long>> Increment(DotFun<long> store, DotSource source, long amount) => store.Write(source, amount);

    /// <summary>What <see cref="Fold"/> does, for a counter that is a value of a map.</summary>
    public static Change<DotFun<long>> FoldOwn(DotFun<long> store, DotSource source, ReplicaId replica)
    {
        var own = store.Entries.Where(entry => entry.Key.Replica == replica).ToList();
        return own.Count < 2
            ? new(store.Empty(), new())
            : store.Write(source, own.Aggregate(0L, (sum, entry) => checked(sum + entry.Value)), own.Select(entry => entry.Key));
    }

    protected override ResettableCounter With(DotFun<long> store, CausalContext context) => new(store, context);
}
