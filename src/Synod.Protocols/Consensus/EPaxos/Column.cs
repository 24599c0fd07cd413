using Synod.Core;

namespace Synod.Protocols.Consensus;

public sealed partial class EPaxos
{
    /// <summary>The instances of one member, from the lowest that some replica may still ask for.</summary>
    private sealed class Column(NodeId member, int index)
    {
        /// <summary>An instance further above the executed ones than this is refused: the replica has to catch up first.</summary>
        private const long Window = 1 << 16;

        private readonly List<Instance?> _instances = [];
        private int _dropped;

        public readonly NodeId Member = member;
        public readonly int Index = index;

        /// <summary>Every instance up to here is executed at every replica, and gone here.</summary>
        public long Floor;

        /// <summary>Of every instance up to here the command is known, or the Nop decided.</summary>
        public long Known;

        public long Committed;

        public long Executed;

        /// <summary>The highest number that anything was heard of.</summary>
        public long Highest;

        /// <summary>The instance after <see cref="Known"/> when it was found to be missing, and how long to wait for it.</summary>
        public long Missing;

        public Instant MissingDeadline;

        /// <summary>Committed instances that cannot be executed before <see cref="Known"/> moves; follows from the rest.</summary>
        public readonly List<Instance> Waiters = [];

        public bool IsNear(long number) => number <= Executed + Window;

        public Instance? At(long number)
        {
            var at = number - Floor - 1 + _dropped;
            return number > Floor && at < _instances.Count ? _instances[(int)at] : null;
        }

        public Instance GetOrAdd(long number)
        {
            Highest = Math.Max(Highest, number);
            var at = (int)(number - Floor - 1 + _dropped);
            while (_instances.Count <= at)
            {
                _instances.Add(null);
            }

            return _instances[at] ??= new Instance { Id = new InstanceId(Member, number), Column = Index };
        }

        /// <summary>Moves the marks over what has come to be known, decided and executed; whether Known moved.</summary>
        public bool Advance()
        {
            var before = Known;
            while (At(Known + 1) is { } next && (next.Payload is not null || next.IsCommitted))
            {
                Known++;
            }

            while (At(Committed + 1) is { IsCommitted: true })
            {
                Committed++;
            }

            while (At(Executed + 1) is { IsExecuted: true })
            {
                Executed++;
            }

            return Known > before;
        }

        /// <summary>Forgets the instances up to <paramref name="floor"/>.</summary>
        public void Drop(long floor)
        {
            for (; Floor < floor; Floor++)
            {
                if (_dropped < _instances.Count)
                {
                    _instances[_dropped++] = null;
                }
            }

            if (_dropped > 64 && _dropped > _instances.Count / 2)
            {
                _instances.RemoveRange(0, _dropped);
                _dropped = 0;
            }
        }

        /// <summary>Begins anew above a saved state.</summary>
        public void Restore(long floor, long executed)
        {
            Drop(floor);
            Known = Committed = Executed = executed;
            Highest = Math.Max(Highest, executed);
        }

        public void State(StateVisitor visitor)
        {
            visitor.Visit("floor", ref Floor);
            visitor.Visit("known", ref Known);
            visitor.Visit("committed", ref Committed);
            visitor.Visit("executed", ref Executed);
            visitor.Visit("highest", ref Highest);
            visitor.Visit("missing", ref Missing);
            visitor.Visit("missingDeadline", ref MissingDeadline);
            List<Instance> held = [];
            for (var at = _dropped; at < _instances.Count; at++)
            {
                if (_instances[at] is { } instance)
                {
                    held.Add(instance);
                }
            }

            visitor.Visit("instances", held, Visit);
            if (visitor.IsReading)
            {
                _instances.Clear();
                _dropped = 0;
                Waiters.Clear();
                foreach (var instance in held)
                {
                    var at = (int)(instance.Id.Number - Floor - 1);
                    while (_instances.Count < at)
                    {
                        _instances.Add(null);
                    }

                    instance.Column = Index;
                    _instances.Add(instance);
                }
            }
        }

        /// <summary>The instances held, in the order of their numbers.</summary>
        public IEnumerable<Instance> Held()
        {
            for (var number = Floor + 1; number <= Highest; number++)
            {
                if (At(number) is { } instance)
                {
                    yield return instance;
                }
            }
        }

        private static void Visit(StateVisitor visitor, ref Instance instance)
        {
            instance ??= new Instance();
            instance.State(visitor);
        }
    }
}
