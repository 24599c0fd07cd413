using Synod.Core;
using Synod.Protocols.Byzantine;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>
/// A group in the simulator, with clients that send each command to every replica, believe f + 1 equal answers, and ask again. Every
/// execution is held against all others: the same command at a position, and no command at two.
/// </summary>
internal sealed class HotStuffWorld : IAnswerReceiver<HotStuff.Result>, IEventTarget
{
    private const int Ask = 0;
    private const int AskAgain = 1;

    private static readonly Duration Patience = Duration.FromMilliseconds(700);

    private readonly SortedDictionary<Slot, HotStuff.Command> _agreed = [];
    private readonly SortedDictionary<(NodeId Client, long Sequence), Slot> _positions = [];
    private readonly List<Client> _clients = [];
    private readonly SortedDictionary<NodeId, HotStuff> _replicas = [];
    private readonly SortedDictionary<string, long> _sent = new(StringComparer.Ordinal);

    public HotStuffWorld(
        ulong seed,
        FaultPlan plan,
        HotStuffGroup group,
        int clients = 2,
        IReadOnlyDictionary<NodeId, Func<Adversary<HotStuff.Message>>>? corrupted = null)
    {
        (Group, Corrupted) = (group, NodeSet.Of([.. corrupted?.Keys ?? []]));
        World = new SimulatedWorld(seed) { MostEvents = 20_000_000 };
        Cluster = new(World, new SimulatedNetwork(World) { Conditions = plan.Links }, new()
        {
            Nodes = [.. group.Options.Members],
            Create = start => Wrap(start.Self, _replicas[start.Self] = group.Make(start.Self), corrupted),
            Messages = new HotStuff.MessageWire(),
            Records = new HotStuff.RecordWire(),
            Machine = plan.Machine with { CheckpointBytes = long.MaxValue },
            Clocks = plan.Clocks,
        })
        {
            Executed = OnExecuted,
        };
        Injector = new FaultInjector(Cluster, plan.Faults);
        for (var client = 0; client < clients; client++)
        {
            _clients.Add(new Client(HotStuffGroup.FirstClient + client));
        }

        Cluster.Start();
        Injector.Start();
    }

    public HotStuffGroup Group { get; }

    /// <summary>The nodes with an adversary, which nothing is demanded of.</summary>
    public NodeSet Corrupted { get; }

    public SimulatedWorld World { get; }

    public SimulatedCluster<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result> Cluster { get; }

    public FaultInjector Injector { get; }

    /// <summary>The replicas as they run now, or ran last, by node.</summary>
    public IReadOnlyDictionary<NodeId, HotStuff> Replicas => _replicas;

    /// <summary>Commands that clients have f + 1 equal answers to.</summary>
    public int Completed { get; private set; }

    /// <summary>Positions that any correct replica executed.</summary>
    public int Agreed => _agreed.Count;

    /// <summary>Messages sent from one node to another, by kind.</summary>
    public IReadOnlyDictionary<string, long> Sent => _sent;

    /// <summary>Called for each message from one node to another when it leaves.</summary>
    public Action<NodeId, NodeId, HotStuff.Message>? OnSent { get; set; }

    /// <summary>Called for each execution.</summary>
    public Action<NodeId, HotStuff.Command>? OnDone { get; set; }

    /// <summary>Inputs that guards refused, over all nodes and boots.</summary>
    public long Refused(Refusal refusal) => Cluster.Nodes.Sum(node => Cluster.Counts(node).Refusals[(int)refusal]);

    /// <summary>Lets every client begin; each sends its next command when the last is done.</summary>
    public void StartClients()
    {
        for (var client = 0; client < _clients.Count; client++)
        {
            World.After(Duration.FromMilliseconds(10 + client), this, Ask, client);
            World.After(Patience, this, AskAgain, client);
        }
    }

    public void Handle(in SimulatedEvent happened)
    {
        var (index, client) = (happened.Argument, _clients[(int)happened.Argument]);
        if (happened.Kind == AskAgain)
        {
            World.After(Patience, this, AskAgain, index);
        }

        if (happened.Kind == Ask || World.Now >= client.AskedAt + Patience.Nanoseconds)
        {
            client.AskedAt = World.Now;
            SubmitToAll(Group.Command($"{index}.{client.Sequence}", client.Sequence, client.Id), index << 32 | client.Sequence);
        }
    }

