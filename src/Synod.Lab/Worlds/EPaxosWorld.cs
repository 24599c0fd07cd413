using System.Globalization;
using Synod.Core;
using Synod.Protocols.Consensus;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<EPaxos.Message, EPaxos.Record, EPaxos.Command, EPaxos.Result>;

/// <summary>What an <see cref="EPaxosWorld"/> is made of.</summary>
public sealed record EPaxosSetting
{
    public int Replicas { get; init; } = 3;

    public int Clients { get; init; } = 4;

    public EPaxosOptions Options { get; init; } = Impatient;

    /// <summary>Null draws one from the seed.</summary>
    public FaultPlan? Plan { get; init; }

    /// <summary>Whether replicas are told now and then that an instance's coordinator is gone, though it is not.</summary>
    public bool Rumours { get; init; }

    /// <summary>Small limits, so that short runs meet all of them.</summary>
    public static EPaxosOptions Impatient { get; } = new()
    {
        BeatInterval = Duration.FromMilliseconds(10),
        RecoveryTimeout = Duration.FromMilliseconds(60),
        Pipeline = 4,
        BatchCommands = 3,
        FetchInstances = 16,
    };

    /// <summary>Late and lost messages, crashes and splits every few hundred milliseconds, for mistakes that need recovery to show.</summary>
    public static FaultPlan Storm { get; } = new()
    {
        Links = new LinkConditions { SlowDelay = Duration.FromMilliseconds(80) },
        Machine = new MachineConditions { MostSync = Duration.FromMilliseconds(5), CheckpointBytes = 16 << 10 },
        Faults =
        [
            new BadLinks(200_000, 50_000, 0, 300_000, true, Duration.FromMilliseconds(200)),
            new Crashes(Duration.FromMilliseconds(150), Duration.FromMilliseconds(60)),
            new Partitions(Duration.FromMilliseconds(500), Duration.FromMilliseconds(100), OneWay: true),
        ],
    };
}

/// <summary>
/// A run of a whole group with clients under a seed and a fault plan, each client with a session whose commands are retried at other
/// replicas. An <see cref="EPaxosJudge"/> watches what is decided and executed; at the end, everybody must have everything.
/// </summary>
public sealed class EPaxosWorld : IAnswerReceiver<EPaxos.Result>
{
    private static readonly Duration s_tick = Duration.FromMilliseconds(2);
    private static readonly Duration s_patience = Duration.FromMilliseconds(150);

    private readonly EPaxosSetting _setting;
    private readonly SimulatedWorld _world;
    private readonly SeededRandom _random;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;
    private readonly EPaxosJudge _judge;
    private readonly Client[] _clients;
    private readonly List<RegisterOperation> _history = [];
    private long _values;
    private long _addsTold;
    private long _addsBegun;

    public EPaxosWorld(ulong seed, EPaxosSetting setting, TextWriter? trace = null)
    {
        _setting = setting;
        _world = new SimulatedWorld(seed, trace) { MostEvents = 5_000_000 };
        _random = _world.Random.Fork();
        var plan = setting.Plan ?? FaultPlan.Swarm(seed);
        NodeId[] nodes = [.. Enumerable.Range(1, setting.Replicas).Select(number => new NodeId(number))];
        var group = new EPaxosGroup(NodeSet.Of(nodes));
        _judge = new EPaxosJudge(_world, node => _cluster!.IsUp(node));
        _cluster = new Cluster(_world, new SimulatedNetwork(_world) { Conditions = plan.Links }, new()
        {
            Nodes = nodes,
            Create = start =>
            {
                _judge.OnStart(start.Self);
                return new EPaxos(start.Self, group, setting.Options, new ReplicatedMap());
            },
            Messages = new EPaxos.MessageWire(),
            Records = new EPaxos.RecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
        })
        {
            Executed = (node, _, command) => _judge.OnExecuted(Replica(node)!, (EPaxos.Command.Apply)command),
        };
        _injector = new FaultInjector(_cluster, plan.Faults);
        _clients = [.. Enumerable.Range(1, setting.Clients).Select(number => new Client { Session = number })];
    }

    /// <summary>Commands that were answered.</summary>
    public int Completed { get; private set; }

