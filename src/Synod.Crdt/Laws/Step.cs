using System.Globalization;

namespace Synod.Crdt.Laws;

internal enum StepKind
{
    /// <summary>A replica carries out an operation.</summary>
    Do,

    /// <summary>A replica joins another one's whole state.</summary>
    Sync,

    /// <summary>A replica joins one of the deltas so far, whether it has it or not, and whatever it lacks of what came before.</summary>
    Deliver,
}

/// <summary>A step of a run, as numbers: any run of them means something, so that a run can be made shorter by leaving steps out.</summary>
internal readonly record struct Step(StepKind Kind, int Replica, int Subject, int Argument)
{
    public string Print<T>(IReadOnlyList<Operation<T>> operations)
        where T : class, ILattice<T> => Kind switch
        {
            StepKind.Do => string.Create(CultureInfo.InvariantCulture, $"{Name(Replica)}: {operations[Subject].Name}({Argument})"),
            StepKind.Sync => $"{Name(Replica)} joins the state of {Name(Subject)}",
            _ => string.Create(CultureInfo.InvariantCulture, $"{Name(Replica)} joins delta {Subject}"),
        };

    public static string Name(int replica) => ((char)('A' + replica)).ToString();
}

/// <summary>Numbers drawn from a seed (SplitMix64).</summary>
internal struct Draw(ulong seed)
{
    private ulong _state = seed;

    public int Below(int count)
    {
        _state += 0x9E3779B97F4A7C15;
        var bits = (_state ^ _state >> 30) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ bits >> 27) * 0x94D049BB133111EB;
        return (int)((bits ^ bits >> 31) % (ulong)count);
    }
}
