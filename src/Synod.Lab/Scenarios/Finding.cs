namespace Synod.Lab.Scenarios;

/// <summary>What kind of thing a finding is about, which says what it means when it does not hold.</summary>
public enum FindingKind
{
    /// <summary>Nothing bad ever happens.</summary>
    Safety,

    /// <summary>Something good happens in time.</summary>
    Liveness,

    /// <summary>A figure is what the notes say.</summary>
    Measure,
}

/// <summary>A named property and whether it held in a run.</summary>
/// <param name="Name">The invariant's own name where it has one.</param>
/// <param name="Detail">What was seen, in a few words.</param>
public sealed record Finding(string Name, FindingKind Kind, bool Holds, string Detail);

/// <summary>What the findings of a run come to; the gravest one counts.</summary>
public enum Verdict
{
    /// <summary>Everything held.</summary>
    Consistent,

    /// <summary>A figure is not what the notes say.</summary>
    Refuted,

    /// <summary>Nothing went wrong, but somebody waits longer than the protocol's own time-outs.</summary>
    Blocked,

    /// <summary>A safety property is broken.</summary>
    Inconsistent,
}