    /// <summary>What was decided, and how.</summary>
    public EPaxosJudge Judge => _judge;

    public long Crashes => _cluster.Nodes.Sum(node => _cluster.Counts(node).Crashes);

    public long Checkpoints => _cluster.Nodes.Sum(node => _cluster.Counts(node).Checkpoints);

    public long Refusals(Refusal refusal) => _cluster.Nodes.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    /// <summary>One run with a known mistake: what went wrong, or null.</summary>
    internal static SimulationFailure? Hunt(ulong seed, EPaxosSetting setting, EPaxosMutation mutation)
    {
        try
        {
            new EPaxosWorld(seed, setting with { Options = setting.Options with { Mutation = mutation } })
                .Run(Duration.FromSeconds(2), Duration.FromSeconds(20));
            return null;
        }
        catch (SimulationFailure failure)
        {
            return failure;
        }
    }

    /// <summary>Faults for a while, then none: every client must get its answer and every replica everything.</summary>
    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(Duration stormy, Duration deadline)
    {
        _cluster.Start();
        _injector.Start();
        while (_world.Elapsed < stormy)
        {
            Tick(asking: true);
        }

        _injector.Stop();
        var end = _world.Elapsed + deadline;
        Until(() => _clients.All(client => client.Open is null), end, "ClientsAreAnswered");
        foreach (var client in _clients)
        {
            Ask(client, 0);
        }

        Until(() => _clients.All(client => client.Open is null), end, "ClientsAreAnsweredAtTheEnd");
        Until(HaveConverged, end, "ReplicasConverge");
        Conclude();
    }

    public void OnAnswer(NodeId node, long tag, EPaxos.Result result)
    {
        var client = _clients[(tag >> 32) - 1];
        if (client.Open is not { } operation || client.Number != (tag & uint.MaxValue))
        {
            return;
        }

        if (result is not EPaxos.Result.Completed { Value: var value })
        {
            if (result is not EPaxos.Result.Overloaded)
            {
                throw _world.Failure("CurrentNumberIsExecuted", node, $"{result} for {client.Session}/{client.Number}");
            }

            return;
        }

        client.Open = null;
        Completed++;
        Note(operation, value);
    }

    public void OnLost(NodeId node, long tag)
    {
        // The client's patience will run out, and it asks elsewhere.
    }

    private void Note(RegisterOperation operation, ReadOnlyMemory<byte> value)
    {
        if (operation.Key == "n")
        {
            _addsTold++;
            return;
        }

        _history.Add(operation with
        {
            End = _world.Now,
            Outcome = operation.Action == RegisterAction.CompareAndSet && value.Span is not [1] ? Outcome.Aborted : Outcome.Committed,
            Value = operation.Action == RegisterAction.Read ? ReplicatedMap.Number(value) : operation.Value,
        });
    }

    private void Until(Func<bool> done, Duration end, string claim)
    {
        while (!done())
        {
            if (_world.Elapsed >= end)
            {
                _judge.LookAt(Replicas());
                _judge.CheckVisibility();
                throw _world.Failure(claim, NodeId.None, Describe());
            }

            Tick(asking: false);
        }
    }

    private void Tick(bool asking)
    {
        foreach (var client in _clients)
        {
            if (client.Open is null)
            {
                if (asking)
                {
                    Ask(client, _random.Below(4));
                }
            }
            else if (_world.Elapsed - client.AskedAt > s_patience)
            {
                if (asking && _random.Below(4) == 0)
                {
                    GiveUp(client);
                }
                else
                {
                    Submit(client);
                }
            }
        }

        if (asking && _setting.Rumours)
        {
            SpreadRumour();
        }

        _world.RunUntil(_world.Elapsed + s_tick);
        _judge.LookAt(Replicas());
    }

