using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>
/// Holds what replicas decide and execute against each other (epaxos.md §7): agreement on values and dependencies, visibility of
/// interfering commands, one order of execution for each key and session.
/// </summary>
/// <remarks>
/// A replica decides and executes in memory before it tells anybody. What it did not make durable it may lose in a crash, and then
/// something else may be decided: so what only replicas that are down hold does not count until they come back and still hold it.
/// </remarks>
public sealed class EPaxosJudge(SimulatedWorld world, Func<NodeId, bool> isUp)
{
    private readonly SortedDictionary<EPaxos.InstanceId, List<Decision>> _decided = [];
    private readonly SortedDictionary<string, List<Place>> _writers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SortedDictionary<EPaxos.InstanceId, Place>> _readers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(NodeId, string), int> _positions = [];
    private readonly List<KeyAccess> _accesses = [];
    private readonly ReplicatedMap _map = new();
    private NodeSet _returning;

    /// <summary>Instances that were decided.</summary>
    public int Decided => _decided.Count;

    public int Nops => _decided.Values.Count(item => item[^1].Value.IsNop);

    /// <summary>Instances that hold more than one command.</summary>
    public int Batches => _decided.Values.Count(item => item[^1].Value.Commands.Length > 1);

    /// <summary>Pairs of instances, each of which depends on the other.</summary>
    public int Cycles { get; private set; }

    /// <summary>A process starts: it executes anew what its records and checkpoint do not hold.</summary>
    public void OnStart(NodeId node)
    {
        _returning = _returning.With(node);
        foreach (var key in _writers.Keys)
        {
            _positions.Remove((node, key));
        }
    }

    /// <summary>Every decision that replicas hold now.</summary>
    /// <exception cref="SimulationFailure">Two of them differ.</exception>
    public void LookAt(IEnumerable<EPaxos> replicas)
    {
        foreach (var replica in replicas)
        {
            Welcome(replica);
            foreach (var id in replica.Held)
            {
                Note(replica, id);
            }
        }
    }

    /// <exception cref="SimulationFailure">The replica executes something else, or in another order, than another one.</exception>
    public void OnExecuted(EPaxos replica, EPaxos.Command.Apply apply)
    {
        Welcome(replica);
        Note(replica, apply.Id);
        foreach (var (key, writes) in Touched(apply.Batch))
        {
            OnTouched(replica.Self, key, writes, apply.Id);
        }
    }

    /// <exception cref="SimulationFailure">Two commands interfere, and neither depends on the other.</exception>
    public void CheckVisibility()
    {
        var byKey = new SortedDictionary<string, List<(EPaxos.InstanceId Id, bool Writes)>>(StringComparer.Ordinal);
        Cycles = 0;
        foreach (var (id, decisions) in _decided)
        {
            foreach (var (key, writes) in Touched(decisions[^1].Value))
            {
                if (!byKey.TryGetValue(key, out var items))
                {
                    byKey.Add(key, items = []);
                }

                foreach (var (other, otherWrites) in items)
                {
                    if (other != id && (writes || otherWrites))
                    {
                        CheckPair(id, other, key);
                    }
                }

                items.Add((id, writes));
            }
        }
    }

    private void CheckPair(EPaxos.InstanceId id, EPaxos.InstanceId other, string key)
    {
        var (deps, otherDeps) = (_decided[id][^1].Deps, _decided[other][^1].Deps);
        var (after, before) = (Contains(deps, other), Contains(otherDeps, id));
        Cycles += after && before ? 1 : 0;
        if (!after && !before)
        {
            throw world.Failure(EPaxos.Visibility, NodeId.None, $"{id} {deps} and {other} {otherDeps} touch {key}");
        }
    }

    // Members are the nodes from 1 on, so a member's column is its number less one.
    private static bool Contains(EPaxos.Dependencies deps, EPaxos.InstanceId id) => id.Number <= deps[id.Replica.Value - 1];

