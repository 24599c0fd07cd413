namespace Synod.Simulation.Histories;

/// <summary>One step of a transaction on lists: an append of a value that is unique for its key, or a read of the whole list.</summary>
public abstract record ListStep(string Key)
{
    public sealed record Append(string Key, long Value) : ListStep(Key)
    {
        public override string ToString() => $"{Key}+={Value}";
    }

    public sealed record Read(string Key, IReadOnlyList<long> Values) : ListStep(Key)
    {
        public override string ToString() => $"{Key}=[{string.Join(' ', Values)}]";
    }
}

/// <summary>A transaction on lists as its client saw it. Times are virtual; equal times count as concurrent.</summary>
public sealed record ListTransaction(
    int Process, long Start, long End, Outcome Outcome, IReadOnlyList<ListStep> Steps)
{
    public override string ToString() =>
        $"p{Process} {Outcome} [{Start}, {(Outcome == Outcome.Unknown ? "?" : End)}] {string.Join(", ", Steps)}";
}

/// <summary>Something that no strictly serializable database shows.</summary>
/// <param name="Name">As in Adya's thesis and in Kingsbury and Alvaro 2020 ("Elle"), or what it says.</param>
public sealed record Anomaly(string Name, string Detail)
{
    public override string ToString() => $"{Name}: {Detail}";
}
