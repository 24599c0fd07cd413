namespace Synod.Core;

/// <summary>A position in a replicated log. The first command sits in slot 1; 0 means "none yet".</summary>
public readonly record struct Slot(long Value) : IComparable<Slot>
{
    public static Slot None => default;

    public Slot Next => new(checked(Value + 1));

    public Slot Previous => new(Value - 1);

    public int CompareTo(Slot other) => Value.CompareTo(other.Value);

    public static bool operator <(Slot left, Slot right) => left.Value < right.Value;

    public static bool operator >(Slot left, Slot right) => left.Value > right.Value;

    public static bool operator <=(Slot left, Slot right) => left.Value <= right.Value;

    public static bool operator >=(Slot left, Slot right) => left.Value >= right.Value;

    public static Slot Max(Slot left, Slot right) => left > right ? left : right;

    public override string ToString() => $"#{Value}";
}
