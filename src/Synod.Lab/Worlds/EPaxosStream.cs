using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>
/// An endless stream of conflicts (epaxos.md §6, §11.9): every replica is asked to write the same key in every moment, and messages are
/// under way for several, so that each proposal crosses later ones of the others.
/// </summary>
internal sealed class EPaxosStream
{
    private const int Moments = 120;

    private readonly EPaxosGroup _group;
    private readonly SortedDictionary<NodeId, EPaxos> _replicas = [];
    private readonly Queue<List<(NodeId From, NodeId To, EPaxos.Message Message)>> _underWay = new();
    private readonly Outbox<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result> _outbox = new();
    private readonly Still _context = new();
    private readonly int _delay;
    private List<(NodeId From, NodeId To, EPaxos.Message Message)> _leaving = [];
    private long _sessions;

    public EPaxosStream(int replicas, int pipeline, int delay, EPaxosMutation mutation)
    {
        _delay = delay;
        _group = new EPaxosGroup(NodeSet.Of([.. Enumerable.Range(1, replicas).Select(number => new NodeId(number))]));
        var options = new EPaxosOptions { Pipeline = pipeline, BatchCommands = 2, Mutation = mutation };
        foreach (var node in _group.Members)
        {
            _replicas.Add(node, new EPaxos(node, _group, options, new ReplicatedMap()));
            Step(node, (replica, outbox) => replica.Recover([], _context, outbox));
        }
    }

    /// <summary>Most instances that any replica knew and had not executed.</summary>
    public int Tail { get; private set; }

    /// <summary>Instances executed at the first replica after each moment.</summary>
    public List<long> Executed { get; } = [];

    /// <summary>A stream whose size is drawn.</summary>
    /// <exception cref="InvariantViolation">What waits to be executed grows beyond what all pipelines hold.</exception>
    public static void Run(ulong seed, EPaxosMutation mutation)
    {
        var random = new SeededRandom(seed);
        var (replicas, pipeline) = (3 + 2 * random.Below(2), 1 + random.Below(8));
        var stream = new EPaxosStream(replicas, pipeline, delay: 1 + random.Below(3), mutation);
        for (var moment = 1; moment <= Moments; moment++)
        {
            stream.GoOn();
            Invariant.Check(
                stream.Tail <= replicas * pipeline, "TailIsBounded", $"{stream.Tail} instances wait, and {stream.Executed[^1]} were executed in {moment} moments");
        }
    }

    /// <summary>One moment.</summary>
    public void GoOn()
    {
        foreach (var node in _group.Members)
        {
            var command = new EPaxos.ClientCommand(++_sessions, 1, ReplicatedMap.Put(Key.Of("x"), ReplicatedMap.Bytes(_sessions)));
            Step(node, (replica, outbox) => replica.Submit(new RequestId(1), new EPaxos.Command.Invoke(command), _context, outbox));
        }

        _underWay.Enqueue(_leaving);
        _leaving = [];
        foreach (var (from, to, message) in _underWay.Count > _delay ? _underWay.Dequeue() : [])
        {
            Step(to, (replica, outbox) => replica.Receive(from, message, _context, outbox));
        }

        Tail = Math.Max(Tail, _replicas.Values.Max(replica => replica.Held.Count(id => !replica.IsExecuted(id))));
        Executed.Add(_replicas.Values.First().Executions);
    }

    private void Step(NodeId node, Action<EPaxos, Outbox<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result>> step)
    {
        _outbox.Clear();
        step(_replicas[node], _outbox);
        foreach (var sent in _outbox.Messages)
        {
            _leaving.Add((node, sent.To, sent.Message));
        }
    }
}
