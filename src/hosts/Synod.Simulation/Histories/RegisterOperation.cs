namespace Synod.Simulation.Histories;

public enum RegisterAction : byte
{
    Read,
    Write,
    CompareAndSet,
}

/// <summary>One operation on one register as its client saw it. Times are virtual; equal times count as concurrent.</summary>
/// <param name="Value">What was read or is to be written; 0 for "nothing yet".</param>
/// <param name="Expected">For a compare-and-set: what must be there. A committed one found it.</param>
public sealed record RegisterOperation(
    string Key, int Process, long Start, long End, RegisterAction Action, long Value, Outcome Outcome, long Expected = 0)
{
    /// <summary>What the register holds after the operation, or null if it cannot happen in <paramref name="state"/>.</summary>
    public long? Apply(long state) => Action switch
    {
        RegisterAction.Read => state == Value ? state : null,
        RegisterAction.Write => Value,
        _ => state == Expected ? Value : null,
    };

    public override string ToString() =>
        $"p{Process} {Action} {Key} {(Action == RegisterAction.CompareAndSet ? $"{Expected}->" : "")}{Value} [{Start}, {(Outcome == Outcome.Unknown ? "?" : End)}]";
}
