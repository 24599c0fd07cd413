using Synod.Core;
using Synod.Protocols.Consensus;
using Xunit;
using static Synod.Protocols.Consensus.MultiPaxos;
using Record = Synod.Protocols.Consensus.MultiPaxos.Record;

namespace Synod.Protocols.Tests.MultiPaxosRoom;

/// <summary>
/// Replicas, a wire and a virtual clock. By hand: messages lie on the wire until delivered, records are durable at once unless told
/// otherwise, timers fire as time is advanced. A random cluster schedules the same by a seed.
/// </summary>
internal class TestCluster
{
    private static readonly MessageWire MessageWire = new();
    private static readonly RecordWire RecordWire = new();
    private readonly CodecWriter _writer = new();
    private readonly QuorumSystem _quorums;
    private readonly MultiPaxosOptions _options;
    private long _requests;

    public TestCluster(QuorumSystem quorums, MultiPaxosOptions? options = null, int seed = 1)
    {
        _quorums = quorums;
        _options = options ?? new MultiPaxosOptions();
        Random = new Random(seed);
        foreach (var member in quorums.Members)
        {
            Replicas.Add(member, new Replica(member, this));
        }
    }

    public static TestCluster Majority(int count, MultiPaxosOptions? options = null) =>
        new(SizedQuorums.Majority(Members(count)), options);

    public static NodeSet Members(int count) => NodeSet.Of([.. Enumerable.Range(1, count).Select(id => new NodeId(id))]);

    public Random Random { get; }

    /// <summary>True time in nanoseconds.</summary>
    public long Now { get; set; } = 1_000_000_000_000;

    public Duration ClockBound { get; init; } = Duration.FromMilliseconds(5);

    /// <summary>Whether records become durable in the step that persists them.</summary>
    public bool AutoFsync { get; set; } = true;

    public SortedDictionary<NodeId, Replica> Replicas { get; } = [];

    /// <summary>What was sent and neither delivered nor lost.</summary>
    public List<(NodeId From, NodeId To, Message Message)> Wire { get; } = [];

    /// <summary>What was executed anywhere; the empty text is the NoOp.</summary>
    public SortedDictionary<Slot, string> Agreed { get; } = [];

    public Dictionary<RequestId, Result> Answers { get; } = [];

    public Replica this[int id] => Replicas[new NodeId(id)];

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

    /// <summary>The id that the next submission gets.</summary>
    protected RequestId Peek() => new(_requests + 1);

    public RequestId Propose(int id, string text) => Submit(id, new Command.Propose(Values.Of(text)));

    /// <summary>Delivers the oldest message that fits; it must exist.</summary>
    public Message Deliver(int from, int to, Func<Message, bool>? which = null)
    {
        var index = Wire.FindIndex(
            sent => sent.From.Value == from && sent.To.Value == to && (which is null || which(sent.Message)));
        Assert.True(index >= 0, $"nothing from {from} to {to} on the wire");
        var (source, target, message) = Wire[index];
        Wire.RemoveAt(index);
        Replicas[target].Receive(source, message);
        return message;
    }

    /// <summary>Delivers everything, and what it causes, among <paramref name="among"/>; the rest is lost.</summary>
    public void Settle(params int[] among)
    {
        var nodes = among.Length == 0 ? _quorums.Members : NodeSet.Of([.. among.Select(id => new NodeId(id))]);
        while (Wire.Count > 0)
        {
            var (from, to, message) = Wire[0];
            Wire.RemoveAt(0);
            if (nodes.Contains(from) && nodes.Contains(to) && Replicas[to].IsUp)
            {
                Replicas[to].Receive(from, message);
            }
        }
    }

    /// <summary>Lets time pass and fires what falls due, settling in between.</summary>
    public void Advance(Duration time, params int[] among)
    {
        var end = Now + time.Nanoseconds;
        while (NextTimer() is var (replica, timer, due) && replica is not null && due <= end)
        {
            Now = Math.Max(Now, due);
            replica.Fire(timer);
            Settle(among);
        }

        Now = end;
    }

    /// <summary>Makes <paramref name="id"/> the ready leader, with the votes of <paramref name="among"/>.</summary>
    public void Elect(int id, params int[] among)
    {
        Submit(id, new Command.Campaign());
        Settle(among);
        Assert.Equal(PaxosRole.Leader, this[id].Paxos.Role);
        Assert.True(this[id].Paxos.IsReady);
    }

    /// <summary>Elects in time: waits for leases to pass and timers to fire.</summary>
    public Replica AwaitLeader(params int[] among)
    {
        for (var tries = 0; tries < 400; tries++)
        {
            if (Replicas.Values.FirstOrDefault(replica => replica.IsUp && replica.Paxos.IsReady
                && (among.Length == 0 || among.Contains(replica.Id.Value))) is { } leader)
            {
                return leader;
            }

            Advance(Duration.FromMilliseconds(50), among);
        }

        throw new Xunit.Sdk.XunitException("no leader");
    }

    public virtual void Send(NodeId from, NodeId to, Message message) => Wire.Add((from, to, message));

    public virtual void TimerSet(Replica replica, TimerId timer, Instant due)
    {
    }

    /// <summary>Agreement: nobody ever executes something else in the same slot, a NoOp included.</summary>
    public virtual void Stepped(Replica replica)
    {
        foreach (var (slot, text) in replica.NewlyExecuted())
        {
            Assert.True(
                Agreed.TryAdd(slot, text) || Agreed[slot] == text,
                $"{replica.Id} executed '{text}' in {slot}, where '{Agreed[slot]}' was agreed on");
        }

        if (AutoFsync && replica.UndurableCount > 0)
        {
            replica.Fsync();
        }
    }

    public virtual void Answered(Replica replica, RequestId request, Result result) =>
        Assert.True(Answers.TryAdd(request, result), "answered twice");

    // Through its binary form, as on a real wire or disk.
    public Message Coded(Message message)
    {
        _writer.Clear();
        MessageWire.Write(_writer, message);
        var reader = new CodecReader(_writer.ToArray());
        var copy = MessageWire.Read(ref reader);
        Assert.True(reader.IsComplete);
        return copy!;
    }

    public Record Coded(Record record)
    {
        _writer.Clear();
        RecordWire.Write(_writer, record);
        var reader = new CodecReader(_writer.ToArray());
        var copy = RecordWire.Read(ref reader);
        Assert.True(reader.IsComplete);
        return copy!;
    }

    private (Replica? Replica, TimerId Timer, long Due) NextTimer()
    {
        (Replica?, TimerId, long Due) next = (null, default, long.MaxValue);
        foreach (var replica in Replicas.Values.Where(replica => replica.IsUp))
        {
            foreach (var (timer, due) in replica.Timers)
            {
                var at = due.Nanoseconds - (replica.Monotonic.Nanoseconds - Now);
                if (at < next.Due)
                {
                    next = (replica, timer, at);
                }
            }
        }

        return next;
    }
}
