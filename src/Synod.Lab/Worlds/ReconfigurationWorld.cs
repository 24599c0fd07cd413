using System.Text;
using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<ReconfigurablePaxos.Message, ReconfigurablePaxos.Record, ReconfigurablePaxos.Command, ReconfigurablePaxos.Result>;
using Command = ReconfigurablePaxos.Command;
using Result = ReconfigurablePaxos.Result;

/// <summary>
/// One log whose members and quorums change under load, while machines and links fail. Every slot has one command, whoever executes it in
/// whichever epoch; states hold what was agreed; and once the faults stop, the members of the last configuration agree on something new.
/// </summary>
public sealed class ReconfigurationWorld : IAnswerReceiver<Result>
{
    private static readonly NodeId[] s_nodes = [new(1), new(2), new(3), new(4), new(5)];

    private readonly SortedDictionary<Slot, string> _agreed = [];
    private readonly SortedDictionary<NodeId, StoredLog> _states = [];
    private readonly IReadOnlyList<QuorumSystem> _plans;
    private readonly SeededRandom _random;
    private readonly SimulatedWorld _world;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;
    private int _values;

    internal ReconfigurationWorld(
        ulong seed, EpochMutation mutation, IReadOnlyList<QuorumSystem>? plans = null, FaultPlan? faults = null, TextWriter? trace = null)
    {
        _world = new SimulatedWorld(seed, trace) { MostEvents = 5_000_000 };
        _random = _world.Random.Fork();
        _plans = plans ?? Usual;
        faults ??= FaultPlan.Swarm(seed);
        var first = Configuration.First(SizedQuorums.Majority(NodeSet.Of(s_nodes[..3])));
        _cluster = new Cluster(_world, new SimulatedNetwork(_world) { Conditions = faults.Links }, new()
        {
            Nodes = s_nodes,
            Create = start =>
            {
                var state = new StoredLog(start.Store, first.Quorums.Members.Contains(start.Self) ? first : null);
                _states[start.Self] = state;
                return new ReconfigurablePaxos(start.Self, Options, state, mutation);
            },
            Messages = new ReconfigurablePaxos.MessageWire(),
            Records = new ReconfigurablePaxos.RecordWire(),
            Machine = faults.Machine,
            Clocks = faults.Clocks,
        })
        {
            Executed = OnExecuted,
        };
        _injector = new FaultInjector(_cluster, faults.Faults);
    }

    public ReconfigurationWorld(ulong seed, IReadOnlyList<QuorumSystem>? plans = null, FaultPlan? faults = null, TextWriter? trace = null)
        : this(seed, EpochMutation.None, plans, faults, trace)
    {
    }

    /// <summary>Three members, five, other three, four in a grid, zones.</summary>
    public static IReadOnlyList<QuorumSystem> Usual { get; } =
    [
        SizedQuorums.Majority(Set(1, 2, 3, 4, 5)),
        SizedQuorums.Majority(Set(3, 4, 5)),
        new SizedQuorums(Set(1, 2, 3, 4, 5), 4, 2),
        new GridQuorums(Set(2, 3, 4, 5), 2, 2),
        SizedQuorums.Majority(Set(1, 2, 4)),
        new ZoneQuorums(Set(1, 2, 3, 4), [Set(1, 2), Set(3, 4)], 1, 0),
    ];

    /// <summary>Short times and few retained slots, so that short runs see elections, leases and snapshots.</summary>
    public static MultiPaxosOptions Options { get; } = new()
    {
        HeartbeatInterval = Duration.FromMilliseconds(20),
        ElectionTimeout = Duration.FromMilliseconds(100),
        LeaseDuration = Duration.FromMilliseconds(300),
        RetainedSlots = 40,
        ChunkEntries = 8,
    };

    public int Agreed => _agreed.Count;

    public int Adopted { get; private set; }

    public long Epoch => Newest?.Epoch ?? 0;

    public long Crashes => s_nodes.Sum(node => _cluster.Counts(node).Crashes);

