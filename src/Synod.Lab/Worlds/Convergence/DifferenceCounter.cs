using System.Globalization;
using Synod.Core;
using Synod.Crdt;

namespace Synod.Lab.Worlds.Convergence;

/// <summary>A counter that keeps the difference of each replica and joins by the larger: what was taken comes back.</summary>
internal sealed class DifferenceCounter : ILattice<DifferenceCounter>
{
    private readonly SortedDictionary<ReplicaId, long> _values = [];

    public byte Tag => 201;

    public bool IsBottom => _values.Count == 0;

    public long Value => _values.Values.Sum();

    public DifferenceCounter Add(ReplicaId replica, long amount)
    {
        var delta = Bottom();
        delta._values[replica] = _values[replica] = _values.GetValueOrDefault(replica) + amount;
        return delta;
    }

    public DifferenceCounter Bottom() => new();

    public bool Join(DifferenceCounter other)
    {
        var changed = false;
        foreach (var (replica, value) in other._values)
        {
            if (!_values.TryGetValue(replica, out var own) || own < value)
            {
                _values[replica] = value;
                changed = true;
            }
        }

        return changed;
    }

    public bool LessOrEqual(DifferenceCounter other) =>
        _values.All(item => other._values.TryGetValue(item.Key, out var value) && item.Value <= value);

    public DifferenceCounter Minus(DifferenceCounter known)
    {
        var rest = Bottom();
        foreach (var part in Decompose().Where(part => !part.LessOrEqual(known)))
        {
            rest.Join(part);
        }

        return rest;
    }

    public IEnumerable<DifferenceCounter> Decompose()
    {
        foreach (var (replica, value) in _values)
        {
            var part = Bottom();
            part._values[replica] = value;
            yield return part;
        }
    }

    public void Write(CodecWriter writer)
    {
        writer.Unsigned((ulong)_values.Count);
        foreach (var (replica, value) in _values)
        {
            writer.Replica(replica);
            writer.Signed(value);
        }
    }

    public DifferenceCounter? Read(ref CodecReader reader)
    {
        var counter = Bottom();
        for (var count = reader.Count(); count > 0; count--)
        {
            counter._values[reader.Replica()] = reader.Signed();
        }

        return counter;
    }

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
