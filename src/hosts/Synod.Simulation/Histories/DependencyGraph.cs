namespace Synod.Simulation.Histories;

/// <summary>Why one transaction must come before another.</summary>
[Flags]
internal enum Dependency : byte
{
    None = 0,

    /// <summary>Its version comes directly before the other's.</summary>
    WriteWrite = 1,

    /// <summary>The other read its version.</summary>
    WriteRead = 2,

    /// <summary>It read a version that the other's replaces.</summary>
    ReadWrite = 4,

    /// <summary>It ended before the other started.</summary>
    RealTime = 8,
}

internal readonly record struct Edge(int To, Dependency Kind);

/// <summary>Transactions and what must come before what. A cycle is an anomaly; its kinds of edges name it.</summary>
internal sealed class DependencyGraph(int count)
{
    private readonly List<Edge>[] _edges = [.. Enumerable.Range(0, count).Select(_ => new List<Edge>())];

    public void Add(int from, int to, Dependency kind)
    {
        if (from != to && !_edges[from].Contains(new Edge(to, kind)))
        {
            _edges[from].Add(new Edge(to, kind));
        }
    }

    /// <summary>A shortest cycle of edges of <paramref name="kinds"/>, or null.</summary>
    public List<(int From, Edge Edge)>? Cycle(Dependency kinds)
    {
        foreach (var component in Components(kinds))
        {
            var members = component.ToHashSet();
            List<(int, Edge)>? best = null;
            foreach (var start in component)
            {
                foreach (var edge in _edges[start])
                {
                    if ((edge.Kind & kinds) == 0 || !members.Contains(edge.To))
                    {
                        continue;
                    }

                    var path = Path(edge.To, start, kinds, members);
                    if (path is not null && (best is null || path.Count + 1 < best.Count))
                    {
                        best = [(start, edge), .. path];
                    }
                }

                if (best is { Count: 2 })
                {
                    break;
                }
            }

            return best;
        }

        return null;
    }

    /// <summary>A cycle with exactly one edge of <paramref name="once"/>, all others of <paramref name="kinds"/>; or null.</summary>
    public List<(int From, Edge Edge)>? CycleWithOne(Dependency once, Dependency kinds)
    {
        foreach (var component in Components(kinds | once))
        {
            var members = component.ToHashSet();
            foreach (var start in component)
            {
                foreach (var edge in _edges[start])
                {
                    if (edge.Kind == once && members.Contains(edge.To) && Path(edge.To, start, kinds, members) is { } path)
                    {
                        return [(start, edge), .. path];
                    }
                }
            }
        }

        return null;
    }

    private List<(int From, Edge Edge)>? Path(int from, int to, Dependency kinds, HashSet<int> members)
    {
        var cameBy = new Dictionary<int, (int From, Edge Edge)>();
        var queue = new Queue<int>([from]);
        while (queue.TryDequeue(out var at))
        {
            if (at == to)
            {
                var path = new List<(int From, Edge Edge)>();
                for (var step = to; step != from; step = cameBy[step].From)
                {
                    path.Insert(0, cameBy[step]);
                }

                return path;
            }

            foreach (var edge in _edges[at])
            {
                if ((edge.Kind & kinds) != 0 && edge.To != from && members.Contains(edge.To)
                    && cameBy.TryAdd(edge.To, (at, edge)))
                {
                    queue.Enqueue(edge.To);
                }
            }
        }

        return null;
    }

    /// <summary>Strongly connected components of more than one transaction (Tarjan 1972), without recursion.</summary>
    private List<List<int>> Components(Dependency kinds)
    {
        var found = new List<List<int>>();
        var index = new int[count];
        var low = new int[count];
        var onStack = new bool[count];
        var stack = new Stack<int>();
        var work = new Stack<(int Node, int NextEdge)>();
        var next = 1;
        for (var root = 0; root < count; root++)
        {
            if (index[root] != 0)
            {
                continue;
            }

            work.Push((root, 0));
            while (work.TryPop(out var frame))
            {
                var (node, at) = frame;
                if (at == 0)
                {
                    index[node] = low[node] = next++;
                    stack.Push(node);
                    onStack[node] = true;
                }
                else
                {
                    low[node] = Math.Min(low[node], low[_edges[node][at - 1].To]);
                }

                if (Descend(node, at) is { } deeper)
                {
                    work.Push((node, deeper + 1));
                    work.Push((_edges[node][deeper].To, 0));
                    continue;
                }

                if (low[node] == index[node])
                {
                    Close(node);
                }
            }
        }

        return found;

        int? Descend(int node, int at)
        {
            for (; at < _edges[node].Count; at++)
            {
                var edge = _edges[node][at];
                if ((edge.Kind & kinds) == 0)
                {
                    continue;
                }

                if (index[edge.To] == 0)
                {
                    return at;
                }

                if (onStack[edge.To])
                {
                    low[node] = Math.Min(low[node], index[edge.To]);
                }
            }

            return null;
        }

        void Close(int root)
        {
            var component = new List<int>();
            int member;
            do
            {
                member = stack.Pop();
                onStack[member] = false;
                component.Add(member);
            }
            while (member != root);
            if (component.Count > 1)
            {
                component.Sort();
                found.Add(component);
            }
        }
    }
}
