using System.Buffers.Binary;
using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Storage;

namespace Synod.Simulation.Tests;

/// <summary>The commands of a replica's group in the node's store, each under its slot; as much as survived after a crash.</summary>
internal sealed class StoredCommands(IStore store) : IReplicatedState
{
    private const int ChunkPairs = 200;

    private static readonly byte[] AppliedKey = [0];

    private readonly StoreBatch _batch = new();
    private readonly SortedDictionary<NodeId, IStoreSnapshot> _views = [];

    public Slot Applied => store.Get(AppliedKey) is { } value ? new Slot(BinaryPrimitives.ReadInt64BigEndian(value)) : Slot.None;

    public void Apply(Slot slot, ReadOnlyMemory<byte> value)
    {
        Invariant.Check(slot > Applied, "ExecutedOnce", $"{slot} after {Applied}");
        _batch.Clear();
        _batch.Put(KeyOf(slot), value.ToArray());
        _batch.Put(AppliedKey, Number(slot.Value));
        store.Write(_batch);
    }

    public SnapshotChunk? ReadSnapshot(NodeId reader, int index)
    {
        if (index == 0)
        {
            Close(reader);
            _views[reader] = store.Snapshot();
        }

        if (!_views.TryGetValue(reader, out var view))
        {
            return null;
        }

        // Several chunks, so that crashes and losses fall between them.
        using var cursor = view.Seek(KeySpan.All);
        var more = cursor.Next();
        for (var skip = index * ChunkPairs; skip > 0; skip--)
        {
            more = cursor.Next();
        }

        var writer = new CodecWriter();
        for (var pairs = 0; more && pairs < ChunkPairs; pairs++)
        {
            writer.Bytes(cursor.Key);
            writer.Bytes(cursor.Value);
            more = cursor.Next();
        }

        var at = new Slot(BinaryPrimitives.ReadInt64BigEndian(view.Get(AppliedKey)));
        return new SnapshotChunk(at, index, !more, writer.ToArray());
    }

    public void InstallSnapshot(SnapshotChunk chunk)
    {
        _batch.Clear();
        if (chunk.Index == 0)
        {
            _batch.DeleteRange([0], [255]);
            _batch.Put(AppliedKey, Number(-1));
        }

        var reader = new CodecReader(chunk.Data);
        while (reader.Remaining > 0)
        {
            var (key, value) = (reader.Bytes().ToArray(), reader.Bytes().ToArray());
            if (key.Length > AppliedKey.Length)
            {
                _batch.Put(key, value);
            }
        }

        if (chunk.IsLast)
        {
            _batch.Put(AppliedKey, Number(chunk.At.Value));
        }

        store.Write(_batch);
        if (chunk.IsLast)
        {
            store.Flush();
        }
    }

    public SortedDictionary<long, string> Commands()
    {
        var commands = new SortedDictionary<long, string>();
        using var cursor = store.Seek(KeySpan.All);
        while (cursor.Next())
        {
            if (cursor.Key.Length == 9)
            {
                commands.Add(BinaryPrimitives.ReadInt64BigEndian(cursor.Key[1..]), System.Text.Encoding.UTF8.GetString(cursor.Value));
            }
        }

        return commands;
    }

    private void Close(NodeId reader)
    {
        if (_views.Remove(reader, out var view))
        {
            view.Dispose();
        }
    }

    private static byte[] KeyOf(Slot slot) => [1, .. Number(slot.Value)];

    private static byte[] Number(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }
}

/// <summary>Three replicas of one group and somebody who proposes to all of them; every execution is compared with every other.</summary>
internal sealed class ReplicaRun : IAnswerReceiver<MultiPaxos.Result>, IEventTarget
{
    private readonly SortedDictionary<NodeId, StoredCommands> _states = [];
    private readonly SortedDictionary<Slot, string> _agreed = [];
    private long _proposed;

    public ReplicaRun(ulong seed, FaultPlan plan)
    {
        NodeId[] nodes = [new(1), new(2), new(3)];
        World = new SimulatedWorld(seed);
        var options = new MultiPaxosOptions
        {
            ElectionTimeout = Duration.FromMilliseconds(300),
            HeartbeatInterval = Duration.FromMilliseconds(50),
            LeaseDuration = Duration.FromMilliseconds(500),
            RetainedSlots = World.Random.Below(2) == 0 ? 4_096 : 20,
        };
        Cluster = new(World, new SimulatedNetwork(World) { Conditions = plan.Links }, new()
        {
            Nodes = nodes,
            Create = start => new MultiPaxos(
                start.Self,
                SizedQuorums.Majority(NodeSet.Of(nodes)),
                options,
                _states[start.Self] = new StoredCommands(start.Store)),
            Messages = new MultiPaxos.MessageWire(),
            Records = new MultiPaxos.RecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
            SegmentBytes = 16 << 10,
        })
        {
            Executed = OnExecuted,
        };
        Injector = new FaultInjector(Cluster, plan.Faults);
        Cluster.Start();
        Injector.Start();
        World.After(Duration.FromMilliseconds(10), this, 0);
    }

    public SimulatedWorld World { get; }

    public SimulatedCluster<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result> Cluster { get; }

    public FaultInjector Injector { get; }

    public int Agreed => _agreed.Count;

    public void Handle(in SimulatedEvent happened)
    {
        var value = System.Text.Encoding.UTF8.GetBytes($"command {++_proposed}");
        Cluster.Submit(Cluster.Nodes[(int)(_proposed % 3)], new MultiPaxos.Command.Propose(value), this, 0);
        World.After(Duration.FromMilliseconds(4), this, 0);
    }

    public void OnAnswer(NodeId node, long tag, MultiPaxos.Result result)
    {
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    /// <summary>Faults for a while, then none; afterwards every replica must go on and hold the same commands.</summary>
    public void Finish(Duration faults)
    {
        World.RunUntil(faults);
        Injector.Stop();
        var before = Agreed;
        World.RunUntil(faults + Duration.FromSeconds(8));
        Assert.True(Agreed > before, $"seed {World.Seed}: nothing was agreed on after the faults");
        foreach (var state in _states.Values)
        {
            Assert.True(state.Applied.Value > before, $"seed {World.Seed}: a replica stays at {state.Applied}");
            foreach (var (slot, command) in state.Commands())
            {
                Assert.Equal(_agreed[new Slot(slot)], command);
            }
        }
    }

    private void OnExecuted(NodeId node, Slot slot, MultiPaxos.Command command)
    {
        var value = ((MultiPaxos.Command.Propose)command).Value;
        var text = System.Text.Encoding.UTF8.GetString(value.Span);
        Invariant.Check(_agreed.TryAdd(slot, text) || _agreed[slot] == text, "Agreement", $"{node} {slot}: {text}");
        _states[node].Apply(slot, value);
    }
}

public class ReplicaTests
{
    [Fact]
    public void Replicas_agree_under_every_fault_and_go_on_afterwards()
    {
        var agreed = 0;
        for (ulong seed = 1; seed <= 30; seed++)
        {
            var run = new ReplicaRun(seed, FaultPlan.Swarm(seed));
            run.Finish(Duration.FromSeconds(15));
            agreed += run.Agreed;
        }

        Assert.True(agreed > 6_000, $"{agreed} commands");
    }
}
