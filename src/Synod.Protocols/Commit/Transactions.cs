using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;

namespace Synod.Protocols.Commit;

/// <summary>
/// Names a transaction for ever: the node that began it, the boot epoch in which that happened, and a counter. An id is never used
/// twice, or a participant prepared under the old use would take the new decision for its own (Gray 1978).
/// </summary>
public readonly record struct TransactionId(NodeId Coordinator, long Epoch, long Counter) : IComparable<TransactionId>
{
    /// <summary>The id in a timer's key; see <see cref="FitsTimerKey"/>.</summary>
    public long TimerKey => (long)Coordinator.Value << 56 | Epoch << 32 | Counter;

    /// <summary>A node below 128, an epoch below 2^24 and a counter below 2^32 fit a timer's key.</summary>
    public bool FitsTimerKey =>
        Coordinator.Value is > 0 and < NodeSet.Capacity && Epoch is > 0 and <= 0xff_ffff && Counter is > 0 and <= uint.MaxValue;

    public static TransactionId FromTimerKey(long key) =>
        new(new NodeId((int)(key >> 56)), key >> 32 & 0xff_ffff, key & uint.MaxValue);

    /// <summary>Whether <paramref name="mark"/> can be the oldest transaction of this one's coordinator that was not over when this one was begun.</summary>
    public bool MayFollow(TransactionId mark) => mark.Coordinator == Coordinator && mark.CompareTo(this) <= 0;

    public int CompareTo(TransactionId other)
    {
        var byNode = Coordinator.CompareTo(other.Coordinator);
        var byEpoch = byNode != 0 ? byNode : Epoch.CompareTo(other.Epoch);
        return byEpoch != 0 ? byEpoch : Counter.CompareTo(other.Counter);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"t{Coordinator.Value}.{Epoch}.{Counter}");
}

/// <summary>One key to be set to one value.</summary>
public sealed record Write(Key Key, ReadOnlyMemory<byte> Value)
{
    public bool Equals(Write? other) => other is not null && Key == other.Key && Value.Span.SequenceEqual(other.Value.Span);

    public override int GetHashCode() => Key.GetHashCode();

    public override string ToString() => $"{Key}={new Key(Value)}";
}

/// <summary>What one participant is to write; nothing means that it was only read from.</summary>
public sealed record Branch(NodeId Participant, ImmutableArray<Write> Writes)
{
    public override string ToString() => $"{Participant}[{string.Join(" ", Writes)}]";
}

/// <summary>
/// What a participant has promised to be able to do, and forgets not even in a crash: everything needed to redo the writes and to
/// lock their keys again. It holds a write set, never a copy of a store.
/// </summary>
/// <param name="Members">All who promise for this transaction; the same set in every promise.</param>
public sealed record Promise(TransactionId Transaction, NodeSet Members, ImmutableArray<Write> Writes)
{
    public override string ToString() => $"{Transaction} {Members} [{string.Join(" ", Writes)}]";
}

/// <summary>How a participant votes.</summary>
public enum Choice : byte
{
    No,
    Yes,
    ReadOnly,
}

/// <summary>How a transaction ends, as far as the one asked knows.</summary>
public enum Ending : byte
{
    Unknown,
    Committed,
    Aborted,
}
