using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A counter that goes up and down: what each replica has added and what it has taken, each joined by the larger. Their difference
/// is never stored: the larger of two differences would lose whatever was taken.
/// </summary>
public sealed class PnCounter : ILattice<PnCounter>
{
    private readonly GCounter _added;
    private readonly GCounter _taken;

    public PnCounter()
        : this(new GCounter(), new GCounter())
    {
    }

    private PnCounter(GCounter added, GCounter taken) => (_added, _taken) = (added, taken);

    public byte Tag => Tags.PnCounter;

    public bool IsBottom => _added.IsBottom && _taken.IsBottom;

    public Int128 Value => (Int128)_added.Value - (Int128)_taken.Value;

    /// <summary>Adds an amount, which may be negative.</summary>
    /// <exception cref="OverflowException">The replica would have added or taken more than <see cref="Dot.MaxCounter"/>.</exception>
    public PnCounter Add(ReplicaId replica, long amount) => amount >= 0
        ? new(_added.Increment(replica, (ulong)amount), new())
        : new(new(), _taken.Increment(replica, (ulong)checked(-amount)));

    public PnCounter Bottom() => new();

    public bool Join(PnCounter other) => _added.Join(other._added) | _taken.Join(other._taken);

    public bool LessOrEqual(PnCounter other) => _added.LessOrEqual(other._added) && _taken.LessOrEqual(other._taken);

    public PnCounter Minus(PnCounter known) => new(_added.Minus(known._added), _taken.Minus(known._taken));

    public IEnumerable<PnCounter> Decompose() =>
        _added.Decompose().Select(static part => new PnCounter(part, new()))
            .Concat(_taken.Decompose().Select(static part => new PnCounter(new(), part)));

    public void Write(CodecWriter writer)
    {
        _added.Write(writer);
        _taken.Write(writer);
    }

    public PnCounter? Read(ref CodecReader reader)
    {
        var added = _added.Read(ref reader);
        var taken = _taken.Read(ref reader);
        return added is null || taken is null ? null : new(added, taken);
    }

    public override string ToString() => $"{Value}";
}
