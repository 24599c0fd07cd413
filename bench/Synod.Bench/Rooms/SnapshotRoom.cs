using Synod.Core;
using Synod.Protocols.Snapshots;

namespace Synod.Bench.Rooms;

/// <summary>Three processes with a channel between each two, in both directions.</summary>
internal sealed class SnapshotRoom : MemoryRoom<ChandyLamport.Message, ChandyLamport.Record, ChandyLamport.Command, ChandyLamport.Result>
{
    private const int Members = 3;

    public SnapshotRoom()
    {
        var topology = Topology.Mesh(1, Nodes(Members));
        foreach (var node in topology.Members)
        {
            Add(new ChandyLamport(node, topology, new ChandyLamportOptions(), new Idle()));
        }
    }

    /// <summary>Snapshots that were completed.</summary>
    public long Taken { get; private set; }

    /// <summary>Takes <paramref name="count"/> snapshots, one after the other.</summary>
    public void Take(int count)
    {
        for (var number = 0; number < count; number++)
        {
            Submit(1, new ChandyLamport.Command.Begin());
            Settle();
        }
    }

    protected override void OnAnswered(ChandyLamport.Result result) => Taken += result is ChandyLamport.Result.Taken ? 1 : 0;

    /// <summary>A process with a state of 8 B that does nothing.</summary>
    private sealed class Idle : IApplication
    {
        private readonly byte[] _state = new byte[8];

        public void Receive(NodeId from, ReadOnlyMemory<byte> message, Sending send)
        {
        }

        public ReadOnlyMemory<byte> Submit(ReadOnlyMemory<byte> command, Sending send) => default;

        public ReadOnlyMemory<byte> Save() => _state;

        public bool TryLoad(ReadOnlyMemory<byte> state) => state.Length == _state.Length;
    }
}
