namespace Synod.Simulation.Histories;

/// <summary>What a client was told about an operation.</summary>
public enum Outcome : byte
{
    /// <summary>It took effect, once, between its start and its end.</summary>
    Committed,

    /// <summary>It took no effect and never will.</summary>
    Aborted,

    /// <summary>It took effect at some time after its start, or never.</summary>
    Unknown,
}
