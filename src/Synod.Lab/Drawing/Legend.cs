using Synod.Lab.Histories;

namespace Synod.Lab.Drawing;

/// <summary>What the marks of a diagram mean, in text and in pictures.</summary>
internal static class Legend
{
    public static IReadOnlyList<(EventKind Kind, string Meaning)> Marks { get; } =
    [
        (EventKind.Asked, "asked"),
        (EventKind.Answered, "answered"),
        (EventKind.Recorded, "durable"),
        (EventKind.Decided, "decided"),
        (EventKind.Executed, "executed"),
        (EventKind.TimedOut, "time-out"),
        (EventKind.Crashed, "crash"),
        (EventKind.Started, "restart"),
        (EventKind.Lost, "lost"),
        (EventKind.Refused, "refused: known already, no longer waited for, or not to be believed"),
    ];
}
