namespace Synod.Crdt.Laws;

/// <summary>
/// Tries a convergent type against the laws of its kind, and shortens the run that breaks one to what a person can read. For the types
/// here as for anyone's own, in any test framework: <see cref="Verify"/> throws.
/// </summary>
/// <param name="prototype">Any state of the type; only its <see cref="ILattice{TSelf}.Bottom"/> is used.</param>
public sealed class LawChecker<T>(T prototype, params IReadOnlyList<Operation<T>> operations)
    where T : class, ILattice<T>
{
    /// <summary>Operations of a run are bits of a number.</summary>
    private const int MaxSteps = 64;

    /// <summary>How a state's value is printed, in counterexamples and for the specification.</summary>
    public Func<T, string> Print { get; init; } = static state => $"{state}";

    /// <summary>What the value should be; without it, <see cref="Law.Meaning"/> is not checked.</summary>
    public Specification? Specification { get; init; }

    /// <summary>Replicas of drawn runs; runs that are gone through have two.</summary>
    public int Replicas { get; init; } = 3;

    /// <summary>Laws that are not checked: to see what else is broken by a type that is known to break them.</summary>
    public IReadOnlyList<Law> Without { get; init; } = [];

    /// <summary>Goes through every short run and draws many long ones.</summary>
    /// <exception cref="LawViolation">A law is broken.</exception>
    public void Verify(int exhaustiveSteps = 3, int runs = 200, int steps = 24, ulong seed = 1)
    {
        if ((Exhaust(exhaustiveSteps) ?? Search(runs, steps, seed)) is { } broken)
        {
            throw new LawViolation(broken);
        }
    }

    /// <summary>Goes through every run of two replicas with so many steps; the first that breaks a law, made short, or null.</summary>
    public Counterexample? Exhaust(int steps)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, MaxSteps);
        var choices = Choices(2).ToArray();
        var at = new int[steps];
        var script = new Step[steps];
        while (true)
        {
            for (var index = 0; index < steps; index++)
            {
                script[index] = choices[at[index]];
            }

            // The replicas are alike: let A begin.
            if (script is [{ Kind: StepKind.Do, Replica: 0 }, ..] && Try(script, 2, 0) is { } broken)
            {
                return Shrunk(script, 2, 0, broken);
            }

            var next = steps - 1;
            while (next >= 0 && ++at[next] == choices.Length)
            {
                at[next--] = 0;
            }

            if (next < 0)
            {
                return null;
            }
        }
    }

    /// <summary>Draws runs from a seed; the first that breaks a law, made short, or null.</summary>
    public Counterexample? Search(int runs, int steps, ulong seed = 1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, MaxSteps);
        var draw = new Draw(seed);
        for (var run = 0; run < runs; run++)
        {
            var script = new Step[1 + draw.Below(steps)];
            for (var index = 0; index < script.Length; index++)
            {
                script[index] = Drawn(ref draw);
            }

            var order = (ulong)draw.Below(int.MaxValue);
            if (Try(script, Replicas, order) is { } broken)
            {
                return Shrunk(script, Replicas, order, broken);
            }
        }

        return null;
    }

    private Step Drawn(ref Draw draw)
    {
        var replica = draw.Below(Replicas);
        switch (draw.Below(5))
        {
            case 0:
                return new(StepKind.Sync, replica, draw.Below(Replicas), 0);
            case 1:
                return new(StepKind.Deliver, replica, draw.Below(MaxSteps), 0);
            default:
                var operation = draw.Below(operations.Count);
                return new(StepKind.Do, replica, operation, draw.Below(operations[operation].Arguments));
        }
    }

    private IEnumerable<Step> Choices(int replicas)
    {
        for (var replica = 0; replica < replicas; replica++)
        {
            for (var operation = 0; operation < operations.Count; operation++)
            {
                for (var argument = 0; argument < operations[operation].Arguments; argument++)
                {
                    yield return new(StepKind.Do, replica, operation, argument);
                }
            }

            yield return new(StepKind.Sync, replica, 1 - replica, 0);
        }
    }

    private Counterexample? Try(IReadOnlyList<Step> script, int replicas, ulong seed) =>
        new LawRun<T>(prototype, operations, Print, Specification, Without, replicas, seed).Execute(script);

    /// <summary>Leaves out whatever can be left out so that the same law is still broken, then takes the least arguments and replicas.</summary>
    private Counterexample Shrunk(IReadOnlyList<Step> script, int replicas, ulong seed, Counterexample broken)
    {
        var (shortest, found) = (script.ToList(), broken);
        for (var isShorter = true; isShorter;)
        {
            isShorter = false;
            for (var size = Math.Max(1, shortest.Count / 2); size > 0; size /= 2)
            {
                for (var at = shortest.Count - size; at >= 0; at--)
                {
                    var attempt = shortest.ToList();
                    attempt.RemoveRange(at, Math.Min(size, attempt.Count - at));
                    isShorter |= Keep(attempt);
                    at = Math.Min(at, shortest.Count - size + 1);
                }
            }
        }

        for (var at = 0; at < shortest.Count; at++)
        {
            foreach (var simpler in Simpler(shortest[at]).ToList())
            {
                var attempt = shortest.ToList();
                attempt[at] = simpler;
                Keep(attempt);
            }
        }

        return found;

        bool Keep(List<Step> attempt)
        {
            if (Try(attempt, replicas, seed) is not { } still || still.Law != found.Law)
            {
                return false;
            }

            (shortest, found) = (attempt, still);
            return true;
        }
    }

    private static IEnumerable<Step> Simpler(Step step)
    {
        for (var argument = step.Argument - 1; argument >= 0; argument--)
        {
            yield return step with { Argument = argument };
        }

        for (var replica = step.Replica - 1; replica >= 0; replica--)
        {
            yield return step with { Replica = replica };
        }
    }
}
