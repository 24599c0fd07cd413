namespace Synod.Crdt;

/// <summary>The tags of the types here. A number is never given to another type.</summary>
internal static class Tags
{
    public const byte GCounter = 1;
    public const byte PnCounter = 2;
    public const byte BoundedCounter = 3;
    public const byte ResettableCounter = 4;
    public const byte LwwRegister = 5;
    public const byte MvRegister = 6;
    public const byte EnableWinsFlag = 7;
    public const byte DisableWinsFlag = 8;
    public const byte GSet = 9;
    public const byte TwoPhaseSet = 10;
    public const byte LwwElementSet = 11;
    public const byte OrSet = 12;
    public const byte RemoveWinsSet = 13;
    public const byte OrMap = 14;
    public const byte Sequence = 15;
}
