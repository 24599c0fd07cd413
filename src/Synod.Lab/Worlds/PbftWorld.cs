using System.Globalization;
using Synod.Core;
using Synod.Protocols.Byzantine;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;
using Corrupt = Corrupted<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;
using Inside = Disguise<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result>;

/// <summary>
/// A run of a whole group with clients under a seed: faults of machines and links, and some replicas that lie. It checks agreement at
/// every execution, what clients saw at the end, and that everything gets done once the faults stop (the liars go on).
/// </summary>
internal sealed class PbftWorld : IAnswerReceiver<Pbft.Result>
{
    private static readonly NodeId[] s_clients = [new(20), new(21), new(22)];

    private readonly SortedDictionary<Slot, Digest> _agreed = [];
    private readonly SortedDictionary<long, RegisterOperation> _open = [];
    private readonly List<RegisterOperation> _history = [];
    private readonly SortedDictionary<NodeId, bool> _busy = [];
    private readonly SeededRandom _random;
    private readonly SimulatedWorld _world;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;
    private readonly NodeSet _liars;
    private readonly SortedDictionary<(long View, Slot Slot), Digest> _prepared = [];
    private readonly Testimony<Pbft.Message, Pbft> _testimony;
    private int _incrementsTold;
    private int _incrementsBegun;
    private long _tags;
    private bool _isClosing;

    public PbftWorld(
        ulong seed,
        PbftOptions options,
        string lies = "",
        int replicas = 4,
        FaultPlan? plan = null,
        Func<Quartet, NodeId, Adversary<Pbft.Message>>? lying = null,
        TextWriter? trace = null,
        NodeSet liars = default)
    {
        Group = new Quartet(options, replicas);
        _world = new SimulatedWorld(seed, trace) { MostEvents = 5_000_000 };
        _random = _world.Random.Fork();
        _liars = lies == "" && lying is null
            ? NodeSet.Empty
            : liars.IsEmpty ? NodeSet.Of([.. Group.Group.Replicas.Take(Group.Group.Faults)]) : liars;
        _testimony = new((replica, message) => replica.StandsBy(message), (node, what) => throw _world.Failure("SpeaksOnce", node, what));
        plan ??= FaultPlan.Swarm(seed);
        var network = new SimulatedNetwork(_world) { Conditions = plan.Links };
        _cluster = new Cluster(_world, network, new()
        {
            Nodes = [.. Group.Group.Replicas, .. s_clients],
            Create = start => _liars.Contains(start.Self)
                ? new Corrupt(
                    Watch(start.Self), lying?.Invoke(Group, start.Self) ?? new PbftLiars(Group, start.Self).Named(lies))
                : Watch(start.Self),
            Messages = new Pbft.MessageWire(),
            Records = new Pbft.RecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
        })
        {
            Executed = OnExecuted,
        };
        _injector = new FaultInjector(_cluster, plan.Faults);
    }

    /// <summary>Small windows and little patience, so that a short run sees many checkpoints, fetches and views.</summary>
    public static PbftOptions Brisk { get; } = new()
    {
        CheckpointPeriod = 8,
        PageSize = 16,
        FanOut = 2,
        Pipeline = 3,
        RequestTimeout = Duration.FromMilliseconds(150),
        StatusInterval = Duration.FromMilliseconds(40),
        RetryInterval = Duration.FromMilliseconds(80),
    };

    public Quartet Group { get; }

    public int Completed { get; private set; }

    public int Reads { get; private set; }

    /// <summary>The highest view of a correct replica.</summary>
    public long View => Correct().Max(replica => replica.View);

    public Slot Stable => Correct().Max(replica => replica.Stable);

    public long Refusals(Refusal refusal) => Group.Group.Replicas.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    public long Crashes => Group.Group.Replicas.Sum(node => _cluster.Counts(node).Crashes);

    public bool AnyAccused => Correct().Any(replica => replica.Accusations.Count > 0);

    /// <summary>Faults for a while, then none: every client must get an answer and every correct replica all that is agreed.</summary>
    /// <param name="starvation">If it is calm from the beginning: nobody waits so long while others are served.</param>
    public void Run(Duration stormy, Duration deadline, Duration? starvation = null)
    {
        _cluster.Start();
        _injector.Start();
        while (_world.Elapsed < stormy)
        {
            Busy();
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(20));
            Demand(
                starvation is not { } most || _open.Values.All(item => _world.Now - item.Start <= most.Nanoseconds),
                "NobodyStarves",
                () => $"a client waits while others are served: {Describe()}");
        }

