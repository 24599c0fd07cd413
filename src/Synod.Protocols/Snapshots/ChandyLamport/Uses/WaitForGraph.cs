namespace Synod.Protocols.Snapshots;

/// <summary>What a waiter needs of those it waits for.</summary>
public enum WaitKind : byte
{
    /// <summary>Every one, as for locks: a cycle is a deadlock.</summary>
    All,

    /// <summary>Any one: only a knot is a deadlock, a set from which no wait leads out.</summary>
    Any,
}

/// <summary>One wait. <paramref name="Instance"/> tells it from another wait of the same waiter at another time.</summary>
public sealed record Wait<T>(T Waiter, long Instance, WaitKind Kind, IReadOnlyList<T> For);

/// <summary>
/// Who waits for whom (snapshots.md §5), assembled from one consistent cut: the local waits of every process, less what messages in the
/// channels end, and with what they begin. Waits of different times put together show cycles that never were.
/// </summary>
public sealed class WaitForGraph<T>
    where T : notnull, IComparable<T>
{
    private readonly SortedDictionary<T, Wait<T>> _waits = [];

    public IReadOnlyCollection<Wait<T>> Waits => _waits.Values;

    /// <summary>A waiter has one wait at a time; it may be for many.</summary>
    public void Add(Wait<T> wait) => _waits[wait.Waiter] = wait;

    /// <summary>Ends whatever <paramref name="waiter"/> waits for.</summary>
    public void Remove(T waiter) => _waits.Remove(waiter);

    /// <summary>
    /// Whoever can never go on: what is left when everybody that waits for nobody, or for enough of those who can go on, has been let go,
    /// again and again. Right for both kinds of wait mixed.
    /// </summary>
    public IReadOnlySet<T> Deadlocked()
    {
        var stuck = new SortedSet<T>(_waits.Keys);
        while (stuck.RemoveWhere(waiter => MayGo(_waits[waiter], stuck)) > 0)
        {
        }

        return stuck;
    }

    /// <summary>
    /// One cycle of each strongly connected group of those that can never go on, in the order of the waits, from its least member. Whoever
    /// only waits for a cycle is in none.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<T>> Cycles()
    {
        var stuck = Deadlocked();
        var seen = new SortedSet<T>();
        var cycles = new List<IReadOnlyList<T>>();
        foreach (var start in stuck.Where(node => !seen.Contains(node)))
        {
            var group = Reached(start, stuck);
            group.RemoveWhere(node => !Reached(node, stuck).Contains(start));
            if (group.Count == 0)
            {
                continue;
            }

            seen.UnionWith(group);
            List<T> path = [start];
            var at = Next(start);
            while (!path.Contains(at))
            {
                path.Add(at);
                at = Next(at);
            }

            List<T> cycle = [.. path[path.IndexOf(at)..]];
            var least = cycle.IndexOf(cycle.Min()!);
            cycles.Add([.. cycle[least..], .. cycle[..least]]);

            T Next(T node) => _waits[node].For.Where(group.Contains).Min()!;
        }

        return cycles;
    }

    /// <summary>
    /// The cycles that are also in <paramref name="earlier"/> with the very same waits, and could not go on there either. Where waits can end
    /// on their own, by time-outs or wounds, a cycle is only certain if it is there twice.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<T>> Confirmed(WaitForGraph<T> earlier)
    {
        var stuck = earlier.Deadlocked();
        return [.. Cycles().Where(cycle => cycle.Zip([.. cycle.Skip(1), cycle[0]]).All(edge =>
            stuck.Contains(edge.First) && earlier._waits[edge.First] is var wait
            && wait.Instance == _waits[edge.First].Instance && wait.Kind == _waits[edge.First].Kind && wait.For.Contains(edge.Second)))];
    }

    /// <summary>The youngest of a cycle, ties broken by id, so that two detectors choose the same.</summary>
    public static T Victim(IReadOnlyList<T> cycle, Func<T, long> startedAt) => cycle.MaxBy(node => (startedAt(node), node))!;

    /// <summary>Whom the waits of <paramref name="start"/> lead to, itself only if they lead back.</summary>
    private SortedSet<T> Reached(T start, IReadOnlySet<T> within)
    {
        var reached = new SortedSet<T>();
        var open = new Stack<T>([start]);
        while (open.TryPop(out var node))
        {
            foreach (var next in _waits[node].For.Where(item => within.Contains(item) && reached.Add(item)))
            {
                open.Push(next);
            }
        }

        return reached;
    }

    private static bool MayGo(Wait<T> wait, SortedSet<T> stuck) => wait.Kind == WaitKind.All
        ? !wait.For.Any(stuck.Contains)
        : wait.For.Count == 0 || wait.For.Any(node => !stuck.Contains(node));
}
