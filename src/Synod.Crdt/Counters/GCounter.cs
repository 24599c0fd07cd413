using System.Numerics;
using System.Runtime.InteropServices;
using Synod.Core;

namespace Synod.Crdt;

/// <summary>
/// A counter that only grows: for each replica how much it has counted, joined by the larger. The arrays are sorted by replica, so that
/// counters of the same replicas are joined as two arrays are.
/// </summary>
public sealed class GCounter : ILattice<GCounter>
{
    /// <summary>Replicas as numbers in their order. Never changed: counters with the same replicas share it.</summary>
    private UInt128[] _replicas = [];

    private ulong[] _counts = [];

    public byte Tag => Tags.GCounter;

    public bool IsBottom => _counts.Length == 0;

    /// <summary>How many replicas have counted.</summary>
    public int Replicas => _counts.Length;

    /// <summary>What all replicas have counted together.</summary>
    public UInt128 Value
    {
        get
        {
            UInt128 sum = 0;
            foreach (var count in _counts)
            {
                sum += count;
            }

            return sum;
        }
    }

    /// <summary>What one replica has counted.</summary>
    public ulong this[ReplicaId replica]
    {
        get
        {
            var index = Array.BinarySearch(_replicas, Number(replica));
            return index < 0 ? 0 : _counts[index];
        }
    }

    /// <summary>A counter of many replicas at once.</summary>
    /// <exception cref="ArgumentException">A replica is there twice, or a count is zero or above <see cref="Dot.MaxCounter"/>.</exception>
    public static GCounter Of(IEnumerable<KeyValuePair<ReplicaId, ulong>> counts)
    {
        var sorted = counts.OrderBy(item => item.Key).ToList();
        var counter = new GCounter { _replicas = [.. sorted.Select(item => Number(item.Key))], _counts = [.. sorted.Select(item => item.Value)] };
        var isSound = sorted.TrueForAll(item => item.Value is > 0 and <= Dot.MaxCounter) && sorted.Select(item => item.Key).Distinct().Count() == sorted.Count;
        return isSound ? counter : throw new ArgumentException("Each replica has one count, which is positive.", nameof(counts));
    }

    /// <summary>Counts an amount; nothing happens if it is 0.</summary>
    /// <exception cref="OverflowException">The replica would have counted more than <see cref="Dot.MaxCounter"/>.</exception>
    public GCounter Increment(ReplicaId replica, ulong amount = 1)
    {
        var delta = new GCounter();
        if (amount > 0)
        {
            var total = checked((long)this[replica] + (long)Math.Min(amount, ulong.MaxValue >> 1));
            delta.Put(Number(replica), (ulong)total);
            Put(Number(replica), (ulong)total);
        }

        return delta;
    }

    public GCounter Bottom() => new();

    public bool Join(GCounter other)
    {
        if (HasSameReplicas(other))
        {
            return RaiseAll(_counts, other._counts);
        }

        return other._counts.Length < _counts.Length / 16 ? JoinFew(other) : JoinMany(other);
    }

    public bool LessOrEqual(GCounter other)
    {
        for (var index = 0; index < _counts.Length; index++)
        {
            if (_counts[index] > other.CountOf(_replicas[index], index))
            {
                return false;
            }
        }

        return true;
    }

    public GCounter Minus(GCounter known)
    {
        var (replicas, counts) = (new List<UInt128>(), new List<ulong>());
        for (var index = 0; index < _counts.Length; index++)
        {
            if (_counts[index] > known.CountOf(_replicas[index], index))
            {
                replicas.Add(_replicas[index]);
                counts.Add(_counts[index]);
            }
        }

        return new() { _replicas = [.. replicas], _counts = [.. counts] };
    }

    public IEnumerable<GCounter> Decompose()
    {
        for (var index = 0; index < _counts.Length; index++)
        {
            yield return new() { _replicas = [_replicas[index]], _counts = [_counts[index]] };
        }
    }

    public void Write(CodecWriter writer)
    {
        writer.Unsigned((ulong)_counts.Length);
        for (var index = 0; index < _counts.Length; index++)
        {
            writer.Replica(Named(_replicas[index]));
            writer.Unsigned(_counts[index]);
        }
    }

