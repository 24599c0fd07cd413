using Synod.Core;

namespace Synod.Protocols.Consensus;

public sealed partial class EPaxos
{
    /// <summary>
    /// Who touches what: for each key, and for each client's session, the highest instance of each member that may write or read it. It
    /// outlives the instances themselves, so that an answer to a late proposal does not depend on what was already dropped.
    /// </summary>
    private sealed class InterferenceIndex(int columns, IInterferingState state, bool firstOnly)
    {
        private readonly Dictionary<Key, Entry> _keys = [];
        private readonly Dictionary<long, Session> _sessions = [];
        private readonly List<KeyAccess> _accesses = [];
        private readonly List<Touch> _touches = [];
        private readonly long[] _scratch = new long[columns];

        /// <summary>The session of a client, made if need be.</summary>
        public Session SessionOf(long client)
        {
            if (!_sessions.TryGetValue(client, out var session))
            {
                _sessions.Add(client, session = new Session(columns));
            }

            return session;
        }

        /// <summary>The session of a client if it has ever had a command.</summary>
        public Session? Find(long client) => _sessions.GetValueOrDefault(client);

        /// <summary>Whether every command of a batch is one, and has a number.</summary>
        public bool IsSound(Batch batch)
        {
            foreach (ref readonly var command in batch.Commands)
            {
                _accesses.Clear();
                if (command.Number <= 0 || !state.TryTouch(command.Operation, _accesses))
                {
                    return false;
                }
            }

            return !batch.IsNop;
        }

        /// <summary>
        /// What a sound batch touches, each once: the union over its commands. A session's commands interfere with each other, so that
        /// replicas agree on which of two copies comes first, and on which number is the session's last.
        /// </summary>
        public Touch[] Resolve(Batch batch)
        {
            _touches.Clear();
            foreach (ref readonly var command in batch.Commands)
            {
                Add(SessionOf(command.Session).Entry, true);
                _accesses.Clear();
                state.TryTouch(command.Operation, _accesses);
                foreach (var (key, writes) in _accesses)
                {
                    if (!_keys.TryGetValue(key, out var entry))
                    {
                        _keys.Add(new Key(key.Memory.ToArray()), entry = new Entry(columns));
                    }

                    Add(entry, writes);
                }

                if (firstOnly)
                {
                    break;
                }
            }

            return [.. _touches];
        }

        /// <summary>The known instances that interfere with <paramref name="touches"/>, and <paramref name="least"/>; in the coordinator's own column only the latter.</summary>
        public Dependencies Collect(Touch[] touches, Dependencies? least, int own)
        {
            var changed = least is null;
            for (var column = 0; column < columns; column++)
            {
                var highest = least?[column] ?? 0;
                if (least is null || column != own)
                {
                    foreach (var touch in touches)
                    {
                        highest = Math.Max(highest, touch.Entry.Highest(column, touch.Writes));
                    }

                    changed = changed || highest > least![column];
                }

                _scratch[column] = highest;
            }

            return changed ? Dependencies.Of(_scratch) : least!;
        }

        public void Add(Instance instance)
        {
            foreach (var touch in instance.Touches)
            {
                touch.Entry.Add(instance, touch.Writes);
            }
        }

        /// <summary>The instance is decided and done with; <paramref name="executed"/> unless it was the Nop.</summary>
        public static void Remove(Instance instance, bool executed)
        {
            foreach (var touch in instance.Touches)
            {
                touch.Entry.Remove(instance, touch.Writes, executed);
            }
        }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("keys", _keys, VisitKey, VisitEntry);
            visitor.Visit("sessions", _sessions, VisitNumber, VisitSession);
        }

        private void Add(Entry entry, bool writes)
        {
            for (var index = 0; index < _touches.Count; index++)
            {
                if (_touches[index].Entry == entry)
                {
                    _touches[index] = new Touch(entry, writes || _touches[index].Writes);
                    return;
                }
            }

            _touches.Add(new Touch(entry, writes));
        }

        private void VisitEntry(StateVisitor visitor, ref Entry entry)
        {
            entry ??= new Entry(columns);
            entry.State(visitor);
        }

        private void VisitSession(StateVisitor visitor, ref Session session)
        {
            session ??= new Session(columns);
            session.State(visitor);
        }

        private static void VisitKey(StateVisitor visitor, ref Key key)
        {
            var bytes = key.Memory;
            visitor.Visit("key", ref bytes);
            key = new Key(bytes);
        }

        private static void VisitNumber(StateVisitor visitor, ref long number) => visitor.Visit("session", ref number);
    }

    /// <summary>A key or session that an instance touches.</summary>
    private readonly record struct Touch(Entry Entry, bool Writes);

    /// <summary>What was executed last for a client.</summary>
    private sealed class Session(int columns)
    {
        public readonly Entry Entry = new(columns);

        /// <summary>The highest number executed.</summary>
        public long Number;

        /// <summary>Its result, for retries.</summary>
        public ReadOnlyMemory<byte> Result;

        public void State(StateVisitor visitor)
        {
            visitor.Visit("number", ref Number);
            visitor.Visit("result", ref Result);
            Entry.State(visitor);
        }
    }

    /// <summary>The instances that touch one key or session.</summary>
    private sealed class Entry(int columns)
    {
        // By column: the highest known to write, to read; and the highest executed that wrote, that read.
        private readonly long[] _counters = new long[4 * columns];

        /// <summary>Known and not executed, in the order of ids; follows from the instances.</summary>
        public readonly List<Instance> Pending = [];

        /// <summary>The highest known instance of a column that interferes with one that reads, or writes, here.</summary>
        public long Highest(int column, bool writes) =>
            writes ? Math.Max(_counters[column], _counters[columns + column]) : _counters[column];

        /// <summary>As <see cref="Highest"/>, of those that were executed and not the Nop.</summary>
        public long HighestExecuted(int column, bool writes) => writes
            ? Math.Max(_counters[2 * columns + column], _counters[3 * columns + column])
            : _counters[2 * columns + column];

        /// <summary>Whether one that is pending interferes with one that reads, or writes, here.</summary>
        public bool Interferes(Instance pending, bool writes)
        {
            if (writes)
            {
                return true;
            }

            foreach (var touch in pending.Touches)
            {
                if (touch.Entry == this)
                {
                    return touch.Writes;
                }
            }

            return false;
        }

        public void Add(Instance instance, bool writes)
        {
            Raise(writes ? 0 : columns, instance);
            Insert(instance);
        }

        public void Remove(Instance instance, bool writes, bool executed)
        {
            if (executed)
            {
                Raise(writes ? 2 * columns : 3 * columns, instance);
            }

            Pending.Remove(instance);
        }

        public void Insert(Instance instance)
        {
            var at = Pending.Count;
            while (at > 0 && Pending[at - 1].Id.CompareTo(instance.Id) > 0)
            {
                at--;
            }

            Pending.Insert(at, instance);
        }

        public void State(StateVisitor visitor)
        {
            for (var index = 0; index < _counters.Length; index++)
            {
                visitor.Visit("", ref _counters[index]);
            }

            if (visitor.IsReading)
            {
                Pending.Clear();
            }
        }

        private void Raise(int block, Instance instance)
        {
            ref var counter = ref _counters[block + instance.Column];
            counter = Math.Max(counter, instance.Id.Number);
        }
    }
}
