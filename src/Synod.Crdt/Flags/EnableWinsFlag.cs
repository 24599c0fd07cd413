namespace Synod.Crdt;

/// <summary>A flag, off at first, that stays on if somebody enables it while somebody else disables it.</summary>
public sealed class EnableWinsFlag : Causal<EnableWinsFlag, DotSet>
{
    public EnableWinsFlag()
        : this(new(), new())
    {
    }

    private EnableWinsFlag(DotSet store, CausalContext context)
        : base(store, context)
    {
    }

    public override byte Tag => Tags.EnableWinsFlag;

    public bool IsEnabled => !Store.IsEmpty;

    public EnableWinsFlag Enable(ReplicaId replica) => Apply(Store.Raise(Fresh(replica)));

    /// <summary>Disables it as far as it was seen to be enabled.</summary>
    public EnableWinsFlag Disable() => Apply(Store.Lower());

    protected override EnableWinsFlag With(DotSet store, CausalContext context) => new(store, context);
}
