using System.Globalization;
using System.Text;

namespace Synod.Exploration;

/// <summary>What a search found.</summary>
public sealed record ExplorationResult
{
    /// <summary>Distinct worlds seen.</summary>
    public required int States { get; init; }

    /// <summary>Distinct combinations of node states; worlds also differ in what is under way and in budgets used.</summary>
    public required int Combinations { get; init; }

    /// <summary>Moves tried.</summary>
    public required long Moves { get; init; }

    /// <summary>Moves from the start to the furthest world seen.</summary>
    public required int Depth { get; init; }

    /// <summary>Whether every world within the fault budgets was seen; false if a limit on depth or states cut the search.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>Distinct states of single nodes, and steps of protocols that were run.</summary>
    public required (int Nodes, int Steps) Worked { get; init; }

    /// <summary>How many moves away each "sometimes" first held.</summary>
    public required IReadOnlyDictionary<string, int> Reached { get; init; }

    /// <summary>Each "sometimes" that never held.</summary>
    public required IReadOnlyList<string> Unreached { get; init; }

    /// <summary>The way to a broken claim, shortest first found; null if every claim held.</summary>
    public Counterexample? Counterexample { get; init; }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{States} states of {Combinations} combinations, {Moves} moves, depth {Depth}{(IsComplete || Counterexample is not null ? "" : ", cut")}, {Worked.Nodes} node states, {Worked.Steps} steps")
        + (Unreached.Count == 0 ? "" : $", never: {string.Join(", ", Unreached)}")
        + (Counterexample is null ? "" : $"\n{Counterexample}");
}

/// <summary>A way from the start to a world in which <paramref name="Property"/> does not hold.</summary>
public sealed record Counterexample(string Property, IReadOnlyList<CounterexampleStep> Steps)
{
    /// <summary>Each step, and below it each node that it changed.</summary>
    public override string ToString()
    {
        var text = new StringBuilder($"'{Property}' is broken after {Steps.Count - 1} steps:");
        for (var index = 0; index < Steps.Count; index++)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{index,3}. {Steps[index].Action}");
            for (var node = 0; node < Steps[index].Nodes.Count; node++)
            {
                if (index == 0 || Steps[index - 1].Nodes.Count <= node || Steps[index].Nodes[node] != Steps[index - 1].Nodes[node])
                {
                    text.Append("\n       ").Append(Steps[index].Nodes[node]);
                }
            }
        }

        return text.ToString();
    }
}

/// <summary>What happened, and every node's state after it; no states if the search was too large to remember them.</summary>
public sealed record CounterexampleStep(string Action, IReadOnlyList<string> Nodes);
