using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A register of which the last write wins, by hybrid logical clocks. Of two concurrent writes one is lost without a trace: that is
/// its specification. Where both matter, <see cref="MvRegister{T}"/> keeps them.
/// </summary>
public sealed class LwwRegister<T>(IWire<T> wire) : ILattice<LwwRegister<T>>, ITimestamped
    where T : notnull
{
    private T? _value;

    public byte Tag => Tags.LwwRegister;

    public bool IsBottom => Stamp.IsNone;

    /// <summary>When the value was written, and by whom; <see cref="Crdt.Stamp.None"/> if it never was.</summary>
    public Stamp Stamp { get; private set; }

    public HybridTimestamp Newest => Stamp.Time;

    /// <summary>The value, if there is one.</summary>
    public bool TryGet(out T value)
    {
        value = _value!;
        return !IsBottom;
    }

    /// <summary>
    /// Writes a value at <paramref name="now"/>, or just after the write that it replaces if our clock is behind that: a write never
    /// loses to the value it has seen.
    /// </summary>
    public LwwRegister<T> Set(ReplicaId replica, HybridTimestamp now, T value)
    {
        var delta = new LwwRegister<T>(wire) { _value = value, Stamp = Stamp.After(now, replica) };
        Invariant.Check(Join(delta), "WriteWinsOverWhatItHasSeen");
        return delta;
    }

    public LwwRegister<T> Bottom() => new(wire);

    public bool Join(LwwRegister<T> other)
    {
        if (other.LessOrEqual(this))
        {
            return false;
        }

        (_value, Stamp) = (other._value, other.Stamp);
        return true;
    }

    // A replica never gives one stamp to two values. Should somebody forge one, all replicas still choose the same.
    public bool LessOrEqual(LwwRegister<T> other)
    {
        var order = Stamp.CompareTo(other.Stamp);
        return order != 0 ? order < 0 : IsBottom || Canonical.Compare(_value!, other._value!, wire) <= 0;
    }

    public LwwRegister<T> Minus(LwwRegister<T> known) => LessOrEqual(known) ? Bottom() : this.Copy();

    public IEnumerable<LwwRegister<T>> Decompose() => IsBottom ? [] : [this.Copy()];

    public void Write(CodecWriter writer)
    {
        writer.Bool(!IsBottom);
        if (!IsBottom)
        {
            Stamp.Write(writer);
            writer.Value(_value!, wire);
        }
    }

    public LwwRegister<T>? Read(ref CodecReader reader)
    {
        var register = Bottom();
        if (reader.Bool())
        {
            register.Stamp = Stamp.Read(ref reader);
            register._value = reader.Value(wire);
        }

        return reader.Failed ? null : register;
    }

    public override string ToString() => IsBottom ? "-" : $"{_value}@{Stamp}";
}