    public GCounter? Read(ref CodecReader reader)
    {
        var (replicas, counts) = (new List<UInt128>(), new List<ulong>());
        for (var left = reader.Elements(); left > 0 && !reader.Failed; left--)
        {
            var replica = Number(reader.Replica());
            var count = reader.Minimal();
            if (count is 0 or > Dot.MaxCounter || (replicas.Count > 0 && replica <= replicas[^1]))
            {
                reader.Fail();
            }

            replicas.Add(replica);
            counts.Add(count);
        }

        return reader.Failed ? null : new() { _replicas = [.. replicas], _counts = [.. counts] };
    }

    public override string ToString() => $"{Value}";

    private static UInt128 Number(ReplicaId replica) => new((ulong)replica.Node.Value, replica.Incarnation);

    private static ReplicaId Named(UInt128 number) => new(new NodeId((int)(number >> 64)), (ulong)number);

    /// <summary>Raises each count to the other's if that is larger; true if one was.</summary>
    private static bool RaiseAll(Span<ulong> mine, ReadOnlySpan<ulong> theirs)
    {
        var raised = Vector<ulong>.Zero;
        ref var own = ref MemoryMarshal.GetReference(mine);
        ref var other = ref MemoryMarshal.GetReference(theirs);
        var index = 0;
        for (; index <= mine.Length - Vector<ulong>.Count; index += Vector<ulong>.Count)
        {
            var before = Vector.LoadUnsafe(ref own, (nuint)index);
            var after = Vector.Max(before, Vector.LoadUnsafe(ref other, (nuint)index));
            after.StoreUnsafe(ref own, (nuint)index);
            raised |= before ^ after;
        }

        var isRaised = raised != Vector<ulong>.Zero;
        for (; index < mine.Length; index++)
        {
            isRaised |= theirs[index] > mine[index];
            mine[index] = Math.Max(mine[index], theirs[index]);
        }

        return isRaised;
    }

    private bool HasSameReplicas(GCounter other)
    {
        if (ReferenceEquals(_replicas, other._replicas))
        {
            return true;
        }

        if (!MemoryMarshal.AsBytes(_replicas.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(other._replicas.AsSpan())))
        {
            return false;
        }

        // Once found equal, they are one array: the next time it takes no look at them.
        _replicas = other._replicas;
        return true;
    }

    private ulong CountOf(UInt128 replica, int likelyIndex)
    {
        if (likelyIndex >= _replicas.Length || _replicas[likelyIndex] != replica)
        {
            likelyIndex = Array.BinarySearch(_replicas, replica);
        }

        return likelyIndex < 0 ? 0 : _counts[likelyIndex];
    }

    private bool JoinFew(GCounter other)
    {
        var changed = false;
        for (var index = 0; index < other._counts.Length; index++)
        {
            if (other._counts[index] > CountOf(other._replicas[index], index))
            {
                Put(other._replicas[index], other._counts[index]);
                changed = true;
            }
        }

        return changed;
    }

    private bool JoinMany(GCounter other)
    {
        var (replicas, counts) = (new List<UInt128>(_counts.Length), new List<ulong>(_counts.Length));
        var changed = false;
        for (int mine = 0, theirs = 0; mine < _counts.Length || theirs < other._counts.Length;)
        {
            var order = mine == _counts.Length ? 1 : theirs == other._counts.Length ? -1 : _replicas[mine].CompareTo(other._replicas[theirs]);
            var own = order <= 0 ? _counts[mine] : 0;
            var count = Math.Max(own, order >= 0 ? other._counts[theirs] : 0);
            replicas.Add(order <= 0 ? _replicas[mine] : other._replicas[theirs]);
            counts.Add(count);
            changed |= count > own;
            mine += order <= 0 ? 1 : 0;
            theirs += order >= 0 ? 1 : 0;
        }

        if (changed)
        {
            (_replicas, _counts) = ([.. replicas], [.. counts]);
        }

        return changed;
    }

    private void Put(UInt128 replica, ulong count)
    {
        var index = Array.BinarySearch(_replicas, replica);
        if (index >= 0)
        {
            _counts[index] = count;
            return;
        }

        _replicas = [.. _replicas[..~index], replica, .. _replicas[~index..]];
        _counts = [.. _counts[..~index], count, .. _counts[~index..]];
    }
}
