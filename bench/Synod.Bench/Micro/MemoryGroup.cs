using Synod.Core;
using Synod.Protocols.Consensus;

namespace Synod.Bench.Micro;

/// <summary>Three replicas of Multi-Paxos on one thread: messages are handed over at once, records are durable at once.</summary>
internal sealed class MemoryGroup
{
    private const int Members = 3;
    private const int CommandsPerLook = 256;
    private static readonly Duration TimePerLook = Duration.FromMilliseconds(1);

    private readonly Replica[] _replicas;
    private readonly Queue<(NodeId From, NodeId To, MultiPaxos.Message Message)> _messages = new();
    private readonly Time _time = new();

    public MemoryGroup()
    {
        var members = NodeSet.Of([.. Enumerable.Range(1, Members).Select(id => new NodeId(id))]);
        _replicas = [.. members.Select(id => new Replica(id, SizedQuorums.Majority(members)))];
        foreach (var replica in _replicas)
        {
            replica.Paxos.Recover([], _time, replica.Outbox);
            Carry(replica);
        }

        Submit(new MultiPaxos.Command.Campaign());
        Invariant.Check(Leader.IsReady, "TheCampaignWon");
    }

    private MultiPaxos Leader => _replicas[0].Paxos;

    /// <summary>Proposes <paramref name="count"/> values, each of which is executed before the next.</summary>
    public void Propose(ReadOnlyMemory<byte> value, int count)
    {
        for (var number = 1; number <= count; number++)
        {
            Submit(new MultiPaxos.Command.Propose(value));
            if (number % CommandsPerLook == 0)
            {
                _time.Pass(TimePerLook);
                FireDue();
            }
        }
    }

    private void Submit(MultiPaxos.Command command)
    {
        var first = _replicas[0];
        first.Paxos.Submit(new RequestId(1), command, _time, first.Outbox);
        Carry(first);
        while (_messages.TryDequeue(out var next))
        {
            var replica = _replicas[next.To.Value - 1];
            replica.Paxos.Receive(next.From, next.Message, _time, replica.Outbox);
            Carry(replica);
        }
    }

    private void Carry(Replica replica)
    {
        foreach (var (to, message, _) in replica.Outbox.Messages)
        {
            _messages.Enqueue((replica.Id, to, message));
        }

        foreach (var (slot, _) in replica.Outbox.Executions)
        {
            replica.State.Applied = slot;
        }

        foreach (var (timer, due, isSet) in replica.Outbox.Timers)
        {
            if (isSet)
            {
                replica.Timers[timer] = due;
            }
            else
            {
                replica.Timers.Remove(timer);
            }
        }

        replica.Outbox.Clear();
    }

    private void FireDue()
    {
        foreach (var replica in _replicas)
        {
            foreach (var timer in replica.Timers.Where(timer => timer.Value <= _time.Now).Select(timer => timer.Key).ToArray())
            {
                replica.Timers.Remove(timer);
                replica.Paxos.Fire(timer, _time, replica.Outbox);
                Carry(replica);
            }
        }
    }

    private sealed class Replica(NodeId id, QuorumSystem quorums)
    {
        public NodeId Id => id;

        public AppliedState State { get; } = new();

        public Outbox<MultiPaxos.Message, MultiPaxos.Record, MultiPaxos.Command, MultiPaxos.Result> Outbox { get; } = new();

        public Dictionary<TimerId, Instant> Timers { get; } = [];

        public MultiPaxos Paxos => field ??= new MultiPaxos(id, quorums, new MultiPaxosOptions { LeasesEnabled = false }, State);
    }

    /// <summary>Remembers how far it is, and nothing else.</summary>
    private sealed class AppliedState : IReplicatedState
    {
        public Slot Applied { get; set; }

        public SnapshotChunk? ReadSnapshot(NodeId reader, int index) => null;

        public void InstallSnapshot(SnapshotChunk chunk) => Invariant.Check(false, "NobodyLags");
    }

    private sealed class Time : StepContext
    {
        public Time() => Pass(Duration.FromSeconds(1));

        public void Pass(Duration duration)
        {
            Now += duration;
            var now = new Timestamp(Now.Nanoseconds);
            TrueTime = new TimeInterval(now, now, ClockStatus.Synchronized);
        }

        public override int Choose(int count) => 0;
    }
}
