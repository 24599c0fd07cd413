namespace Synod.Simulation.Histories;

/// <summary>
/// The order of each list's versions as far as reads show it, who wrote what, and the anomalies that need no graph.
/// </summary>
internal sealed class ListVersions
{
    private readonly IReadOnlyList<ListTransaction> _history;
    private readonly SortedDictionary<string, KeyVersions> _keys = new(StringComparer.Ordinal);
    private readonly bool[] _committed;
    private readonly List<Anomaly> _anomalies = [];

    public ListVersions(IReadOnlyList<ListTransaction> history)
    {
        _history = history;
        _committed = [.. history.Select(transaction => transaction.Outcome == Outcome.Committed)];
        IndexWriters();
        FindSeenUnknowns();
        for (var at = 0; at < history.Count; at++)
        {
            if (_committed[at])
            {
                IndexReads(at);
            }
        }
    }

    public IReadOnlyList<Anomaly> Anomalies => _anomalies;

    public IEnumerable<string> Keys => _keys.Keys;

    /// <summary>Whether it took effect for sure: acknowledged, or unknown but seen by one that was.</summary>
    public bool IsCommitted(int transaction) => _committed[transaction];

    /// <summary>The longest list that was read: every other one must be a prefix of it.</summary>
    public IReadOnlyList<long> Order(string key) => _keys[key].Order;

    public int Writer(string key, long value) => _keys[key].Writers[value].Transaction;

    /// <summary>Who read the list at which length, from outside: a transaction's own appends are not counted.</summary>
    public IReadOnlyList<(int Reader, int Length)> Readers(string key) => _keys[key].Readers;

    /// <summary>Committed transactions whose appends to the key no read shows.</summary>
    public IReadOnlyList<int> Unseen(string key)
    {
        var seen = _keys[key].Order.ToHashSet();
        return [.. _keys[key].Writers
            .Where(pair => !seen.Contains(pair.Key) && _committed[pair.Value.Transaction])
            .Select(pair => pair.Value.Transaction)
            .Distinct()];
    }

    private void IndexWriters()
    {
        for (var at = 0; at < _history.Count; at++)
        {
            var last = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var append in _history[at].Steps.OfType<ListStep.Append>())
            {
                var versions = Of(append.Key);
                if (!versions.Writers.TryAdd(append.Value, (at, true)))
                {
                    throw new ArgumentException($"The history appends {append} twice: nothing can be inferred from it.");
                }

                if (last.TryGetValue(append.Key, out var earlier))
                {
                    versions.Writers[earlier] = (at, false);
                }

                last[append.Key] = append.Value;
            }

            foreach (var read in _history[at].Steps.OfType<ListStep.Read>())
            {
                Of(read.Key);
            }
        }
    }

    private void FindSeenUnknowns()
    {
        foreach (var transaction in _history.Where(transaction => transaction.Outcome == Outcome.Committed))
        {
            foreach (var read in transaction.Steps.OfType<ListStep.Read>())
            {
                foreach (var value in read.Values)
                {
                    if (_keys[read.Key].Writers.TryGetValue(value, out var writer)
                        && _history[writer.Transaction].Outcome == Outcome.Unknown)
                    {
                        _committed[writer.Transaction] = true;
                    }
                }
            }
        }
    }

    private void IndexReads(int at)
    {
        var own = new Dictionary<string, List<long>>(StringComparer.Ordinal);
        var first = new Dictionary<string, List<long>>(StringComparer.Ordinal);
        foreach (var step in _history[at].Steps)
        {
            if (step is ListStep.Append append)
            {
                own.TryAdd(append.Key, []);
                own[append.Key].Add(append.Value);
            }
            else if (step is ListStep.Read read)
            {
                var mine = own.GetValueOrDefault(read.Key) ?? [];
                var outside = read.Values.SkipLast(mine.Count).ToList();
                var isConsistent = read.Values.TakeLast(mine.Count).SequenceEqual(mine)
                    && (!first.TryGetValue(read.Key, out var before) || before.SequenceEqual(outside));
                if (!isConsistent)
                {
                    Report("internal", $"{read} contradicts the transaction's own steps", at);
                    continue;
                }

                if (first.TryAdd(read.Key, outside))
                {
                    IndexRead(at, read.Key, outside);
                }
            }
        }
    }

    private void IndexRead(int at, string key, List<long> values)
    {
        var versions = _keys[key];
        if (values.Distinct().Count() != values.Count)
        {
            Report("duplicate", $"{key} shows an append twice in [{string.Join(' ', values)}]", at);
            return;
        }

        foreach (var value in values)
        {
            if (!versions.Writers.TryGetValue(value, out var writer))
            {
                Report("garbage", $"{key} shows {value}, which nobody appended", at);
                return;
            }

            if (_history[writer.Transaction].Outcome == Outcome.Aborted)
            {
                Report("G1a", $"{key} shows {value} of the aborted {_history[writer.Transaction]}", at);
                return;
            }
        }

        if (values.Count > 0 && versions.Writers[values[^1]] is { IsFinal: false } intermediate
            && intermediate.Transaction != at)
        {
            Report("G1b", $"{key} ends at {values[^1]}, in the middle of {_history[intermediate.Transaction]}", at);
        }

        var (shorter, longer) = values.Count < versions.Order.Count ? (values, versions.Order) : (versions.Order, values);
        if (!longer.Take(shorter.Count).SequenceEqual(shorter))
        {
            Report(
                "incompatible-order", $"{key} was [{string.Join(' ', shorter)}] and [{string.Join(' ', longer)}]", at);
            return;
        }

        versions.Order = longer;
        versions.Readers.Add((at, values.Count));
    }

    private void Report(string name, string detail, int at) => _anomalies.Add(new Anomaly(name, $"{detail}; read by T{at}: {_history[at]}"));

    private KeyVersions Of(string key)
    {
        if (!_keys.TryGetValue(key, out var versions))
        {
            _keys.Add(key, versions = new KeyVersions());
        }

        return versions;
    }

    private sealed class KeyVersions
    {
        public SortedDictionary<long, (int Transaction, bool IsFinal)> Writers { get; } = [];

        public List<long> Order { get; set; } = [];

        public List<(int Reader, int Length)> Readers { get; } = [];
    }
}
