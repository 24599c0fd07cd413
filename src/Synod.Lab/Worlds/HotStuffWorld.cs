using System.Globalization;
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
    private readonly SortedDictionary<NodeId, Counters> _services = [];
    private readonly SortedDictionary<long, ChainCheckpoint> _checkpoints = [];
    private readonly SortedDictionary<NodeId, (HotStuff Life, Slot Last)> _reached = [];
    private readonly SortedDictionary<string, long> _sent = new(StringComparer.Ordinal);
    private readonly SortedDictionary<(NodeId From, int Kind, long View), Digest> _said = [];
    private readonly Testimony<HotStuff.Message, HotStuff> _testimony;
    private readonly bool _judges;

    /// <param name="seed">Gives the same run again.</param>
    /// <param name="plan">What goes wrong with machines and links.</param>
    /// <param name="group">The members.</param>
    /// <param name="clients">How many clients there are once they are started.</param>
    /// <param name="corrupted">What some members do instead of what is right.</param>
    /// <param name="judges">Whether what correct members say is judged, beside what they execute; counting needs none of it.</param>
    public HotStuffWorld(
        ulong seed,
        FaultPlan plan,
        HotStuffGroup group,
        int clients = 2,
        IReadOnlyDictionary<NodeId, Func<Adversary<HotStuff.Message>>>? corrupted = null,
        bool judges = true)
    {
        _judges = judges;
        (Group, Corrupted) = (group, NodeSet.Of([.. corrupted?.Keys ?? []]));
        World = new SimulatedWorld(seed) { MostEvents = 20_000_000 };
        _testimony = new(
            (replica, message) => replica.StandsBy(message),
            (node, what) => throw World.Failure("SpeaksOnce", node, what));
        Cluster = new(World, new SimulatedNetwork(World) { Conditions = plan.Links }, new()
        {
            Nodes = [.. group.Options.Members],
            Create = start => Wrap(
                start.Self, _replicas[start.Self] = group.Make(start.Self, _services[start.Self] = new Counters()), corrupted),
            Messages = new HotStuff.MessageWire(),
            Records = new HotStuff.RecordWire(),
            Machine = plan.Machine,
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

    /// <summary>Four members under faults drawn from a seed, one of them a liar if its lies are named.</summary>
    public static HotStuffWorld Under(
        ulong seed, string rules, string? lies, HotStuffMutation mutation = HotStuffMutation.None, FaultPlan? plan = null)
    {
        // Three phases in a chain need leaders that stay for more than a view if one of four is silent (hotstuff.md §6).
        var group = HotStuffGroup.Of(4, HotStuffGroup.Rules(rules), rules == "hotstuff-chained" ? 2 : 1).With(options => options with
        {
            ViewTimeout = Duration.FromMilliseconds(300),
            LongestTimeout = Duration.FromSeconds(2),
            Spread = seed % 2 == 0 ? TimeoutSpread.NextLeaders : TimeoutSpread.Everyone,
            MaxCommands = 1 + (int)(seed % 3),
            MaxFetched = 3,
            CheckpointPeriod = 4 + (int)(seed % 5),
            PageSize = 32,
            FanOut = 2,
            Mutation = mutation,
        });
        var liar = new NodeId(1 + (int)(seed % 4));
        SortedDictionary<NodeId, Func<Adversary<HotStuff.Message>>> corrupted = [];
        if (lies is not null)
        {
            corrupted.Add(liar, () => HotStuffLiars.Make(lies, group, liar));
        }

        return new HotStuffWorld(seed, plan ?? FaultPlan.Swarm(seed), group, clients: 3, corrupted);
    }

    /// <summary>
    /// One after the other, members are cut off for so long that the others drop blocks that these have not seen; in between machines die,
    /// and logs are cut often.
    /// </summary>
    public static FaultPlan Absences(ulong seed)
    {
        var acts = new List<(Duration At, Action<ISimulatedCluster> Act)>();
        for (var turn = 0; turn < 4; turn++)
        {
            // Not the liar of that seed first.
            var away = 1 + (int)((seed + 1 + (ulong)turn) % 4);
            acts.Add((Duration.FromMilliseconds(300 + 1_500 * turn), cluster => Cut(cluster, away)));
            acts.Add((Duration.FromMilliseconds(1_400 + 1_500 * turn), cluster => cluster.Network.Heal()));
        }

        return new FaultPlan
        {
            Faults = [new Script("absence", acts), new Crashes(Duration.FromSeconds(1), Duration.FromMilliseconds(300))],
            Machine = new MachineConditions { CheckpointBytes = 12 << 10 },
        };

        static void Cut(ISimulatedCluster cluster, int away)
        {
            foreach (var other in cluster.Nodes.Where(other => other.Value != away))
            {
                cluster.Network.Block(away, other.Value);
                cluster.Network.Block(other.Value, away);
            }
        }
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

    /// <summary>How often a correct replica went on beyond what it did not execute itself: from a state that it fetched.</summary>
    public int Transfers { get; private set; }

    /// <summary>How often the log of a correct replica was cut.</summary>
    public long Cuts => Cluster.Nodes.Where(node => !Corrupted.Contains(node)).Sum(node => Cluster.Counts(node).Checkpoints);

    /// <summary>The highest checkpoint that a correct member told of.</summary>
    public long LastCheckpoint => _checkpoints.Keys.LastOrDefault();

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
            SubmitToAll(Group.Command($"c{index}+", client.Sequence, client.Id), index << 32 | client.Sequence);
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

        client.Answers[node] = executed;
        if (client.Answers.Values.Count(answer => answer == executed) > Group.Options.Faults)
        {
            // Each command adds one to its client's own counter.
            Demand(new Key(executed.Value).ToString() == sequence.ToString(CultureInfo.InvariantCulture), "ExecutedOnce", $"{sequence}: {executed}");
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
        foreach (var alike in _replicas.Where(item => !Corrupted.Contains(item.Key)).GroupBy(item => item.Value.Executed))
        {
            var states = alike.Select(item => _services[item.Key].Values).ToList();
            Demand(states.All(state => state.SequenceEqual(states[0])), "StatesAgree", $"at {alike.Key}");
        }
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
        var counted = new Watched<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>(node, replica, OnSending, OnHeard);
        return corrupted is not null && corrupted.TryGetValue(node, out var adversary)
            ? new Corrupted<HotStuff.Message, HotStuff.Record, HotStuff.Command, HotStuff.Result>(counted, adversary())
            : counted;
    }

    private void OnSending(NodeId from, NodeId to, HotStuff.Message message)
    {
        var kind = message.GetType().Name;
        _sent[kind] = _sent.GetValueOrDefault(kind) + 1;
        OnSent?.Invoke(from, to, message);
        if (_judges && !Corrupted.Contains(from))
        {
            var flaw = Group.FlawOf(_replicas[from], message);
            Demand(flaw is null, flaw ?? "", $"{from}: {message}");
            if (message is HotStuff.Message.Checkpoint { Of: var told })
            {
                Demand(
                    _checkpoints.TryAdd(told.Height, told) || _checkpoints[told.Height] == told,
                    HotStuff.CheckpointsAgree,
                    $"{from}: {told}, and {_checkpoints[told.Height]}");
            }
        }
    }

    private void OnHeard(NodeId from, HotStuff.Message message)
    {
        if (!_judges || Corrupted.Contains(from))
        {
            return;
        }

        _testimony.Hear(from, message, Cluster.IsUp(from) ? _replicas[from] : null);
        var said = message switch
        {
            HotStuff.Message.Vote vote => ((from, 1 + (int)vote.Phase, vote.View), vote.Block),
            HotStuff.Message.Proposal { Block: var block } => ((from, 0, block.View), block.Digest),
            _ => default,
        };
        Demand(
            said.Item1.View == 0 || _said.TryAdd(said.Item1, said.Item2) || _said[said.Item1] == said.Item2,
            "SpeaksOnce",
            $"{from}: {message}");
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
        Demand(Group.IsSigned(command), "SignedCommands", $"{command}");
        var life = _replicas[node];
        Transfers += _reached.TryGetValue(node, out var reached) && reached.Life == life && reached.Last.Next < position ? 1 : 0;
        _reached[node] = (life, position);
        OnDone?.Invoke(node, command);
    }

    private sealed class Client(int id)
    {
        public int Id { get; } = id;

        public long Sequence { get; set; } = 1;

        public long AskedAt { get; set; }

        public SortedDictionary<NodeId, HotStuff.Result.Executed> Answers { get; } = [];
    }
}
