using Synod.Core;
using Synod.Protocols.Consensus;
using Xunit;

namespace Synod.Protocols.Tests.EPaxosRoom;

using Room = Synod.Protocols.Consensus.EPaxos;

/// <summary>A group moved by hand: short words for what its tests do and look at.</summary>
internal sealed class Sites
{
    private readonly EPaxosGroup _group;
    private long _sessions;

    public Sites(int count, EPaxosOptions? options = null)
    {
        _group = GroupOf(count);
        Stage = new(
            node => new Room(node, _group, options ?? new EPaxosOptions(), new ReplicatedMap()),
            timer => ((Room.Timer)timer.Kind).ToString(),
            [.. _group.Members]);
        Stage.Begin();
    }

    public Stage<Room.Message, Room.Record, Room.Command, Room.Result> Stage { get; }

    public static EPaxosGroup GroupOf(int count) => new(NodeSet.Of([.. Enumerable.Range(1, count).Select(Node)]));

    public static NodeId Node(int number) => new(number);

    public static Room.InstanceId Id(int node, long number = 1) => new(Node(node), number);

    public static Room.Dependencies Deps(params long[] counters) => Room.Dependencies.Of(counters);

    public static ReadOnlyMemory<byte> Put(string key, string value) => ReplicatedMap.Put(Key.Of(key), Key.Of(value).Memory);

    public static ReadOnlyMemory<byte> Get(string key) => ReplicatedMap.Get(Key.Of(key));

    public static Room.Batch Batch(string key, string value, long session = 99, long number = 1) =>
        new(new Room.ClientCommand(session, number, Put(key, value)));

    /// <summary>Asks a replica to set a key, for a client of its own unless one is named.</summary>
    public void Put(int node, string key, string value, long session = 0, long number = 1) =>
        Invoke(node, Put(key, value), session, number);

    public void Invoke(int node, ReadOnlyMemory<byte> operation, long session = 0, long number = 1) => Stage.Submit(
        Node(node),
        new Room.Command.Invoke(new Room.ClientCommand(session == 0 ? ++_sessions : session, number, operation)));

    public void Suspect(int node, Room.InstanceId id) => Stage.Submit(Node(node), new Room.Command.Suspect(id));

    /// <summary>Makes everything durable everywhere.</summary>
    public void Sync()
    {
        foreach (var node in _group.Members)
        {
            Stage.Sync(node);
        }
    }

    /// <summary>Delivers the oldest message on each of these ways, one after the other, with all disks fast.</summary>
    public void Deliver(params (int From, int To)[] ways)
    {
        foreach (var (from, to) in ways)
        {
            Sync();
            Stage.Deliver(Node(from), Node(to));
        }

        Sync();
    }

    /// <summary>Loses everything under way to or from a replica, or everything.</summary>
    public void Lose(int? node = null) =>
        Stage.Network.RemoveAll(item => node is null || item.From == Node(node.Value) || item.To == Node(node.Value));

    /// <summary>Lets everything happen that does not need one replica, which is dead.</summary>
    public void RunWithout(int node)
    {
        for (Sync(), Lose(node); Stage.Network.Count > 0; Sync(), Lose(node))
        {
            Stage.Deliver(Stage.Network[0].From, Stage.Network[0].To);
        }
    }

    /// <summary>Fires the beat of a replica so often.</summary>
    public void Beat(int node, int times = 1)
    {
        for (; times > 0; times--)
        {
            Stage.Fire(Node(node), (int)Room.Timer.Beat);
        }
    }

    public Room At(int node) => (Room)Stage[Node(node)];

    public (Room.Phase Phase, Room.Batch? Value, Room.Dependencies? Deps) Look(int node, Room.InstanceId id) => At(node).Look(id);

    public string Value(int node, string key) =>
        new Key(((ReplicatedMap)At(node).Replicated).Values.GetValueOrDefault(Key.Of(key))).ToString();

    /// <summary>The replica has decided the instance, for its command or the Nop.</summary>
    public void AssertDecided(int node, Room.InstanceId id, bool nop, params long[] deps)
    {
        var (phase, value, decided) = Look(node, id);
        Assert.Equal(Room.Phase.Committed, phase);
        Assert.Equal(nop, value!.IsNop);
        Assert.Equal(Deps(deps), decided);
    }

    public IEnumerable<Room.InstanceId> Executed(int node) =>
        Stage.Executions(Node(node)).Select(item => ((Room.Command.Apply)item.Command).Id);

    /// <summary>Messages that have left, by their names.</summary>
    public int Sent(string kind) =>
        Stage.Trace.Split('\n').Count(line => line.StartsWith("  send ", StringComparison.Ordinal) && line.Split(' ')[4] == kind);

    public IEnumerable<T> Under<T>(int from, int to)
        where T : Room.Message => Stage.Between(Node(from), Node(to)).OfType<T>();
}
