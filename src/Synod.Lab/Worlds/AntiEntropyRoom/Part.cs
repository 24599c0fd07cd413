using Synod.Core;
using Synod.Crdt;

namespace Synod.Lab.Worlds.AntiEntropyRoom;

/// <summary>One convergent object among several of other types that are replicated together.</summary>
internal abstract class Part
{
    public abstract bool IsBottom { get; }

    /// <summary>What it has seen; null if its type has no such thing.</summary>
    public abstract CausalContext? Context { get; }

    public abstract Part Bottom();

    public abstract void Join(Part other);

    public abstract Part Minus(Part known);

    /// <summary>What somebody lacks who has seen that; all of it for a type without a context.</summary>
    public abstract Part MissingTo(CausalContext seen);

    public abstract void Write(CodecWriter writer);

    public abstract Part? Read(ref CodecReader reader);
}

/// <summary>An object of any type.</summary>
internal class Part<T>(T state) : Part
    where T : class, ILattice<T>
{
    public T State => state;

    public override bool IsBottom => state.IsBottom;

    public override CausalContext? Context => null;

    public override Part Bottom() => Of(state.Bottom());

    public override void Join(Part other) => state.Join(((Part<T>)other).State);

    public override Part Minus(Part known) => Of(state.Minus(((Part<T>)known).State));

    public override Part MissingTo(CausalContext seen) => Of(state.Copy());

    public override void Write(CodecWriter writer) => StateCodec.Write(writer, state);

    public override Part? Read(ref CodecReader reader) =>
        StateCodec.Read(state, ref reader, out var read) == Decoding.Ok ? Of(read!) : null;

    protected virtual Part Of(T other) => new Part<T>(other);
}

/// <summary>An object that knows which events it has seen.</summary>
internal sealed class CausalPart<T, TStore>(T state) : Part<T>(state)
    where T : Causal<T, TStore>
    where TStore : class, IDotStore<TStore>
{
    public override CausalContext Context => State.Context;

    public override Part MissingTo(CausalContext seen) => Of(State.MissingTo(seen));

    protected override Part Of(T other) => new CausalPart<T, TStore>(other);
}
