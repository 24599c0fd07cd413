using Synod.Core;
using Synod.Exploration;
using Synod.Protocols.Consensus;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Model = Model<Synod.Protocols.Consensus.EPaxos.Message, Synod.Protocols.Consensus.EPaxos.Record, Synod.Protocols.Consensus.EPaxos.Command, Synod.Protocols.Consensus.EPaxos.Result>;
using Room = Synod.Protocols.Consensus.EPaxos;
using World = World<Synod.Protocols.Consensus.EPaxos.Message, Synod.Protocols.Consensus.EPaxos.Record, Synod.Protocols.Consensus.EPaxos.Command, Synod.Protocols.Consensus.EPaxos.Result>;

/// <summary>Bounded configurations for the explorer, and what must hold in each of their worlds (epaxos.md §7).</summary>
internal static class Configuration
{
    public static Submission<Room.Command> Put(int node, string value, string key = "x") => new(
        Sites.Node(node),
        new Room.Command.Invoke(new Room.ClientCommand(node * 10 + value[0], 1, Sites.Put(key, value))));

    public static Submission<Room.Command> Suspect(int node, int whose) => new(
        Sites.Node(node), new Room.Command.Suspect(Sites.Id(whose)));

    public static Model Of(
        int count, Budgets budgets, EPaxosMutation mutation, params IReadOnlyList<Submission<Room.Command>> submissions) => Of(
        Sites.GroupOf(count), new EPaxosOptions { Mutation = mutation }, budgets, submissions);

    /// <summary>Each asks only as many as it needs: few messages, so that all of their orders can be seen.</summary>
    public static Model Thrifty(Budgets budgets, params IReadOnlyList<Submission<Room.Command>> submissions) => Of(
        Sites.GroupOf(3), new EPaxosOptions { IsThrifty = true }, budgets, submissions);

    private static Model Of(
        EPaxosGroup group, EPaxosOptions options, Budgets budgets, IReadOnlyList<Submission<Room.Command>> submissions) => new Model
        {
            Nodes = [.. group.Members],
            Make = node => new Room(node, group, options, new ReplicatedMap()),
            Messages = new Room.MessageWire(),
            Records = new Room.RecordWire(),
            NameTimer = timer => ((Room.Timer)timer.Kind).ToString(),
            FiringTime = new Instant(options.RecoveryTimeout.Nanoseconds * 4),
            Submissions = submissions,
            AlwaysLost = static message => message is Room.Message.Nack or Room.Message.Progress,
            Budgets = budgets,
        }
        .Always(Room.Agreement, Agrees)
        .Always(Room.Visibility, world => Pairs(world).All(pair => pair.After || pair.Before))
        .Always(Room.ExecutionConsistency, ExecutesTheSame);

    /// <summary>Decided instances, by id and without the Nops: one entry for each node that holds it.</summary>
    public static IEnumerable<(Room.InstanceId Id, Room.Batch Value, Room.Dependencies Deps)> Decided(World world) =>
        world.Nodes.SelectMany(node => Held((Room)node.Protocol)).Where(item => item.Phase == Room.Phase.Committed)
            .Select(item => (item.Id, item.Value!, item.Deps!));

    /// <summary>Each two decided commands, all of which touch one key: whether the one depends on the other, and the reverse.</summary>
    public static IEnumerable<(bool After, bool Before)> Pairs(World world)
    {
        var decided = Decided(world).Where(item => !item.Value.IsNop).DistinctBy(item => item.Id).ToList();
        return decided.SelectMany(
            _ => decided, (one, other) => (one, other)).Where(pair => pair.one.Id.CompareTo(pair.other.Id) < 0)
            .Select(pair => (Contains(pair.one.Deps, pair.other.Id), Contains(pair.other.Deps, pair.one.Id)));
    }

    public static IEnumerable<(Room.InstanceId Id, Room.Phase Phase, Room.Batch? Value, Room.Dependencies? Deps)> Held(Room replica) =>
        replica.Held.Select(id => (id, replica.Look(id))).Select(item => (item.id, item.Item2.Phase, item.Item2.Value, item.Item2.Deps));

    private static bool Agrees(World world)
    {
        var decided = new SortedDictionary<Room.InstanceId, (Room.Batch, Room.Dependencies)>();
        return Decided(world).All(item => decided.TryAdd(item.Id, (item.Value, item.Deps)) || decided[item.Id].Equals((item.Value, item.Deps)));
    }

    /// <summary>Replicas that executed the same instances are in the same state: all write one key.</summary>
    private static bool ExecutesTheSame(World world)
    {
        var states = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in world.Nodes)
        {
            var replica = (Room)node.Protocol;
            var executed = string.Join(' ', replica.Held.Where(id => replica.IsExecuted(id)));
            var state = string.Join(' ', ((ReplicatedMap)replica.Replicated).Values.Select(pair => $"{pair.Key}={new Key(pair.Value)}"));
            if (!states.TryAdd(executed, state) && states[executed] != state)
            {
                return false;
            }
        }

        return true;
    }

    private static bool Contains(Room.Dependencies deps, Room.InstanceId id) => id.Number <= deps[id.Replica.Value - 1];
}
