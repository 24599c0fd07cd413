using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>
/// Holds what replicas decide and execute against each other (epaxos.md §7): agreement on values and dependencies, visibility of
/// interfering commands, one order of execution for each key and session.
/// </summary>
public sealed class EPaxosJudge(SimulatedWorld world)
{
    private readonly SortedDictionary<EPaxos.InstanceId, (EPaxos.Batch Value, EPaxos.Dependencies Deps, NodeId By)> _decided = [];
    private readonly SortedDictionary<string, List<EPaxos.InstanceId>> _writers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SortedDictionary<EPaxos.InstanceId, int>> _places = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(NodeId, string), int> _positions = [];
    private readonly List<KeyAccess> _accesses = [];
    private readonly ReplicatedMap _map = new();

    /// <summary>Instances that were decided.</summary>
    public int Decided => _decided.Count;

    public int Nops => _decided.Values.Count(item => item.Value.IsNop);

    /// <summary>Instances that hold more than one command.</summary>
    public int Batches => _decided.Values.Count(item => item.Value.Commands.Length > 1);

    /// <summary>Pairs of instances, each of which depends on the other.</summary>
    public int Cycles { get; private set; }

    /// <summary>A process starts: it executes anew what its records and checkpoint do not hold.</summary>
    public void OnStart(NodeId node)
    {
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
            foreach (var id in replica.Held)
            {
                Note(replica, id);
            }
        }
    }

    /// <exception cref="SimulationFailure">The replica executes something else, or in another order, than another one.</exception>
    public void OnExecuted(EPaxos replica, EPaxos.Command.Apply apply)
    {
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
        foreach (var (id, (value, _, _)) in _decided)
        {
            foreach (var (key, writes) in Touched(value))
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
        var (after, before) = (Contains(_decided[id].Deps, other), Contains(_decided[other].Deps, id));
        Cycles += after && before ? 1 : 0;
        if (!after && !before)
        {
            throw world.Failure(
                EPaxos.Visibility, NodeId.None, $"{id} {_decided[id].Deps} and {other} {_decided[other].Deps} touch {key}");
        }
    }

    // Members are the nodes from 1 on, so a member's column is its number less one.
    private static bool Contains(EPaxos.Dependencies deps, EPaxos.InstanceId id) => id.Number <= deps[id.Replica.Value - 1];

    private void Note(EPaxos replica, EPaxos.InstanceId id)
    {
        if (replica.Look(id) is not (EPaxos.Phase.Committed, { } value, { } deps))
        {
            return;
        }

        if (!_decided.TryGetValue(id, out var known))
        {
            _decided.Add(id, (value, deps, replica.Self));
        }
        else if (!known.Value.Equals(value) || !known.Deps.Equals(deps))
        {
            throw world.Failure(
                EPaxos.Agreement, replica.Self, $"{id} is {value} {deps}, but {known.Value} {known.Deps} on {known.By}");
        }
    }

    /// <summary>Writers come one after the other; what only reads comes between the same two everywhere.</summary>
    private void OnTouched(NodeId node, string key, bool writes, EPaxos.InstanceId id)
    {
        if (!_writers.TryGetValue(key, out var order))
        {
            _writers.Add(key, order = []);
            _places.Add(key, []);
        }

        var isFirst = !_positions.TryGetValue((node, key), out var position);
        if (!_places[key].TryGetValue(id, out var place))
        {
            place = isFirst ? order.Count : position;
            if (writes && place == order.Count)
            {
                order.Add(id);
            }
            else if (writes)
            {
                throw world.Failure(
                    EPaxos.ExecutionConsistency, node, $"{id} on {key} where another replica executed {order[place]}");
            }

            _places[key].Add(id, place);
        }
        else if (!isFirst && place != position)
        {
            throw world.Failure(
                EPaxos.ExecutionConsistency, node, $"{id} on {key} after {position} writes, but after {place} elsewhere");
        }

        _positions[(node, key)] = writes ? place + 1 : place;
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
}
