using Synod.Core;

namespace Synod.Crdt;

/// <summary>A set from which an element is removed once and for all: what was removed cannot be added again, by anyone.</summary>
public sealed class TwoPhaseSet<T> : ILattice<TwoPhaseSet<T>>
    where T : notnull, IEquatable<T>
{
    private readonly GSet<T> _added;
    private readonly GSet<T> _removed;

    public TwoPhaseSet(IWire<T> wire)
        : this(new GSet<T>(wire), new GSet<T>(wire))
    {
    }

    private TwoPhaseSet(GSet<T> added, GSet<T> removed) => (_added, _removed) = (added, removed);

    public byte Tag => Tags.TwoPhaseSet;

    public bool IsBottom => _added.IsBottom && _removed.IsBottom;

    /// <summary>The elements, in no particular order.</summary>
    public IEnumerable<T> Elements => _added.Elements.Where(Contains);

    public bool Contains(T element) => _added.Contains(element) && !_removed.Contains(element);

    /// <summary>Whether an element was removed: adding it does nothing.</summary>
    public bool IsRemoved(T element) => _removed.Contains(element);

    public TwoPhaseSet<T> Add(T element) => new(_added.Add(element), _removed.Bottom());

    /// <summary>Removes an element that is there; the delta is empty if it is not.</summary>
    public TwoPhaseSet<T> Remove(T element) =>
        Contains(element) ? new(_added.Bottom(), _removed.Add(element)) : Bottom();

    public TwoPhaseSet<T> Bottom() => new(_added.Bottom(), _removed.Bottom());

    public bool Join(TwoPhaseSet<T> other) => _added.Join(other._added) | _removed.Join(other._removed);

    public bool LessOrEqual(TwoPhaseSet<T> other) => _added.LessOrEqual(other._added) && _removed.LessOrEqual(other._removed);

    public TwoPhaseSet<T> Minus(TwoPhaseSet<T> known) => new(_added.Minus(known._added), _removed.Minus(known._removed));

    public IEnumerable<TwoPhaseSet<T>> Decompose() =>
        _added.Decompose().Select(part => new TwoPhaseSet<T>(part, _removed.Bottom()))
            .Concat(_removed.Decompose().Select(part => new TwoPhaseSet<T>(_added.Bottom(), part)));

    public void Write(CodecWriter writer)
    {
        _added.Write(writer);
        _removed.Write(writer);
    }

    public TwoPhaseSet<T>? Read(ref CodecReader reader)
    {
        var added = _added.Read(ref reader);
        var removed = _removed.Read(ref reader);
        return added is null || removed is null ? null : new(added, removed);
    }

    public override string ToString() => $"{_added} without {_removed}";
}