    private void Ask(Client client, int kind)
    {
        var (key, value) = (_random.Below(2) == 0 ? "a" : "b", ++_values);
        var expected = Math.Max(0, value - 1 - _random.Below(8));
        (client.Open, client.Operation) = kind switch
        {
            0 => (Begun(client, key, RegisterAction.Read, 0), ReplicatedMap.Get(Key.Of(key))),
            1 => (Begun(client, key, RegisterAction.Write, value), ReplicatedMap.Put(Key.Of(key), Bytes(value))),
            2 => (Begun(client, key, RegisterAction.CompareAndSet, value) with { Expected = expected },
                ReplicatedMap.CompareAndSet(Key.Of(key), Bytes(expected), Bytes(value))),
            _ => (Begun(client, "n", RegisterAction.Write, 0), ReplicatedMap.Add(Key.Of("n"), 1)),
        };
        _addsBegun += kind == 3 ? 1 : 0;
        client.Number++;
        Submit(client);
    }

    private RegisterOperation Begun(Client client, string key, RegisterAction action, long value) =>
        new(key, (int)client.Session, _world.Now, 0, action, value, Outcome.Unknown);

    // The checker's registers hold 0 before they hold anything, the map nothing.
    private static ReadOnlyMemory<byte> Bytes(long value) => value == 0 ? default : ReplicatedMap.Bytes(value);

    private void Submit(Client client)
    {
        client.AskedAt = _world.Elapsed;
        var node = _cluster.Nodes[_random.Below(_cluster.Nodes.Count)];
        var command = new EPaxos.ClientCommand(client.Session, client.Number, client.Operation);
        _cluster.Submit(node, new EPaxos.Command.Invoke(command), this, client.Session << 32 | client.Number);
    }

    private void GiveUp(Client client)
    {
        if (client.Open!.Key != "n")
        {
            _history.Add(client.Open);
        }

        client.Open = null;
    }

    private void SpreadRumour()
    {
        var node = _cluster.Nodes[_random.Below(_cluster.Nodes.Count)];
        if (_random.Below(3) == 0 && Replica(node) is { } replica && replica.Held.ToList() is { Count: > 0 } held)
        {
            _cluster.Submit(node, new EPaxos.Command.Suspect(held[_random.Below(held.Count)]), this, _clients[0].Session << 32);
        }
    }

    private EPaxos? Replica(NodeId node) => _cluster[node].Protocol as EPaxos;

    private IEnumerable<EPaxos> Replicas() => _cluster.Nodes.Select(Replica).OfType<EPaxos>();

    private bool HaveConverged()
    {
        var replicas = Replicas().ToList();
        return replicas.Count == _setting.Replicas && replicas.All(replica =>
            !replica.Held.Any() && _cluster.Nodes.All(node => replica.ExecutedUpTo(node) == replicas[0].ExecutedUpTo(node)));
    }

    private void Conclude()
    {
        _judge.CheckVisibility();
        var states = Replicas().Select(replica => ((ReplicatedMap)replica.Replicated).Values).ToList();
        foreach (var state in states)
        {
            var same = state.Count == states[0].Count
                && state.All(pair => states[0].TryGetValue(pair.Key, out var value) && value.Span.SequenceEqual(pair.Value.Span));
            Claim(same, "StatesAreEqual", "after everything was executed everywhere");
        }

        var sum = ReplicatedMap.Number(states[0].GetValueOrDefault(Key.Of("n")));
        Claim(
            sum >= _addsTold && sum <= _addsBegun,
            "ExecutedOnce",
            string.Create(CultureInfo.InvariantCulture, $"the sum of {_addsTold} to {_addsBegun} additions is {sum}"));
        var verdict = LinearizabilityChecker.Check(_history);
        Claim(verdict is null, "Linearizable", verdict ?? "");
    }

    private void Claim(bool holds, string claim, string detail)
    {
        if (!holds)
        {
            throw _world.Failure(claim, NodeId.None, detail);
        }
    }

    private string Describe() => string.Join("; ", _cluster.Nodes.Select(node => Replica(node) is { } replica
        ? $"{node} executed {string.Join(',', _cluster.Nodes.Select(replica.ExecutedUpTo))} holds {string.Join(' ', replica.Held.Take(20).Select(id => $"{id}:{replica.Look(id).Phase}"))}"
        : $"{node} is down"));

    private sealed class Client
    {
        public long Session;
        public long Number;
        public RegisterOperation? Open;
        public ReadOnlyMemory<byte> Operation;
        public Duration AskedAt;
    }
}
