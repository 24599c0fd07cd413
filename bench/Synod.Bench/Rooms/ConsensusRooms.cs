using System.Buffers.Binary;
using Synod.Core;
using Synod.Protocols.Consensus;

namespace Synod.Bench.Rooms;

/// <summary>Three replicas of Multi-Paxos with a leader. Several values may share a slot, as those of one turn of a node do.</summary>
internal sealed class MultiPaxosRoom : MemoryRoom<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result>
{
    private const int Members = 3;

    private readonly AppliedState[] _states = [.. Enumerable.Range(0, Members).Select(_ => new AppliedState())];

    private readonly CodecWriter _slot = new();
    private readonly int _perSlot;

    public MultiPaxosRoom(int perSlot)
    {
        _perSlot = perSlot;
        var quorums = SizedQuorums.Majority(Nodes(Members));
        foreach (var node in quorums.Members)
        {
            Add(new MultiPaxos(node, quorums, new MultiPaxosOptions { LeasesEnabled = false }, _states[node.Value - 1]));
        }

        Submit(1, new MultiPaxos.Command.Campaign());
        Settle();
    }

    /// <summary>Values that the leader executed.</summary>
    public long Executed => _states[0].Count;

    /// <summary>Proposes <paramref name="count"/> values; those of a slot are chosen and executed before the next slot's are proposed.</summary>
    public void Propose(ReadOnlyMemory<byte> value, int count)
    {
        for (var number = 0; number < count; number += _perSlot)
        {
            Submit(1, new MultiPaxos.Command.Propose(_perSlot == 1 ? value : Together(value)));
            Settle();
        }
    }

    private byte[] Together(ReadOnlyMemory<byte> value)
    {
        _slot.Clear();
        for (var number = 0; number < _perSlot; number++)
        {
            _slot.Bytes(value.Span);
        }

        return _slot.ToArray();
    }

    protected override void OnExecuted(int node, Slot position, MultiPaxos.Command command)
    {
        var state = _states[node - 1];
        state.Applied = position;
        if (_perSlot == 1)
        {
            state.Count++;
            return;
        }

        var values = new CodecReader(((MultiPaxos.Command.Propose)command).Value);
        while (values.Remaining > 0)
        {
            values.Bytes();
            state.Count++;
        }
    }

    /// <summary>Remembers how far it is, and nothing else.</summary>
    private sealed class AppliedState : IReplicatedState
    {
        public Slot Applied { get; set; }

        public long Count { get; set; }

        public SnapshotChunk? ReadSnapshot(NodeId reader, int index) => null;

        public void InstallSnapshot(SnapshotChunk chunk) => Invariant.Check(false, "NobodyLags");
    }
}

/// <summary>Three replicas of EPaxos, which propose in turn.</summary>
internal sealed class EPaxosRoom : MemoryRoom<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result>
{
    private const int Members = 3;

    private long _number;

    public EPaxosRoom()
    {
        var group = new EPaxosGroup(Nodes(Members));
        foreach (var node in group.Members)
        {
            Add(new EPaxos(node, group, new EPaxosOptions(), new TouchedKeys()));
        }
    }

    /// <summary>Commands that the first replica executed.</summary>
    public long Executed { get; private set; }

    /// <summary>Runs <paramref name="count"/> commands of 8 B, each executed before the next is proposed.</summary>
    /// <param name="count">How many.</param>
    /// <param name="conflicting">All on one key, by three sessions; otherwise each session has its own.</param>
    public void Propose(int count, bool conflicting)
    {
        for (var number = 0; number < count; number++)
        {
            _number++;
            var node = (int)(_number % Members) + 1;
            var operation = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(operation, conflicting ? 0 : node);
            Submit(node, new EPaxos.Command.Invoke(new EPaxos.ClientCommand(node, _number, operation)), _number);
            Settle();
        }
    }

    protected override void OnExecuted(int node, Slot position, EPaxos.Command command) => Executed += node == 1 ? 1 : 0;

    /// <summary>An operation is the key that it writes; there is no state.</summary>
    private sealed class TouchedKeys : IInterferingState
    {
        public bool TryTouch(ReadOnlyMemory<byte> operation, List<KeyAccess> touched)
        {
            touched.Add(new KeyAccess(new Key(operation), Writes: true));
            return true;
        }

        public ReadOnlyMemory<byte> Execute(ReadOnlyMemory<byte> operation) => default;

        public void Save(CodecWriter writer)
        {
        }

        public void Load(ReadOnlyMemory<byte> state)
        {
        }
    }
}
