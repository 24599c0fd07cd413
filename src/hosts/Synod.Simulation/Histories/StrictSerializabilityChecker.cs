using System.Globalization;

namespace Synod.Simulation.Histories;

/// <summary>
/// Whether a history of list-append transactions is strictly serializable (Kingsbury and Alvaro 2020, "Elle"). A list shows the
/// order of its versions, so every dependency can be inferred and each cycle of dependencies and real time is a true anomaly.
/// </summary>
public static class StrictSerializabilityChecker
{
    /// <summary>Everything found; empty if no anomaly can be shown.</summary>
    public static IReadOnlyList<Anomaly> Check(IReadOnlyList<ListTransaction> history)
    {
        var versions = new ListVersions(history);
        var anomalies = new List<Anomaly>(versions.Anomalies);
        var graph = new DependencyGraph(history.Count);
        foreach (var key in versions.Keys)
        {
            AddDependencies(versions, key, graph);
        }

        AddRealTime(history, versions, graph);
        anomalies.AddRange(LostUpdates(history, versions));
        FindCycles(history, graph, Dependency.None, "", anomalies);
        if (anomalies.Count == 0)
        {
            FindCycles(history, graph, Dependency.RealTime, "-realtime", anomalies);
        }

        return anomalies;
    }

    private static void AddDependencies(ListVersions versions, string key, DependencyGraph graph)
    {
        var order = versions.Order(key);
        for (var at = 0; at < order.Count; at++)
        {
            if (at > 0)
            {
                graph.Add(versions.Writer(key, order[at - 1]), versions.Writer(key, order[at]), Dependency.WriteWrite);
            }
        }

        // Committed appends that no read saw come after every version that one did.
        var unseen = versions.Unseen(key);
        foreach (var writer in unseen)
        {
            if (order.Count > 0)
            {
                graph.Add(versions.Writer(key, order[^1]), writer, Dependency.WriteWrite);
            }
        }

        foreach (var (reader, length) in versions.Readers(key))
        {
            if (length > 0)
            {
                graph.Add(versions.Writer(key, order[length - 1]), reader, Dependency.WriteRead);
            }

            if (length < order.Count)
            {
                graph.Add(reader, versions.Writer(key, order[length]), Dependency.ReadWrite);
                continue;
            }

            foreach (var writer in unseen)
            {
                graph.Add(reader, writer, Dependency.ReadWrite);
            }
        }
    }

    /// <summary>
    /// Edges from each end to later starts, without those that follow from others: a transaction needs edges only from those that
    /// no other one, itself ended before this start, came after.
    /// </summary>
    private static void AddRealTime(
        IReadOnlyList<ListTransaction> history, ListVersions versions, DependencyGraph graph)
    {
        var events = new List<(long At, bool IsEnd, int Transaction)>();
        for (var at = 0; at < history.Count; at++)
        {
            if (versions.IsCommitted(at))
            {
                events.Add((history[at].Start, false, at));
                if (history[at].Outcome == Outcome.Committed)
                {
                    events.Add((history[at].End, true, at));
                }
            }
        }

        // At equal times starts come first: then the two overlap.
        events.Sort();
        var ended = new List<int>();
        foreach (var (_, isEnd, transaction) in events)
        {
            if (!isEnd)
            {
                ended.ForEach(before => graph.Add(before, transaction, Dependency.RealTime));
                continue;
            }

            ended.RemoveAll(before => history[before].End < history[transaction].Start);
            ended.Add(transaction);
        }
    }

    private static IEnumerable<Anomaly> LostUpdates(IReadOnlyList<ListTransaction> history, ListVersions versions)
    {
        var updates = new Dictionary<(string Key, int Length), int>();
        for (var at = 0; at < history.Count; at++)
        {
            if (!versions.IsCommitted(at))
            {
                continue;
            }

            foreach (var (key, length) in ReadsBeforeAppends(history[at]))
            {
                if (!updates.TryAdd((key, length), at))
                {
                    var other = updates[(key, length)];
                    yield return new Anomaly(
                        "lost-update",
                        $"both read {key} at length {length} and appended to it: {history[other]} | {history[at]}");
                }
            }
        }
    }

    private static IEnumerable<(string Key, int Length)> ReadsBeforeAppends(ListTransaction transaction)
    {
        var read = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var step in transaction.Steps)
        {
            if (step is ListStep.Read seen)
            {
                read.TryAdd(seen.Key, seen.Values.Count);
            }
            else if (read.Remove(step.Key, out var length) && length >= 0)
            {
                yield return (step.Key, length);
                read[step.Key] = -1;
            }
            else
            {
                read[step.Key] = -1;
            }
        }
    }

    private static void FindCycles(
        IReadOnlyList<ListTransaction> history,
        DependencyGraph graph,
        Dependency time,
        string suffix,
        List<Anomaly> anomalies)
    {
        const Dependency Seen = Dependency.WriteWrite | Dependency.WriteRead;
        var found = graph.Cycle(Dependency.WriteWrite | time) is { } g0 ? ("G0", g0)
            : graph.Cycle(Seen | time) is { } g1 ? ("G1c", g1)
            : graph.CycleWithOne(Dependency.ReadWrite, Seen | time) is { } single ? ("G-single", single)
            : graph.Cycle(Seen | Dependency.ReadWrite | time) is { } g2 ? ("G2", g2)
            : default;
        if (found is (string name, List<(int From, Edge Edge)> cycle))
        {
            anomalies.Add(new Anomaly(name + suffix, Describe(history, cycle)));
        }
    }

    private static string Describe(IReadOnlyList<ListTransaction> history, List<(int From, Edge Edge)> cycle)
    {
        var arrows = cycle.Select(step => string.Create(
            CultureInfo.InvariantCulture, $"T{step.From} -{Short(step.Edge.Kind)}-> T{step.Edge.To}"));
        var members = cycle.Select(step => $"T{step.From}: {history[step.From]}");
        return $"{string.Join(", ", arrows)} where {string.Join(" | ", members)}";
    }

    private static string Short(Dependency kind) => kind switch
    {
        Dependency.WriteWrite => "ww",
        Dependency.WriteRead => "wr",
        Dependency.ReadWrite => "rw",
        _ => "rt",
    };
}