    public int MayRetire => Nodes().Count(node => node.MayRetire);

    public long Refusals(Refusal refusal) => s_nodes.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    private Configuration? Newest => Nodes().Select(node => node.Configuration).OfType<Configuration>().MaxBy(item => item.Epoch);

    /// <summary>Faults for a while, then none.</summary>
    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(Duration stormy, Duration deadline)
    {
        _cluster.Start();
        _injector.Start();
        while (_world.Elapsed < stormy)
        {
            Act();
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(10));
        }

        _injector.Stop();
        var end = _world.Elapsed + deadline;
        while (!IsSettled())
        {
            if (_world.Elapsed >= end)
            {
                throw _world.Failure("Liveness", NodeId.None, Describe());
            }

            Propose("last");
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(100));
        }

        Judge();
    }

    public void OnAnswer(NodeId node, long tag, Result result) => Adopted += result is Result.Adopted ? 1 : 0;

    public void OnLost(NodeId node, long tag)
    {
    }

    private static NodeSet Set(params ReadOnlySpan<int> ids)
    {
        var set = NodeSet.Empty;
        foreach (var id in ids)
        {
            set = set.With(new NodeId(id));
        }

        return set;
    }

    private List<ReconfigurablePaxos> Nodes() => [.. s_nodes.Select(node => _cluster[node].Protocol).OfType<ReconfigurablePaxos>()];

    private void Act()
    {
        Propose($"v{++_values}");
        Propose($"v{++_values}");
        if (_random.Below(40) == 0)
        {
            ToLeaders(new Command.Reconfigure(_plans[_random.Below(_plans.Count)]));
        }
    }

    private void Propose(string value) =>
        ToLeaders(new Command.Ask(new MultiPaxos.Command.Propose(Encoding.UTF8.GetBytes(value))));

    /// <summary>Whoever believes to lead is asked, and now and then somebody else.</summary>
    private void ToLeaders(Command command)
    {
        var anyone = s_nodes[_random.Below(s_nodes.Length)];
        foreach (var node in s_nodes)
        {
            if (_cluster[node].Protocol is ReconfigurablePaxos { Replica.Role: PaxosRole.Leader } || (node == anyone && _random.Below(5) == 0))
            {
                _cluster.Submit(node, command, this, 0);
            }
        }
    }

    private void OnExecuted(NodeId node, Slot slot, Command command)
    {
        var text = command.ToString()!;
        if (!_agreed.TryAdd(slot, text) && _agreed[slot] != text)
        {
            throw _world.Failure("Agreement", node, $"{slot}: {text}, but {_agreed[slot]} elsewhere");
        }

        if (_states[node].Applied < slot)
        {
            _states[node].Apply(slot, command);
        }
    }

    /// <summary>Every member of the last epoch takes part and has executed something that was proposed after the faults.</summary>
    private bool IsSettled() => Nodes() is { Count: 5 } nodes && Newest is { } newest
        && nodes.All(node => !newest.Quorums.Members.Contains(Self(node)) || (node.Replica is not null && node.Configuration == newest
            && _states[Self(node)].Commands().ContainsValue("Apply last")));

    private NodeId Self(ReconfigurablePaxos node) => s_nodes.Single(id => ReferenceEquals(_cluster[id].Protocol, node));

    private void Judge()
    {
        foreach (var (node, state) in _states)
        {
            var expected = _agreed.Where(item => item.Key <= state.Applied).ToList();
            if (!state.Commands().SequenceEqual(expected) && Newest!.Quorums.Members.Contains(node))
            {
                throw _world.Failure("StatesHoldWhatWasAgreed", node, $"{state.Commands().Count} commands of {expected.Count}");
            }
        }
    }

    private string Describe() => string.Join("; ", s_nodes.Select(node => _cluster[node].Protocol is ReconfigurablePaxos process
        ? $"{node} {process.Configuration} {process.Replica?.Role} {process.Replica?.Chosen} applied {_states[node].Applied}"
        : $"{node} down"));
}
