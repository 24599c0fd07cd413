using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Simulation;
using static Synod.Protocols.Consensus.MultiPaxos;

namespace Synod.Lab.Worlds.MultiPaxosRoom;

/// <summary>
/// Replicas of one group and a virtual clock; how messages travel, when records become durable and timers fire is left to whoever
/// derives from it. Checked throughout: what anyone executes in a slot is what everyone executes there.
/// </summary>
internal abstract class ReplicaGroup
{
    private static readonly MessageWire MessageWire = new();
    private static readonly RecordWire RecordWire = new();

    private readonly CodecWriter _writer = new();
    private readonly QuorumSystem _quorums;
    private readonly MultiPaxosOptions _options;
    private long _requests;

    protected ReplicaGroup(QuorumSystem quorums, MultiPaxosOptions options, ulong seed)
    {
        _quorums = quorums;
        _options = options;
        Random = new SeededRandom(seed);
        foreach (var member in quorums.Members)
        {
            Replicas.Add(member, new Replica(member, this));
        }
    }

    public static NodeSet Members(int count) => NodeSet.Of([.. Enumerable.Range(1, count).Select(id => new NodeId(id))]);

    public SeededRandom Random { get; }

    /// <summary>True time in nanoseconds.</summary>
    public long Now { get; set; } = 1_000_000_000_000;

    public Duration ClockBound { get; init; } = Duration.FromMilliseconds(5);

    public SortedDictionary<NodeId, Replica> Replicas { get; } = [];

    /// <summary>What was executed anywhere; the empty text is the NoOp.</summary>
    public SortedDictionary<Slot, string> Agreed { get; } = [];

    public Dictionary<RequestId, Result> Answers { get; } = [];

    public Replica this[int id] => Replicas[new NodeId(id)];

    protected NodeSet All => _quorums.Members;

    public MultiPaxos Create(NodeId self, IReplicatedState state) => _quorums.Unsafe() is null
        ? new MultiPaxos(self, _quorums, _options, state)
        : WithUnsafeQuorums(self, _quorums, _options, state);

    public void StartAll()
    {
        foreach (var replica in Replicas.Values)
        {
            replica.Start();
        }
    }

    public RequestId Submit(int id, Command command)
    {
        var request = Peek();
        _requests++;
        this[id].Submit(request, command);
        return request;
    }

    public RequestId Propose(int id, string text) => Submit(id, new Command.Propose(Values.Of(text)));

    public abstract void Send(NodeId from, NodeId to, Message message);

    public virtual void TimerSet(Replica replica, TimerId timer, Instant due)
    {
    }

    /// <summary>Agreement: nobody ever executes something else in the same slot, a NoOp included.</summary>
    public virtual void Stepped(Replica replica)
    {
        foreach (var (slot, text) in replica.NewlyExecuted())
        {
            if (Agreed.TryAdd(slot, text))
            {
                FirstExecuted(replica, slot, text);
            }

            Invariant.Check(
                Agreed[slot] == text, "Agreement", $"{replica.Id} executed '{text}' in {slot}, where '{Agreed[slot]}' was agreed on");
        }
    }

    public virtual void Answered(Replica replica, RequestId request, Result result) =>
        Invariant.Check(Answers.TryAdd(request, result), "AnsweredOnce");

    /// <summary>A record has become durable on a node.</summary>
    public virtual void Hardened(NodeId node, Record record)
    {
    }

    protected virtual void FirstExecuted(Replica replica, Slot slot, string text)
    {
    }

    // Through its binary form, as on a real wire or disk.
    public Message Coded(Message message) => Coded(MessageWire, message);

    public Record Coded(Record record) => Coded(RecordWire, record);

    /// <summary>The id that the next submission gets.</summary>
    protected RequestId Peek() => new(_requests + 1);

    private T Coded<T>(IWire<T> wire, T value)
        where T : class
    {
        _writer.Clear();
        wire.Write(_writer, value);
        var reader = new CodecReader(_writer.ToArray());
        var copy = wire.Read(ref reader);
        Invariant.Check(copy is not null && reader.IsComplete, "WireIsWhole", $"{value}");
        return copy;
    }
}
