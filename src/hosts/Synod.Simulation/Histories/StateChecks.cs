using System.Globalization;

namespace Synod.Simulation.Histories;

/// <summary>Invariants of a state that a transaction read in one piece.</summary>
public static class StateChecks
{
    /// <summary>Null if the balances of all accounts sum up to <paramref name="total"/>.</summary>
    public static Anomaly? Total(IEnumerable<long> balances, long total)
    {
        var sum = balances.Sum();
        return sum == total
            ? null
            : new Anomaly("wrong-total", string.Create(CultureInfo.InvariantCulture, $"{sum} instead of {total}"));
    }

    /// <summary>
    /// Null if following the keys from 0 visits every key once and ends at 0: the smallest invariant that every lost, torn or
    /// doubled transaction breaks (FoundationDB's Cycle).
    /// </summary>
    public static Anomaly? Ring(IReadOnlyList<int> next)
    {
        var visited = new bool[next.Count];
        var at = 0;
        for (var steps = 0; steps < next.Count; steps++)
        {
            if (at < 0 || at >= next.Count || visited[at])
            {
                return Broken($"step {steps} leads to {at}");
            }

            visited[at] = true;
            at = next[at];
        }

        return at == 0 ? null : Broken($"it ends at {at}");

        Anomaly Broken(string how) => new("broken-ring", $"{how} in [{string.Join(' ', next)}]");
    }
}
