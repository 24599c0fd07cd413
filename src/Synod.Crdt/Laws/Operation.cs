namespace Synod.Crdt.Laws;

/// <summary>One of a type's mutators, for the checker to call.</summary>
/// <param name="Name">As counterexamples print it.</param>
/// <param name="Arguments">How many arguments it is tried with: 0 to this, without it.</param>
/// <param name="Apply">
/// Changes the state as a replica does, and returns the delta; where the argument makes no sense, changes nothing and returns bottom.
/// </param>
public sealed record Operation<T>(string Name, int Arguments, Func<T, ReplicaId, int, T> Apply)
    where T : class, ILattice<T>;

/// <summary>An operation that was carried out in a run.</summary>
/// <param name="Number">Its place among the run's operations.</param>
/// <param name="Replica">The replica that it was carried out at.</param>
/// <param name="Seen">The operations that the replica had seen by then, one bit each.</param>
public readonly record struct Happening(int Number, string Operation, int Argument, int Replica, ulong Seen)
{
    /// <summary>Whether the replica knew of another operation when it carried out this one.</summary>
    public bool HasSeen(Happening other) => (Seen >> other.Number & 1) != 0;
}

/// <summary>
/// What a type's value should be, as a function of the operations that a replica has seen and of what each of them had seen: nothing
/// else may matter.
/// </summary>
/// <returns>The value, printed as the checker is told to print states.</returns>
public delegate string Specification(IReadOnlyList<Happening> seen);

/// <summary>What a convergent type keeps, whatever it is for.</summary>
public enum Law
{
    /// <summary>No operation throws, and no join.</summary>
    NothingIsThrown,

    /// <summary>No operation takes a state back: <c>X ⊑ m(X)</c>.</summary>
    Inflation,

    /// <summary>Joining the delta is carrying out the operation: <c>m(X) = X ⊔ delta</c>.</summary>
    DeltaIsState,

    /// <summary>A join says whether it changed something, and leaves alone what it joined.</summary>
    JoinTells,

    Commutativity,

    Associativity,

    Idempotence,

    /// <summary>Bottom changes nothing, and nothing else says it is bottom.</summary>
    Neutrality,

    /// <summary><c>X ⊑ Y</c> says the same as <c>X ⊔ Y = Y</c>.</summary>
    Order,

    /// <summary>Parts are below the whole and join to it.</summary>
    Decomposition,

    /// <summary>What is sent is what lacks, and nothing that does not.</summary>
    Difference,

    /// <summary>Equal states have equal bytes, and are read back.</summary>
    Encoding,

    /// <summary>Deltas in any order, some of them repeated, come to the state that the replicas come to.</summary>
    Convergence,

    /// <summary>The value is what the specification says.</summary>
    Meaning,
}

/// <summary>A run that breaks a law: as short as the checker could make it.</summary>
/// <param name="Steps">The run, one step a line.</param>
/// <param name="Detail">What was seen and what should have been.</param>
public sealed record Counterexample(string Type, Law Law, IReadOnlyList<string> Steps, string Detail)
{
    public override string ToString() =>
        $"{Type} breaks the law {Law}:\n{string.Concat(Steps.Select(step => $"  {step}\n"))}  => {Detail}";
}

/// <summary>A type breaks a law. The message is the counterexample.</summary>
public sealed class LawViolation(Counterexample counterexample) : Exception(counterexample.ToString())
{
    public Counterexample Counterexample { get; } = counterexample;
}
