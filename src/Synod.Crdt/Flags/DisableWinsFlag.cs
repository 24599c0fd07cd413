namespace Synod.Crdt;

/// <summary>A flag, on at first, that stays off if somebody disables it while somebody else enables it.</summary>
public sealed class DisableWinsFlag : Causal<DisableWinsFlag, DotSet>
{
    public DisableWinsFlag()
        : this(new(), new())
    {
    }

    private DisableWinsFlag(DotSet store, CausalContext context)
        : base(store, context)
    {
    }

    public override byte Tag => Tags.DisableWinsFlag;

    public bool IsEnabled => Store.IsEmpty;

    /// <summary>Enables it as far as it was seen to be disabled.</summary>
    public DisableWinsFlag Enable() => Apply(Store.Lower());

    public DisableWinsFlag Disable(ReplicaId replica) => Apply(Store.Raise(Fresh(replica)));

    public override string ToString() => IsEnabled ? "on" : "off";

    protected override DisableWinsFlag With(DotSet store, CausalContext context) => new(store, context);
}
