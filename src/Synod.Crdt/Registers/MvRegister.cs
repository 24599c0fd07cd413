using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A register that keeps every value of concurrent writes, for the reader to resolve by writing again. Each value has a dot of its
/// own, so that a write replaces exactly what it has seen and siblings do not multiply.
/// </summary>
public sealed class MvRegister<T> : Causal<MvRegister<T>, DotFun<T>>
    where T : notnull
{
    public MvRegister(IWire<T> wire)
        : this(new DotFun<T>(wire), new())
    {
    }

    private MvRegister(DotFun<T> store, CausalContext context)
        : base(store, context)
    {
    }

    public override byte Tag => Tags.MvRegister;

    /// <summary>The values that no other write has seen: none before the first write, several after concurrent ones.</summary>
    public IReadOnlyList<T> Values => Store.Values;

    /// <summary>Writes a value in the place of all that are visible here.</summary>
    public MvRegister<T> Set(ReplicaId replica, T value) => Apply(Store.WriteAll(Fresh(replica), value));

    /// <summary>Removes the values that are visible here.</summary>
    public MvRegister<T> Clear() => Apply(Store.Clear());

    protected override MvRegister<T> With(DotFun<T> store, CausalContext context) => new(store, context);
}
