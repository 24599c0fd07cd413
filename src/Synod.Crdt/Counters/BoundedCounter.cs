using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A counter that never falls below zero, without asking anyone (Balegas et al. 2015): a replica takes only what it has the right to
/// take. Who adds has the right to as much, and may hand it on.
/// </summary>
public sealed class BoundedCounter : ILattice<BoundedCounter>
{
    /// <summary>
    /// Rights by who gave them to whom, in all, joined by the larger; what a replica gave to itself is what it has added. Only the
    /// giver raises an entry.
    /// </summary>
    private readonly SortedList<(ReplicaId From, ReplicaId To), ulong> _rights = [];

    private readonly GCounter _taken;

    public BoundedCounter()
        : this(new GCounter())
    {
    }

    private BoundedCounter(GCounter taken) => _taken = taken;

    public byte Tag => Tags.BoundedCounter;

    public bool IsBottom => _rights.Count == 0 && _taken.IsBottom;

    /// <summary>What was added without what was taken: zero or more, at every replica at any time.</summary>
    public Int128 Value
    {
        get
        {
            Int128 value = -(Int128)_taken.Value;
            foreach (var ((from, to), amount) in _rights)
            {
                value += from == to ? amount : 0;
            }

            return value;
        }
    }

    /// <summary>How much a replica may take or hand on.</summary>
    public Int128 RightsOf(ReplicaId replica)
    {
        Int128 rights = -(Int128)_taken[replica];
        foreach (var ((from, to), amount) in _rights)
        {
            rights += to == replica ? amount : 0;
            rights -= from == replica && to != replica ? amount : 0;
        }

        return rights;
    }

    /// <summary>Adds an amount, and the right to take it again.</summary>
    /// <exception cref="OverflowException">The replica would have added more than <see cref="Dot.MaxCounter"/>.</exception>
    public BoundedCounter Increment(ReplicaId replica, ulong amount) => Give(replica, replica, amount);

    /// <summary>Takes an amount. False, and nothing changes, if the replica has not the right to so much.</summary>
    public bool TryDecrement(ReplicaId replica, ulong amount, out BoundedCounter delta)
    {
        var may = RightsOf(replica) >= amount;
        delta = may ? new(_taken.Increment(replica, amount)) : Bottom();
        return may;
    }

    /// <summary>Hands rights on to another replica. False, and nothing changes, if the replica has not so many.</summary>
    public bool TryTransfer(ReplicaId from, ReplicaId to, ulong amount, out BoundedCounter delta)
    {
        var may = from != to && RightsOf(from) >= amount;
        delta = may ? Give(from, to, amount) : Bottom();
        return may;
    }

    /// <summary>
    /// Hands on what a removed replica has left. Only for one replica, chosen when the removal was agreed on, and after everybody has
    /// fenced the removed one: two writers of one entry would give the same rights twice.
    /// </summary>
    public BoundedCounter Inherit(ReplicaId removed, ReplicaId heir) =>
        RightsOf(removed) > 0 ? Give(removed, heir, (ulong)RightsOf(removed)) : Bottom();

    public BoundedCounter Bottom() => new();

    public bool Join(BoundedCounter other)
    {
        var changed = _taken.Join(other._taken);
        foreach (var (pair, amount) in other._rights)
        {
            if (amount > _rights.GetValueOrDefault(pair))
            {
                _rights[pair] = amount;
                changed = true;
            }
        }

        return changed;
    }

    public bool LessOrEqual(BoundedCounter other) =>
        _taken.LessOrEqual(other._taken) && _rights.All(item => item.Value <= other._rights.GetValueOrDefault(item.Key));

    public BoundedCounter Minus(BoundedCounter known)
    {
        var rest = new BoundedCounter(_taken.Minus(known._taken));
        foreach (var (pair, amount) in _rights)
        {
            if (amount > known._rights.GetValueOrDefault(pair))
            {
                rest._rights.Add(pair, amount);
            }
        }

        return rest;
    }

    public IEnumerable<BoundedCounter> Decompose()
    {
        foreach (var (pair, amount) in _rights)
        {
            var part = new BoundedCounter();
            part._rights.Add(pair, amount);
            yield return part;
        }

        foreach (var part in _taken.Decompose())
        {
            yield return new(part);
        }
    }

    public void Write(CodecWriter writer)
    {
        writer.Unsigned((ulong)_rights.Count);
        foreach (var ((from, to), amount) in _rights)
        {
            writer.Replica(from);
            writer.Replica(to);
            writer.Unsigned(amount);
        }

        _taken.Write(writer);
    }

    public BoundedCounter? Read(ref CodecReader reader)
    {
        var rights = new List<((ReplicaId From, ReplicaId To) Pair, ulong Amount)>();
        for (var left = reader.Elements(); left > 0 && !reader.Failed; left--)
        {
            var pair = (reader.Replica(), reader.Replica());
            var amount = reader.Minimal();
            if (amount is 0 or > Dot.MaxCounter || (rights.Count > 0 && pair.CompareTo(rights[^1].Pair) <= 0))
            {
                reader.Fail();
            }

            rights.Add((pair, amount));
        }

        var taken = _taken.Read(ref reader);
        if (taken is null || reader.Failed)
        {
            return null;
        }

        var counter = new BoundedCounter(taken);
        foreach (var (pair, amount) in rights)
        {
            counter._rights.Add(pair, amount);
        }

        return counter;
    }

    public override string ToString() => $"{Value}";

    private BoundedCounter Give(ReplicaId from, ReplicaId to, ulong amount)
    {
        var delta = Bottom();
        if (amount > 0)
        {
            var total = checked((long)_rights.GetValueOrDefault((from, to)) + (long)Math.Min(amount, ulong.MaxValue >> 1));
            delta._rights.Add((from, to), (ulong)total);
            _rights[(from, to)] = (ulong)total;
        }

        return delta;
    }
}
