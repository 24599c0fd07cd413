namespace Synod.Simulation.Histories;

/// <summary>
/// Whether a history of registers is linearizable (Herlihy and Wing 1990), by the search of Wing and Gong (1993) with Lowe's
/// memory of visited configurations (2017), one key at a time because linearizability is local.
/// </summary>
public static class LinearizabilityChecker
{
    /// <summary>Null if linearizable; otherwise which key is not, and the operations around the first that fits nowhere.</summary>
    public static string? Check(IEnumerable<RegisterOperation> history)
    {
        foreach (var key in history.GroupBy(operation => operation.Key, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            // An unknown read tells nothing, and an aborted operation did nothing.
            var operations = key
                .Where(operation => operation.Outcome == Outcome.Committed
                    || (operation.Outcome == Outcome.Unknown && operation.Action != RegisterAction.Read))
                .OrderBy(operation => operation.Start)
                .ToArray();
            if (new Search(operations).Run() is { } stuck)
            {
                return $"register {key.Key} is not linearizable; no order explains {stuck}";
            }
        }

        return null;
    }

    private sealed class Search
    {
        private readonly RegisterOperation[] _operations;
        private readonly Entry _head = new(-1, false);
        private readonly Entry[] _returns;
        private readonly ulong[] _done;
        private readonly HashSet<Configuration> _visited = [];
        private readonly Stack<(Entry Call, long State)> _path = new();
        private int _left;
        private int _furthest;
        private RegisterOperation? _stuck;

        public Search(RegisterOperation[] operations)
        {
            _operations = operations;
            _done = new ulong[operations.Length / 64 + 1];
            _returns = new Entry[operations.Length];
            _left = operations.Count(operation => operation.Outcome == Outcome.Committed);
            Link();
        }

        /// <summary>Null if there is an order; otherwise the operation before whose return the longest attempt got stuck.</summary>
        public RegisterOperation? Run()
        {
            long state = 0;
            var entry = _head.Next;
            while (_left > 0)
            {
                if (entry is { IsReturn: false })
                {
                    var call = entry;
                    entry = TryTake(call, ref state) ? _head.Next : call.Next;
                    continue;
                }

                if (entry is not null && (_path.Count >= _furthest || _stuck is null))
                {
                    _furthest = _path.Count;
                    _stuck = _operations[entry.Operation];
                }

                if (_path.Count == 0)
                {
                    return _stuck ?? _operations[0];
                }

                (var undone, state) = _path.Pop();
                PutBack(undone);
                entry = undone.Next;
            }

            return null;
        }

        private bool TryTake(Entry call, ref long state)
        {
            if (_operations[call.Operation].Apply(state) is not { } next)
            {
                return false;
            }

            _done[call.Operation / 64] |= 1UL << (call.Operation % 64);
            if (!_visited.Add(new Configuration((ulong[])_done.Clone(), next)))
            {
                _done[call.Operation / 64] &= ~(1UL << (call.Operation % 64));
                return false;
            }

            _path.Push((call, state));
            state = next;
            call.Unlink();
            if (_operations[call.Operation].Outcome == Outcome.Committed)
            {
                _returns[call.Operation].Unlink();
                _left--;
            }

            return true;
        }

        private void PutBack(Entry call)
        {
            _done[call.Operation / 64] &= ~(1UL << (call.Operation % 64));
            if (_operations[call.Operation].Outcome == Outcome.Committed)
            {
                _returns[call.Operation].Relink();
                _left++;
            }

            call.Relink();
        }

        // Calls and returns in the order of time; at equal times calls first, so that they overlap. An unknown has no return.
        private void Link()
        {
            var entries = new List<(long At, bool IsReturn, int Operation)>();
            for (var at = 0; at < _operations.Length; at++)
            {
                entries.Add((_operations[at].Start, false, at));
                if (_operations[at].Outcome == Outcome.Committed)
                {
                    entries.Add((_operations[at].End, true, at));
                }
            }

            entries.Sort();
            var last = _head;
            foreach (var (_, isReturn, operation) in entries)
            {
                var entry = new Entry(operation, isReturn) { Previous = last };
                last.Next = entry;
                last = entry;
                if (isReturn)
                {
                    _returns[operation] = entry;
                }
            }
        }
    }

    private sealed class Entry(int operation, bool isReturn)
    {
        public int Operation { get; } = operation;

        public bool IsReturn { get; } = isReturn;

        public Entry? Previous { get; set; }

        public Entry? Next { get; set; }

        public void Unlink()
        {
            Previous!.Next = Next;
            Next?.Previous = Previous;
        }

        public void Relink()
        {
            Previous!.Next = this;
            Next?.Previous = this;
        }
    }

    private readonly struct Configuration(ulong[] done, long state) : IEquatable<Configuration>
    {
        private readonly ulong[] _done = done;
        private readonly long _state = state;

        public bool Equals(Configuration other) =>
            _state == other._state && _done.AsSpan().SequenceEqual(other._done);

        public override bool Equals(object? obj) => obj is Configuration other && Equals(other);

        public override int GetHashCode()
        {
            var hash = (ulong)_state;
            foreach (var word in _done)
            {
                hash = (hash ^ word) * 0x9e3779b97f4a7c15;
                hash ^= hash >> 29;
            }

            return (int)hash;
        }
    }
}
