namespace Synod.Core;

/// <summary>Names a command that a host submitted, so that the answer finds its way back. Meaningless elsewhere.</summary>
public readonly record struct RequestId(long Value)
{
    public override string ToString() => $"r{Value}";
}

/// <summary>
/// Names a timer. Setting a timer that is set moves it. Each protocol has an enum of kinds; <paramref name="Key"/> tells apart
/// timers of one kind, such as one per transaction.
/// </summary>
public readonly record struct TimerId(int Kind, long Key = 0) : IComparable<TimerId>
{
    public int CompareTo(TimerId other) => Kind != other.Kind ? Kind.CompareTo(other.Kind) : Key.CompareTo(other.Key);
}

/// <summary>Why an input was refused. Refusals are counted by the host and never thrown: input from a peer is data.</summary>
public enum Refusal : byte
{
    /// <summary>The ballot, view or term is lower than one already promised.</summary>
    StaleBallot,

    /// <summary>The message belongs to an exchange that is over or was never started here.</summary>
    Unexpected,

    /// <summary>The sender is not a member of the configuration.</summary>
    NotMember,

    /// <summary>A lease granted to another leader has not expired.</summary>
    LeaseHeld,

    /// <summary>The clock is unsynchronised or its bound exceeds the configured maximum.</summary>
    ClockUntrusted,

    /// <summary>The contents contradict themselves or a limit.</summary>
    Malformed,

    /// <summary>The same message was already acted on.</summary>
    Duplicate,

    /// <summary>It names a group, transaction or request unknown here.</summary>
    Unknown,

    /// <summary>The replica waits for a snapshot and cannot act on it yet.</summary>
    NotReady,

    /// <summary>A signature or code in it is not valid, or what it claims is not proven.</summary>
    Forged,

    /// <summary>Its sender signed something else in the same place before: the sender is faulty for certain.</summary>
    Equivocation,

    /// <summary>To agree to it could contradict what was agreed to before.</summary>
    Unsafe,
}
