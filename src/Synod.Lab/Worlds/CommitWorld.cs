using System.Collections.Immutable;
using System.Globalization;
using Synod.Core;
using Synod.Protocols.Commit;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

/// <summary>What a run of a <see cref="CommitWorld{TMessage,TRecord}"/> came to.</summary>
/// <param name="Joined">Transactions that were opened and joined, and committed.</param>
public sealed record CommitRun(
    long Committed, long Aborted, long Unknown, long Applied, long Crashes, long Checkpoints, string Faults, long Joined = 0)
{
    public static CommitRun operator +(CommitRun left, CommitRun right) => new(
        left.Committed + right.Committed,
        left.Aborted + right.Aborted,
        left.Unknown + right.Unknown,
        left.Applied + right.Applied,
        left.Crashes + right.Crashes,
        left.Checkpoints + right.Checkpoints,
        right.Faults,
        left.Joined + right.Joined);
}

/// <summary>
/// Nodes that each begin transactions and take part in them, in the simulator under a fault plan, whatever the protocol is. A client
/// begins transactions over a few keys, so that they conflict; every transaction writes a value of its own, so that a judge can tell
/// who applied what. At the end nothing may be in doubt, and each transaction is applied by all of its writers or by none.
/// </summary>
public sealed class CommitWorld<TMessage, TRecord> : IAnswerReceiver<CommitResult>, IEventTarget
    where TMessage : class
    where TRecord : class
{
    private static readonly Duration Pace = Duration.FromMilliseconds(20);

    private readonly CommitRoom<TMessage, TRecord> _room;
    private readonly SimulatedWorld _world;
    private readonly SimulatedCluster<TMessage, TRecord, CommitCommand, CommitResult> _cluster;
    private readonly FaultInjector _injector;
    private readonly SeededRandom _random;
    private readonly bool _guesses;
    private readonly EnlistingClient? _enlisting;
    private readonly List<ImmutableArray<Branch>> _begun = [];
    private readonly SortedDictionary<long, bool> _told = [];
    private readonly SortedSet<(NodeId Node, TransactionId Transaction)> _vetoed = [];
    private readonly SortedSet<(NodeId Node, TransactionId Transaction)> _applied = [];
    private readonly SortedDictionary<(int Number, NodeId Node), TransactionId> _writers = [];
    private bool _begins = true;
    private long _unknown;

    private CommitWorld(
        ulong seed, CommitRoom<TMessage, TRecord> room, int nodes, FaultPlan plan, bool guesses, bool enlists, TextWriter? trace = null)
    {
        (_room, _guesses) = (room, guesses);
        _world = new SimulatedWorld(seed, trace) { MostEvents = 5_000_000 };
        _random = _world.Random.Fork();
        _cluster = new(_world, new SimulatedNetwork(_world) { Conditions = plan.Links }, new()
        {
            Nodes = [.. Enumerable.Range(1, nodes).Select(number => new NodeId(number))],
            Create = start => room.Make(start.Self),
            Messages = room.Messages,
            Records = room.Records,
            Machine = plan.Machine,
            Clocks = plan.Clocks,
        })
        {
            Executed = OnExecuted,
        };
        _injector = new FaultInjector(_cluster, plan.Faults);
        _enlisting = enlists ? new EnlistingClient(_world, _random.Fork(), _cluster.Nodes, _cluster, Check) : null;
    }

    /// <summary>Any fault at all, with suspicions that are often wrong.</summary>
    /// <exception cref="SimulationFailure">An invariant or the judge objected.</exception>
    public static CommitRun RunAnywhere(
        ulong seed, CommitRoom<TMessage, TRecord> room, int nodes, bool enlists = false, TextWriter? trace = null) =>
        new CommitWorld<TMessage, TRecord>(seed, room, nodes, FaultPlan.Swarm(seed), guesses: true, enlists, trace).Run();

    /// <summary>
    /// Many short lives, slow disks, lost messages and cuts: whoever does not wait for its record, or for a majority, is caught. Drawn
    /// faults alone seldom crash a process in the moment that counts.
    /// </summary>
    /// <param name="seed">What chance is drawn from.</param>
    /// <param name="room">The protocol.</param>
    /// <param name="nodes">How many processes there are.</param>
    /// <param name="checkpointBytes">After so many bytes of log a process makes a checkpoint; by default never.</param>
    /// <param name="enlists">Whether half of the transactions are opened, and joined by those who take part.</param>
    /// <exception cref="SimulationFailure">An invariant or the judge objected.</exception>
    public static CommitRun RunStormy(
        ulong seed, CommitRoom<TMessage, TRecord> room, int nodes, long checkpointBytes = long.MaxValue, bool enlists = false)
    {
        var plan = new FaultPlan
        {
            Machine = new MachineConditions { MostSync = Duration.FromMilliseconds(5), SlowSyncPerMillion = 100_000, CheckpointBytes = checkpointBytes },
            Links = new LinkConditions { MostDelay = Duration.FromMilliseconds(10), LossPerMillion = 100_000, Reorders = true },
            Faults =
            [
                new Crashes(Duration.FromMilliseconds(300), Duration.FromMilliseconds(200)),
                new Partitions(Duration.FromSeconds(1), Duration.FromMilliseconds(300), OneWay: false),
            ],
        };
        return new CommitWorld<TMessage, TRecord>(seed, room, nodes, plan, guesses: true, enlists).Run();
    }

    /// <summary>
    /// Processes crash, and nothing else: messages and disks take a bounded time, and a failure detector suspects whoever is down,
    /// after that time, and nobody else. The only world in which three-phase commit is right.
    /// </summary>
    /// <param name="seed">What chance is drawn from.</param>
    /// <param name="room">The protocol.</param>
    /// <param name="nodes">How many processes there are.</param>
    /// <param name="checkpointBytes">After so many bytes of log a process makes a checkpoint; by default never.</param>
    /// <param name="enlists">Whether half of the transactions are opened, and joined by those who take part.</param>
    /// <exception cref="SimulationFailure">An invariant or the judge objected.</exception>
    public static CommitRun RunSynchronous(
        ulong seed, CommitRoom<TMessage, TRecord> room, int nodes, long checkpointBytes = long.MaxValue, bool enlists = false)
    {
        var plan = new FaultPlan
        {
            Machine = new MachineConditions { SlowSyncPerMillion = 0, CheckpointBytes = checkpointBytes },
            Faults = [new DetectedCrashes(Duration.FromMilliseconds(300), Duration.FromMilliseconds(150 + (100 * (long)(seed % 5))))],
        };
        return new CommitWorld<TMessage, TRecord>(seed, room, nodes, plan, guesses: false, enlists).Run();
    }

    public void Handle(in SimulatedEvent happened)
    {
        if (!_begins)
        {
            return;
        }

        _world.After(_random.Wait(Pace), this, 0);
        var node = AnyNode();
        switch (_random.Below(20))
        {
            case 0:
                _cluster.Submit(node, new CommitCommand.Veto(new(AnyNode(), 1 + _random.Below(3), 1 + _random.Below(100))), this, -1);
                break;
            case 1 when _guesses:
                GuessACut();
                break;
            default:
                if (_enlisting is not null && _random.Below(2) == 0)
                {
                    Open(node);
                    break;
                }

                Begin(node);
                break;
        }
    }

    public void OnAnswer(NodeId node, long tag, CommitResult result)
    {
        switch (result)
        {
            case CommitResult.Committed or CommitResult.Aborted:
                _told.Add(tag, result is CommitResult.Committed);
                break;
            case CommitResult.Vetoed vetoed:
                _vetoed.Add((node, vetoed.Transaction));
                break;
            case CommitResult.Malformed:
                throw _world.Failure("BeginIsWellFormed", node, $"{tag}");
        }
    }

    public void OnLost(NodeId node, long tag) => _unknown += tag < 0 ? 0 : 1;

    private CommitRun Run()
    {
        _cluster.Start();
        _injector.Start();
        _world.After(Pace, this, 0);
        _world.RunUntil(Duration.FromSeconds(6));
        _injector.Stop();
        var before = _told.Values.Count(committed => committed);
        _world.RunUntil(_world.Elapsed + Duration.FromSeconds(3));
        _begins = false;
        if (!_world.RunUntil(IsQuiet, _world.Elapsed + Duration.FromSeconds(40)))
        {
            throw _world.Failure("EverythingEnds", NodeId.None, "in doubt or open after the faults");
        }

        if (_told.Values.Count(committed => committed) == before)
        {
            throw _world.Failure("SomethingCommits", NodeId.None, "nothing committed after the faults");
        }

        Judge();
        return new CommitRun(
            _told.Values.Count(committed => committed),
            _told.Values.Count(committed => !committed),
            _unknown,
            _applied.Count,
            _cluster.Nodes.Sum(node => _cluster.Counts(node).Crashes),
            _cluster.Nodes.Sum(node => _cluster.Counts(node).Checkpoints),
            string.Join(", ", _injector.Counts.Select(item => $"{item.Key} {item.Value}")),
            _enlisting?.Committed ?? 0);
    }

    /// <summary>Detectors see a cut where there is none, or only a slow message: each side takes the other one for crashed.</summary>
    private void GuessACut()
    {
        var side = NodeSet.Of([.. _cluster.Nodes.Where(_ => _random.Below(2) == 0)]);
        foreach (var node in _cluster.Nodes)
        {
            foreach (var other in _cluster.Nodes.Where(other => side.Contains(other) != side.Contains(node)))
            {
                _cluster.Submit(node, new CommitCommand.Suspect(other), this, -1);
            }
        }
    }

    private NodeId AnyNode() => _cluster.Nodes[_random.Below(_cluster.Nodes.Count)];

    private void Begin(NodeId node)
    {
        var number = _begun.Count;
        var value = Key.Of(number.ToString(CultureInfo.InvariantCulture)).Memory;
        var branches = ImmutableArray.CreateBuilder<Branch>();
        var seen = NodeSet.Empty;
        for (var count = 1 + _random.Below(3); count > 0; count--)
        {
            var participant = AnyNode();
            if (!seen.Contains(participant))
            {
                seen = seen.With(participant);
                branches.Add(new(participant, _random.Below(5) == 0 ? [] : [new Write(Key.Of($"k{_random.Below(6)}"), value)]));
            }
        }

        if (_cluster.Submit(node, new CommitCommand.Begin(branches.ToImmutable()), this, number))
        {
            _begun.Add(branches.ToImmutable());
        }
    }

    private void Open(NodeId node)
    {
        if (_enlisting!.Begin(_begun.Count, node))
        {
            _begun.Add([]);
        }
    }

    private bool IsQuiet() => _cluster.Nodes.All(node =>
        _cluster[node].Protocol is ICommitProtocol { Ledger.InDoubt.Count: 0, Open.Count: 0, Enlisted.Count: 0 });

    /// <summary>What is applied is what was begun, and one transaction's: again after a restart, but never another one's.</summary>
    private void OnExecuted(NodeId node, Slot position, CommitCommand command)
    {
        var apply = (CommitCommand.Apply)command;
        if (apply.Writes.IsEmpty)
        {
            return;
        }

        var number = int.Parse(apply.Writes[0].Value.Span, CultureInfo.InvariantCulture);
        _applied.Add((node, apply.Transaction));
        if (_enlisting?.Has(number) == true)
        {
            _enlisting.OnApplied(number, node, apply);
        }

        Check(
            _enlisting?.Has(number) == true || _begun[number].Any(branch => branch.Participant == node && branch.Writes.SequenceEqual(apply.Writes)),
            "NoLostUpdate",
            node,
            $"{position} {apply} is not what was begun");
        Check(
            _writers.TryAdd((number, node), apply.Transaction) || _writers[(number, node)] == apply.Transaction,
            "OneTransactionEach",
            node,
            $"{position} {apply}");
    }

    private void Judge()
    {
        for (var number = 0; number < _begun.Count; number++)
        {
            var writers = _begun[number].Where(branch => branch.Writes.Length > 0).Select(branch => branch.Participant).ToArray();
            var count = writers.Count(node => _writers.ContainsKey((number, node)));
            Check(count == 0 || count == writers.Length, Ledger.Agreement, NodeId.None, $"{number} is applied by {count} of {writers.Length}");
            if (_told.TryGetValue(number, out var committed) && writers.Length > 0)
            {
                Check(committed == count > 0, "AnswerTold", NodeId.None, $"{number}: told {(committed ? "committed" : "aborted")}, applied by {count}");
            }
        }

        _enlisting?.Judge();

        // A guessed veto may have come to a node that took no part: it binds that node only.
        foreach (var (node, transaction) in _applied)
        {
            Check(!_vetoed.Contains((node, transaction)), "VetoesStand", node, $"{transaction} is committed");
        }
    }

    private void Check(bool holds, string invariant, NodeId node, string detail)
    {
        if (!holds)
        {
            throw _world.Failure(invariant, node, $"{_room.Name}: {detail}");
        }
    }

    /// <summary>
    /// Crashes that everyone who is up is told of, once nothing of the crashed process can be under way any more. Half of them are
    /// followed by another one about as soon as that: what one death leaves half done is met by the next.
    /// </summary>
    private sealed record DetectedCrashes(Duration Every, Duration Down) : IFault, IAnswerReceiver<CommitResult>
    {
        private static readonly Duration Detection = Duration.FromMilliseconds(50);

        public string Name => "crash";

        public void Start(FaultInjector injector) => injector.Every(Every, () =>
        {
            Crash(injector);
            if (injector.Random.Below(2) == 0)
            {
                injector.After(injector.Random.Wait(Detection), () => Crash(injector));
            }
        });

        public void OnAnswer(NodeId node, long tag, CommitResult result)
        {
        }

        public void OnLost(NodeId node, long tag)
        {
        }

        private void Crash(FaultInjector injector)
        {
            var node = injector.AnyNode();
            if (injector.Cluster.IsUp(node))
            {
                injector.Count(Name);
                injector.Cluster.Crash(node);
                injector.Cluster.StartAfter(node, injector.Random.Wait(Down));
                Detect(injector, node);
            }
        }

        private void Detect(FaultInjector injector, NodeId crashed) => injector.After(Detection, () =>
        {
            if (injector.Cluster.IsUp(crashed))
            {
                return;
            }

            foreach (var node in injector.Cluster.Nodes)
            {
                ((ICommandTarget<CommitCommand, CommitResult>)injector.Cluster).Submit(
                    node, new CommitCommand.Suspect(crashed), this, 0);
            }

            Detect(injector, crashed);
        });
    }
}
