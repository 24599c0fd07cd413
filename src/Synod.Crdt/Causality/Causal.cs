using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A store of dots with the context of all that was ever in it: what is in the context and not in the store was removed. So nothing
/// that was removed needs a tombstone, and a removal wins over exactly what it has seen.
/// </summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
/// <typeparam name="TStore">What it keeps for its dots.</typeparam>
public abstract class Causal<TSelf, TStore>(TStore store, CausalContext context) : ILattice<TSelf>
    where TSelf : Causal<TSelf, TStore>
    where TStore : class, IDotStore<TStore>
{
    public abstract byte Tag { get; }

    /// <summary>Every dot that this state has seen; for reading.</summary>
    public CausalContext Context { get; } = context;

    public bool IsBottom => Context.IsEmpty;

    protected TStore Store { get; } = store;

    public TSelf Bottom() => With(Store.Empty(), new CausalContext());

    public bool Join(TSelf other)
    {
        var changed = Store.Join(Context, other.Store, other.Context);
        return Context.Join(other.Context) | changed;
    }

    public bool LessOrEqual(TSelf other)
    {
        if (!Context.LessOrEqual(other.Context))
        {
            return false;
        }

        var live = new List<Dot>();
        other.Store.ListDots(live, Removed());
        return live.Count == 0;
    }

    public TSelf Minus(TSelf known)
    {
        var missing = Store.Unseen(known.Context);
        var removed = Removed();
        var dots = new List<Dot>();
        missing.ListDots(dots);
        known.Store.ListDots(dots, removed);
        var seen = CausalContext.Of(dots);
        seen.Join(removed.Minus(known.Context));
        return With(missing, seen);
    }

    /// <summary>
    /// What somebody lacks who has told only his context, and whatever was removed here of what he has seen: the answer to a digest.
    /// </summary>
    public TSelf MissingTo(CausalContext digest)
    {
        var missing = Store.Unseen(digest);
        var dots = new List<Dot>();
        missing.ListDots(dots);
        var seen = CausalContext.Of(dots);
        seen.Join(Removed());
        return With(missing, seen);
    }

    public IEnumerable<TSelf> Decompose()
    {
        foreach (var (dot, part) in Store.Parts())
        {
            yield return With(part, CausalContext.Of(dot));
        }

        foreach (var dot in Removed().Dots())
        {
            yield return With(Store.Empty(), CausalContext.Of(dot));
        }
    }

    public void Write(CodecWriter writer)
    {
        Context.Write(writer);
        Store.Write(writer, Context);
    }

    public TSelf? Read(ref CodecReader reader)
    {
        var context = CausalContext.Read(ref reader);
        var store = reader.Failed ? null : Store.Read(ref reader, context);
        return store is null || reader.Failed || UsesADotTwice(store) ? null : With(store, context);
    }

    public override string ToString() => $"{Store}";

    protected abstract TSelf With(TStore store, CausalContext context);

    /// <summary>Makes a change to this state and returns it as a delta.</summary>
    protected TSelf Apply(Change<TStore> change)
    {
        var delta = With(change.Store, change.Seen);
        Join(delta);
        return delta;
    }

    /// <summary>A source of dots that were never used; for one change.</summary>
    protected DotSource Fresh(ReplicaId replica) => new(Context, replica);

    private static bool UsesADotTwice(TStore store)
    {
        var dots = new List<Dot>();
        store.ListDots(dots);
        return CausalContext.Of(dots).DotCount != (ulong)dots.Count;
    }

    private CausalContext Removed()
    {
        var live = new List<Dot>();
        Store.ListDots(live);
        return Context.Minus(CausalContext.Of(live));
    }
}