    /// <summary>Submits a command to every replica that is up.</summary>
    public void SubmitToAll(HotStuff.Command command, long tag = -1)
    {
        foreach (var node in Cluster.Nodes)
        {
            Cluster.Submit(node, command, this, tag);
        }
    }

    public void OnAnswer(NodeId node, long tag, HotStuff.Result result)
    {
        if (tag < 0 || result is not HotStuff.Result.Executed executed)
        {
            return;
        }

        var (index, sequence) = ((int)(tag >> 32), tag & uint.MaxValue);
        var client = _clients[index];
        if (sequence != client.Sequence)
        {
            return;
        }

        client.Answers[node] = executed.Position;
        if (client.Answers.Values.Count(position => position == executed.Position) > Group.Options.Faults)
        {
            Completed++;
            client.Sequence++;
            client.Answers.Clear();
            World.After(Duration.Zero, this, Ask, index);
        }
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    /// <summary>Ends the faults; then every client must be served again and every correct replica arrive at the same place.</summary>
    public void DemandProgress(Duration within)
    {
        Injector.Stop();
        var (completed, agreed) = (Completed, Agreed);
        var goal = completed + (3 * _clients.Count);
        var deadline = World.Elapsed + within;
        Demand(World.RunUntil(() => Completed >= goal, deadline), "Liveness", $"{Completed - completed} commands after the faults");
        Demand(
            World.RunUntil(() => Correct().All(replica => replica.Executed.Value > agreed), deadline), "Liveness", "a replica stays behind");
        CheckAgreement();
    }

    public void CheckAgreement()
    {
        Demand(HotStuff.Agree(Correct()), HotStuff.Agreement, "two chains");
        Demand(HotStuff.AreCommitsKept([.. Correct()]), HotStuff.CommittedStays, "a certified block does not extend a commit");
    }

    private IEnumerable<HotStuff> Correct() => _replicas.Where(item => !Corrupted.Contains(item.Key)).Select(item => item.Value);

    private void Demand(bool holds, string property, string what)
    {
        if (!holds)
        {
            throw World.Failure(property, NodeId.None, $"{Group.Options.Rules.Name}, {Injector}: {what}");
        }
    }

    private Protocol<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result> Wrap(
        NodeId node, HotStuff replica, IReadOnlyDictionary<NodeId, Func<Adversary<HotStuff.Message>>>? corrupted)
    {
        var counted = new Counted(node, replica, Count);
        return corrupted is not null && corrupted.TryGetValue(node, out var adversary)
            ? new Corrupted<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>(counted, adversary())
            : counted;
    }

    private void Count(NodeId from, NodeId to, HotStuff.Message message)
    {
        var kind = message.GetType().Name;
        _sent[kind] = _sent.GetValueOrDefault(kind) + 1;
        OnSent?.Invoke(from, to, message);
    }

    private void OnExecuted(NodeId node, Slot position, HotStuff.Command command)
    {
        if (Corrupted.Contains(node))
        {
            return;
        }

        Demand(_agreed.TryAdd(position, command) || _agreed[position].Equals(command), HotStuff.Agreement, $"{node} {position}: {command}");
        Demand(
            _positions.TryAdd((command.Client, command.Sequence), position) || _positions[(command.Client, command.Sequence)] == position,
            "ExecutedOnce",
            $"{node} {position}: {command}");
        OnDone?.Invoke(node, command);
    }

    private sealed class Client(int id)
    {
        public int Id { get; } = id;

        public long Sequence { get; set; } = 1;

        public long AskedAt { get; set; }

        public SortedDictionary<NodeId, Slot> Answers { get; } = [];
    }

    /// <summary>A replica whose messages to others are counted as they leave.</summary>
    private sealed class Counted(NodeId self, HotStuff replica, Action<NodeId, NodeId, HotStuff.Message> count)
        : Disguise<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>(replica)
    {
        protected override void OnSend(NodeId to, HotStuff.Message message, StepContext context, Action<NodeId, HotStuff.Message> send)
        {
            if (to != self)
            {
                count(self, to, message);
            }

            send(to, message);
        }
    }
}
