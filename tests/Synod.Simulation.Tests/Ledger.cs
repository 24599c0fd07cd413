using Synod.Core;

namespace Synod.Simulation.Tests;

/// <summary>A number on the wire or in the log.</summary>
internal sealed record Number(long Value);

internal sealed class NumberWire : IWire<Number>
{
    public static NumberWire Instance { get; } = new();

    public void Write(CodecWriter writer, Number value) => writer.Signed(value.Value);

    public Number? Read(ref CodecReader reader) => new(reader.Signed());
}

/// <summary>
/// The smallest protocol with something to lose: a node writes down every number that it is given, tells its peers, and answers.
/// What was answered must be there after any crash. Checkpoints keep everything, so they only move it.
/// </summary>
internal sealed class Ledger(NodeId self, IReadOnlyList<NodeId> peers, Action<string> note) : Protocol<Number, Number, long, string>
{
    private const int Heartbeat = 1;
    private readonly SortedSet<long> _numbers = [];

    public IReadOnlyCollection<long> Numbers => _numbers;

    public Instant LastBeat { get; private set; }

    public override void State(StateVisitor visitor)
    {
    }

    public override void CheckInvariants() =>
        Invariant.Check(!_numbers.Contains(-1), "NoMinusOne");

    public override void Checkpoint(StepContext context, Outbox<Number, Number, long, string> outbox)
    {
        foreach (var number in _numbers)
        {
            outbox.Persist(new Number(number));
        }
    }

    protected override void OnRecover(
        IEnumerable<Number> records, StepContext context, Outbox<Number, Number, long, string> outbox)
    {
        foreach (var record in records)
        {
            _numbers.Add(record.Value);
        }

        note($"recovered {self} {_numbers.Count}");
        outbox.SetTimer(new TimerId(Heartbeat), context.Now + Duration.FromMilliseconds(20));
    }

    protected override void OnReceive(
        NodeId from, Number message, StepContext context, Outbox<Number, Number, long, string> outbox)
    {
        if (_numbers.Add(message.Value))
        {
            outbox.Persist(message);
        }
        else
        {
            outbox.Refuse(Refusal.Duplicate);
        }
    }

    protected override void OnFire(TimerId timer, StepContext context, Outbox<Number, Number, long, string> outbox)
    {
        LastBeat = context.Now;
        outbox.SetTimer(timer, context.Now + Duration.FromMilliseconds(20));
    }

    protected override void OnSubmit(
        RequestId request, long command, StepContext context, Outbox<Number, Number, long, string> outbox)
    {
        _numbers.Add(command);
        outbox.Persist(new Number(command));
        foreach (var peer in peers)
        {
            outbox.Send(peer, new Number(command));
        }

        outbox.Answer(request, $"{command} is written");
    }
}

/// <summary>A cluster of ledgers and a client that remembers what was answered.</summary>
internal sealed class LedgerRun : IAnswerReceiver<string>, IEventTarget
{
    private readonly SimulatedCluster<Number, Number, long, string> _cluster;
    private readonly Dictionary<long, (NodeId Node, long Number)> _asked = [];
    private long _next;

    public LedgerRun(ulong seed, FaultPlan plan, bool ignoresHolds = false, TextWriter? trace = null)
    {
        NodeId[] nodes = [new(1), new(2), new(3)];
        World = new SimulatedWorld(seed, trace);
        var network = new SimulatedNetwork(World) { Conditions = plan.Links };
        _cluster = new SimulatedCluster<Number, Number, long, string>(World, network, new()
        {
            Nodes = nodes,
            Create = start =>
            {
                Starts.Add((start.Self, start.Incarnation));
                return new Ledger(start.Self, [.. nodes.Where(node => node != start.Self)], Notes.Add);
            },
            Messages = NumberWire.Instance,
            Records = NumberWire.Instance,
            Machine = plan.Machine,
            Clocks = plan.Clocks,
            SegmentBytes = 16 << 10,
            IgnoresHolds = ignoresHolds,
        });
        Injector = new FaultInjector(_cluster, plan.Faults);
        _cluster.Start();
        Injector.Start();
        World.After(Duration.FromMilliseconds(10), this, 0);
    }

    public SimulatedWorld World { get; }

    public SimulatedCluster<Number, Number, long, string> Cluster => _cluster;

    public FaultInjector Injector { get; }

    public List<string> Notes { get; } = [];

    public List<(NodeId Node, ulong Incarnation)> Starts { get; } = [];

    public List<(NodeId Node, long Number)> Answered { get; } = [];

    public int Lost { get; private set; }

    public void Handle(in SimulatedEvent happened)
    {
        var node = Cluster.Nodes[(int)(_next % Cluster.Nodes.Count)];
        var number = ++_next;
        _asked[number] = (node, number);
        Cluster.Submit(node, number, this, number);
        World.After(Duration.FromMilliseconds(3), this, 0);
    }

    public void OnAnswer(NodeId node, long tag, string result) => Answered.Add(_asked[tag]);

    public void OnLost(NodeId node, long tag) => Lost++;

    /// <summary>Faults for a while, then none; returns what was answered and is not there.</summary>
    public List<(NodeId Node, long Number)> Finish(Duration faults)
    {
        World.RunUntil(faults);
        Injector.Stop();
        World.RunUntil(faults + Duration.FromSeconds(5));
        return [.. Answered.Where(answer => !((Ledger)Cluster[answer.Node].Protocol!).Numbers.Contains(answer.Number))];
    }
}