    private bool IsHeld(NodeSet holders)
    {
        foreach (var node in holders.Except(_returning))
        {
            if (isUp(node))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A replica is back: what it has lost it never told.</summary>
    private void Welcome(EPaxos replica)
    {
        if (!_returning.Contains(replica.Self))
        {
            return;
        }

        _returning = _returning.Without(replica.Self);
        foreach (var id in _decided.Keys.ToList())
        {
            _decided[id].ForEach(item => item.Holders = item.Holders.Without(replica.Self));
            if (_decided[id].Any(item => item.Holders.IsEmpty) && !replica.IsExecuted(id))
            {
                _decided[id].RemoveAll(item => item.Holders.IsEmpty);
                if (_decided[id].Count == 0)
                {
                    _decided.Remove(id);
                }
            }
        }

        foreach (var order in _writers.Values)
        {
            foreach (var place in order.Where(place => !replica.IsExecuted(place.Id)))
            {
                place.Holders = place.Holders.Without(replica.Self);
            }

            while (order.Count > 0 && order[^1].Holders.IsEmpty)
            {
                order.RemoveAt(order.Count - 1);
            }
        }
    }

    private void Note(EPaxos replica, EPaxos.InstanceId id)
    {
        if (replica.Look(id) is not (EPaxos.Phase.Committed, { } value, { } deps))
        {
            return;
        }

        if (!_decided.TryGetValue(id, out var decisions))
        {
            _decided.Add(id, decisions = []);
        }

        var mine = decisions.Find(item => item.Value.Equals(value) && item.Deps.Equals(deps));
        if (mine is null)
        {
            decisions.Add(mine = new Decision { Value = value, Deps = deps });
        }

        mine.Holders = mine.Holders.With(replica.Self);
        foreach (var other in decisions)
        {
            if (other != mine && IsHeld(other.Holders))
            {
                throw world.Failure(
                    EPaxos.Agreement, replica.Self, $"{id} is {value} {deps}, but {other.Value} {other.Deps} on {other.Holders}");
            }
        }
    }

    /// <summary>Writers come one after the other; what only reads comes between the same two everywhere.</summary>
    private void OnTouched(NodeId node, string key, bool writes, EPaxos.InstanceId id)
    {
        if (!_writers.TryGetValue(key, out var order))
        {
            _writers.Add(key, order = []);
            _readers.Add(key, []);
        }

        var position = _positions.TryGetValue((node, key), out var known) ? known : -1;
        position = writes ? Written(node, key, order, position, id) : Read(node, key, _readers[key], position, id);
        if (position >= 0)
        {
            _positions[(node, key)] = position;
        }
    }

    private int Written(NodeId node, string key, List<Place> order, int position, EPaxos.InstanceId id)
    {
        var at = position >= 0 ? position : order.FindIndex(place => place.Id == id);
        at = at < 0 ? order.Count : at;
        if (at < order.Count && order[at].Id != id)
        {
            if (order.Skip(at).Any(place => IsHeld(place.Holders)))
            {
                throw world.Failure(EPaxos.ExecutionConsistency, node, $"{id} on {key} where {order[at].Holders} executed {order[at].Id}");
            }

            order.RemoveRange(at, order.Count - at);
        }

        if (at >= order.Count)
        {
            at = order.Count;
            order.Add(new Place { Id = id });
        }

        order[at].Holders = order[at].Holders.With(node);
        return at + 1;
    }

    private int Read(NodeId node, string key, SortedDictionary<EPaxos.InstanceId, Place> readers, int position, EPaxos.InstanceId id)
    {
        if (position < 0)
        {
            return position;
        }

        if (readers.TryGetValue(id, out var place) && place.Writes != position && IsHeld(place.Holders))
        {
            throw world.Failure(
                EPaxos.ExecutionConsistency, node, $"{id} on {key} after {position} writes, but after {place.Writes} on {place.Holders}");
        }

        if (place is null || place.Writes != position)
        {
            readers[id] = place = new Place { Id = id, Writes = position };
        }

        place.Holders = place.Holders.With(node);
        return position;
    }

    private List<(string Key, bool Writes)> Touched(EPaxos.Batch batch)
    {
        var touched = new List<(string Key, bool Writes)>();
        foreach (var command in batch.Commands)
        {
            _accesses.Clear();
            _map.TryTouch(command.Operation, _accesses);
            foreach (var (key, writes) in _accesses)
            {
                Add(touched, key.ToString(), writes);
            }

            Add(touched, $"session {command.Session}", true);
        }

        return touched;
    }

    private static void Add(List<(string Key, bool Writes)> touched, string key, bool writes)
    {
        var at = touched.FindIndex(item => item.Key == key);
        if (at < 0)
        {
            touched.Add((key, writes));
        }
        else
        {
            touched[at] = (key, writes || touched[at].Writes);
        }
    }

    private sealed class Decision
    {
        public required EPaxos.Batch Value { get; init; }

        public required EPaxos.Dependencies Deps { get; init; }

        public NodeSet Holders { get; set; }
    }

    /// <summary>An execution, and after how many writes it came if it only reads.</summary>
    private sealed class Place
    {
        public required EPaxos.InstanceId Id { get; init; }

        public int Writes { get; init; }

        public NodeSet Holders { get; set; }
    }
}