        _injector.Stop();
        _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(100));
        _isClosing = true;
        var end = _world.Elapsed + deadline;
        Demand(_world.RunUntil(() => _busy.Values.All(busy => !busy), end), "Liveness", () => $"clients wait for ever: {Describe()}");
        foreach (var client in s_clients)
        {
            Ask(client);
        }

        Demand(_world.RunUntil(() => _busy.Values.All(busy => !busy), end), "Liveness", () => $"clients wait for ever at the end: {Describe()}");
        Demand(_world.RunUntil(HaveConverged, end), "Liveness", () => $"correct replicas stay behind: {Describe()}");
        Judge();
    }

    public void OnAnswer(NodeId node, long tag, Pbft.Result result)
    {
        _busy[node] = false;
        var operation = _open[tag];
        _open.Remove(tag);
        Completed++;
        var told = long.Parse(new Key(((Pbft.Result.Completed)result).Value).ToString(), CultureInfo.InvariantCulture);
        if (operation.Key == "n")
        {
            _incrementsTold++;
            return;
        }

        Reads += operation.Action == RegisterAction.Read ? 1 : 0;
        _history.Add(operation with
        {
            End = _world.Now,
            Outcome = Outcome.Committed,
            Value = operation.Action == RegisterAction.Read ? told : operation.Value,
        });
    }

    public void OnLost(NodeId node, long tag)
    {
        _busy[node] = false;
        var operation = _open[tag];
        _open.Remove(tag);
        if (operation.Key != "n")
        {
            _history.Add(operation with { Outcome = Outcome.Unknown });
        }
    }

    private void Busy()
    {
        foreach (var client in s_clients)
        {
            if (!_busy.GetValueOrDefault(client))
            {
                Ask(client);
            }
        }
    }

    private void Ask(NodeId client)
    {
        var tag = ++_tags;
        var key = _random.Below(2) == 0 ? "a" : "b";
        var (operation, command) = _random.Below(3) switch
        {
            0 => (new RegisterOperation(key, client.Value, _world.Now, 0, RegisterAction.Write, tag, Outcome.Unknown),
                (Pbft.Command)new Pbft.Command.Invoke(Counters.Bytes($"{key}={tag}"))),
            1 => (new RegisterOperation(key, client.Value, _world.Now, 0, RegisterAction.Read, 0, Outcome.Unknown),
                new Pbft.Command.Query(Counters.Bytes(key))),
            _ => (new RegisterOperation("n", client.Value, _world.Now, 0, RegisterAction.Write, 0, Outcome.Unknown),
                new Pbft.Command.Invoke(Counters.Bytes("n+"))),
        };
        _open.Add(tag, operation);
        _busy[client] = true;
        _incrementsBegun += operation.Key == "n" ? 1 : 0;
        if (!_cluster.Submit(client, command, this, tag))
        {
            Demand(!_isClosing, "Liveness", () => "a client is down although the faults have stopped");
            _incrementsBegun -= operation.Key == "n" ? 1 : 0;
            _open.Remove(tag);
            _busy[client] = false;
        }
    }

    private Watched<Pbft.Message, Pbft.Record, Pbft.Command, Pbft.Result> Watch(NodeId node) =>
        new(node, Group.Make(node), (_, _, _) => { }, OnHeard);

    private void OnHeard(NodeId from, Pbft.Message message)
    {
        if (_liars.Contains(from) || !Group.Group.Members.Contains(from))
        {
            return;
        }

        _testimony.Hear(from, message, Replica(from));
        if (message is Pbft.Message.Commit m)
        {
            Demand(
                _prepared.TryAdd((m.View, m.Slot), m.Digest) || _prepared[(m.View, m.Slot)] == m.Digest,
                "OnePreparesInAView",
                () => $"{from}: {m}, and {_prepared[(m.View, m.Slot)]}");
        }
    }

    private Pbft? Replica(NodeId node)
    {
        var machine = _cluster[node].Protocol;
        while (machine is Inside inside)
        {
            machine = inside.Inner;
        }

        return machine as Pbft;
    }

    private void OnExecuted(NodeId node, Slot slot, Pbft.Command command)
    {
        if (_liars.Contains(node))
        {
            return;
        }

        var batch = ((Pbft.Command.Apply)command).Batch;
        Demand(batch.Requests.All(Group.IsSigned), "SignedRequests", () => $"{slot}: {batch}");
        var digest = batch.Digest;
        if (!_agreed.TryAdd(slot, digest) && _agreed[slot] != digest)
        {
            throw _world.Failure(Pbft.Agreement, node, $"{slot}: {digest}, but {_agreed[slot]} elsewhere");
        }
    }

    private IEnumerable<Pbft> Correct() =>
        Group.Group.Replicas.Where(node => !_liars.Contains(node)).Select(Replica).OfType<Pbft>();

    private bool HaveConverged()
    {
        var replicas = Correct().ToList();
        return replicas.Count == Group.Group.Replicas.Length - _liars.Count
            && replicas.All(replica => replica.Executed == replicas[0].Executed && replica.Executed.Value >= _agreed.Keys.Last().Value);
    }

    private void Judge()
    {
        var violation = LinearizabilityChecker.Check(_history.Concat(_open.Values.Where(item => item.Key != "n")));
        Demand(violation is null, "Linearizable", () => $"{violation}");
        var states = Group.Group.Replicas.Where(node => !_liars.Contains(node)).Select(node => Group.Services[node].Values).ToList();
        Demand(states.All(state => state.SequenceEqual(states[0])), "StatesAgree", Describe);
        var count = states[0].GetValueOrDefault("n");
        Demand(
            _incrementsTold <= count && count <= _incrementsBegun,
            "ExecutedOnce",
            () => $"{count} increments of {_incrementsBegun} begun, {_incrementsTold} told");
        foreach (var evidence in Correct().SelectMany(replica => replica.Accusations))
        {
            Demand(_liars.Contains(evidence.Accused), Pbft.CorrectIsNotAccused, evidence.ToString);
        }
    }

    private void Demand(bool holds, string property, Func<string> detail)
    {
        if (!holds)
        {
            throw _world.Failure(property, NodeId.None, detail());
        }
    }

    private string Describe() => string.Join("; ", Group.Group.Replicas.Select(node =>
        $"{node}{(_liars.Contains(node) ? " lies" : "")} {Correct(node)}"));

    private string Correct(NodeId node) => Replica(node) is { } replica
        ? FormattableString.Invariant($"view {replica.View} {(replica.IsActive ? "active" : "changing")} executed {replica.Executed} stable {replica.Stable} fetching {replica.IsFetching}")
        : "down";
}
