using Synod.Core;
using Synod.Protocols.Gossip.AntiEntropy;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<Scuttlebutt.Message, Scuttlebutt.Record, Scuttlebutt.Command, Scuttlebutt.Result>;

/// <summary>
/// Nodes that set and delete keys of their own while machines, links and disks fail. Nobody goes back behind a deletion that it has shown,
/// equally far is equal, and once the faults stop all have everything that was acknowledged.
/// </summary>
public sealed class ScuttlebuttWorld : IAnswerReceiver<Scuttlebutt.Result>
{
    private const string Forged = "forged";
    private static readonly NodeId[] s_nodes = [new(1), new(2), new(3), new(4)];
    private static readonly Key[] s_keys = [.. Enumerable.Range(0, 12).Select(number => Key.Of($"k{number}"))];

    private readonly SeededRandom _random;
    private readonly SimulatedWorld _world;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;

    // By origin and key: the newest acknowledged version. By node, origin and key: the newest that it showed.
    private readonly SortedDictionary<(Origin Origin, Key Key), long> _acknowledged = [];
    private readonly SortedDictionary<NodeId, SortedDictionary<(Origin Origin, Key Key), long>> _shown = [];
    private readonly SortedDictionary<long, (Key Key, bool IsDeleted)> _asked = [];
    private readonly SortedDictionary<NodeId, DiskBackup> _backups = [];
    private readonly SortedSet<NodeId> _restored = [];
    private readonly SortedDictionary<NodeId, long> _boots = [];
    private Roster _roster = Roster.Of(s_nodes);
    private long _tag;

    public ScuttlebuttWorld(ulong seed, ScuttlebuttOptions options, FaultPlan? plan = null, TextWriter? trace = null)
    {
        _world = new SimulatedWorld(seed, trace) { MostEvents = 5_000_000 };
        _random = _world.Random.Fork();
        plan ??= FaultPlan.Swarm(seed);
        _cluster = new Cluster(_world, new SimulatedNetwork(_world) { Conditions = plan.Links }, new()
        {
            Nodes = s_nodes,
            Create = start => new Scuttlebutt(start.Self, Roster.Of(s_nodes), options with { IsRestored = _restored.Contains(start.Self) }),
            Messages = new Scuttlebutt.MessageWire(),
            Records = new Scuttlebutt.RecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
        });
        _injector = new FaultInjector(_cluster, plan.Faults);
    }

    /// <summary>Times and limits for short runs: messages with room for little, and few tombstones.</summary>
    public static ScuttlebuttOptions Options { get; } = new()
    {
        Period = Duration.FromMilliseconds(20),
        MostMessageBytes = ScuttlebuttOptions.LeastMessageBytes,
        MostTombstones = 3,
    };

    public int Acknowledged { get; private set; }

    public int Deleted { get; private set; }

    public int Wiped { get; private set; }

    public int Fenced { get; private set; }

    public int Restored { get; private set; }

    /// <summary>Origins that were reset somewhere.</summary>
    public int Floors => Processes().Sum(process => process.Origins.Count(progress => progress.Floor > 0));

    public long Crashes => s_nodes.Sum(node => _cluster.Counts(node).Crashes);

    public long Refusals(Refusal refusal) => s_nodes.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    /// <summary>Faults for a while, then none: all become equal.</summary>
    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(Duration stormy, Duration deadline)
    {
        _cluster.Start();
        _injector.Start();
        while (_world.Elapsed < stormy)
        {
            Act();
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(10));
            Judge();
        }

        _injector.Stop();
        var calm = _world.Elapsed;
        var end = calm + deadline;
        while (!IsConverged())
        {
            Check(_world.Elapsed < end, "Liveness", NodeId.None, $"no equal notes: {string.Join("; ", Processes().Select(process => $"{process.Self} [{string.Join(' ', process.Origins)}]"))}");
            if (_world.Elapsed > calm + Duration.FromSeconds(10))
            {
                GiveUpTheDead();
            }

            Configure();
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(50));
            Judge();
        }

        foreach (var ((origin, key), version) in _acknowledged.Where(pair => _roster.Accepts(pair.Key.Origin)))
        {
            foreach (var process in Processes())
            {
                // Gone without a tombstone is deleted at or below the floor, by this or by a later update whose answer was lost.
                var held = process.VersionOf(origin, key);
                Check(
                    held >= version || (held == 0 && process.Origins.Any(progress => progress.Origin == origin && progress.Floor >= version)),
                    Scuttlebutt.AnsweredIsKept,
                    process.Self.Node,
                    $"{origin} was told of {key} at {version}, {process.Self} has {held}");
            }
        }
    }

    public void OnAnswer(NodeId node, long tag, Scuttlebutt.Result result)
    {
        if (result is Scuttlebutt.Result.Stored stored)
        {
            Acknowledged++;
            var (key, isDeleted) = _asked[tag];
            Deleted += isDeleted ? 1 : 0;
            _acknowledged[(stored.Origin, key)] = Math.Max(_acknowledged.GetValueOrDefault((stored.Origin, key)), stored.Version);
        }
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    private List<Scuttlebutt> Processes() => [.. s_nodes.Select(node => _cluster[node].Protocol).OfType<Scuttlebutt>()];

    private void Act()
    {
        if (_random.Below(2) == 0)
        {
            var key = s_keys[_random.Below(s_keys.Length)];
            var isDeleted = _random.Below(3) == 0;
            _asked.Add(++_tag, (key, isDeleted));
            _cluster.Submit(
                s_nodes[_random.Below(s_nodes.Length)],
                isDeleted ? new Scuttlebutt.Command.Delete(key) : new Scuttlebutt.Command.Put(key, Key.Of($"{_tag}").Memory),
                this,
                _tag);
        }

        var node = s_nodes[_random.Below(s_nodes.Length)];
        switch (_random.Below(1_000))
        {
            case < 4:
                GiveUp(node);
                break;
            case < 8:
                BackUp(node);
                break;
            case < 12:
                Restore(node);
                break;
            case < 30:
                Forge(node);
                break;
        }

        Configure();
    }

    private void BackUp(NodeId node)
    {
        _cluster.Crash(node);
        _backups[node] = DiskBackup.Of(_cluster.Log(node).Disk);
        _cluster.StartAfter(node, Duration.Zero);
    }

    /// <summary>A disk is put back as it was when it was copied. What was told since, and nobody heard, is lost.</summary>
    private void Restore(NodeId node)
    {
        if (_backups.TryGetValue(node, out var backup))
        {
            Restored++;
            Lose(node);
            _cluster[node].Wipe();
            backup.PutOn(_cluster.Log(node).Disk);
            _restored.Add(node);
            _cluster.StartAfter(node, Duration.FromMilliseconds(_random.Between(0, 500)));
        }
    }

    /// <summary>A member says something in a node's own name.</summary>
    private void Forge(NodeId node)
    {
        if (_cluster[node].Protocol is Scuttlebutt process)
        {
            var max = process.Origins.Single(progress => progress.Origin == process.Self).Max;
            var entry = new Entry(max + 1, Key.Of("k0"), Key.Of(Forged).Memory, false);
            var delta = new OriginDelta(new Progress(process.Self, 0, max + 1), max, max + 1, [entry]);
            _cluster[node].Receive(s_nodes.First(other => other != node), new Scuttlebutt.Message.Tell([delta]));
        }
    }

    /// <summary>What a node was answered counts no more: its disk is gone.</summary>
    private void Lose(NodeId node)
    {
        foreach (var lost in _acknowledged.Keys.Where(place => place.Origin.Node == node).ToList())
        {
            _acknowledged.Remove(lost);
        }
    }

    /// <summary>An origin is given up, and its disk replaced by an empty one.</summary>
    private void GiveUp(NodeId node)
    {
        if (_cluster[node].Protocol is not Scuttlebutt process)
        {
            return;
        }

        _roster = _roster.Fence(process.Self);
        Fenced++;
        if (_random.Below(2) == 0)
        {
            // Given up by mistake: the node still has its disk, and hears of it like everybody else.
            return;
        }

        Wiped++;
        Lose(node);
        _cluster[node].Wipe();
        _cluster.StartAfter(node, Duration.FromMilliseconds(_random.Between(100, 1_000)));
    }

    /// <summary>A reset from an origin as which nobody lives any more may never end: the operator gives such origins up.</summary>
    private void GiveUpTheDead()
    {
        var processes = Processes();
        var dead = processes.SelectMany(process => process.Origins).Select(progress => progress.Origin).Distinct()
            .Where(origin => !_roster.IsFenced(origin) && processes.TrueForAll(process => process.Self != origin)).ToArray();
        if (processes.Count == s_nodes.Length && dead.Length > 0)
        {
            _roster = _roster.Fence(dead);
        }
    }

    private void Configure()
    {
        foreach (var node in s_nodes.Where(node => _cluster[node].Protocol is Scuttlebutt process && process.Roster.Epoch < _roster.Epoch && _random.Below(10) == 0))
        {
            _cluster.Submit(node, new Scuttlebutt.Command.Configure(_roster), this, 0);
        }
    }

    private void Judge()
    {
        var processes = Processes();
        foreach (var process in processes)
        {
            foreach (var other in processes)
            {
                Check(Scuttlebutt.Agree(process, other), Scuttlebutt.SameVersionSameUpdate, process.Self.Node, $"{process.Self} and {other.Self}");
                Check(Scuttlebutt.HasAll(process, other), Scuttlebutt.AsFarAsOriginIsEqual, other.Self.Node, $"{other.Self} and {process.Self}");
                Check(Scuttlebutt.IsAhead(process, other), Scuttlebutt.OriginIsAhead, process.Self.Node, $"{other.Self} is further than {process.Self} with itself");
            }
        }

        foreach (var process in processes)
        {
            JudgeShown(process);
        }
    }

    /// <summary>What a process shows of a key only goes forward: what was there before a deletion never comes back.</summary>
    private void JudgeShown(Scuttlebutt process)
    {
        var node = process.Self.Node;
        if (_boots.GetValueOrDefault(node) != _cluster.Counts(node).Boots)
        {
            // A crash may take back what was not durable.
            _boots[node] = _cluster.Counts(node).Boots;
            _shown.Remove(node);
        }

        if (!_shown.TryGetValue(node, out var shown))
        {
            _shown.Add(node, shown = []);
        }

        foreach (var progress in process.Origins)
        {
            foreach (var key in s_keys)
            {
                var version = process.VersionOf(progress.Origin, key);
                var before = shown.GetValueOrDefault((progress.Origin, key));
                Check(version == 0 || version >= before, Scuttlebutt.DeletedStaysDeleted, node, $"{progress.Origin} {key} at {version} after {before}");
                Check(
                    process.Read(progress.Origin, key) is not { } value || new Key(value) != Key.Of(Forged), Scuttlebutt.OnlyOwnUpdates, node, $"{progress.Origin} {key}");
                shown[(progress.Origin, key)] = Math.Max(version, before);
            }
        }
    }

    private bool IsConverged()
    {
        var processes = Processes();
        return processes.Count == s_nodes.Length && processes.All(process => process.Roster.Epoch == _roster.Epoch)
            && processes.Select(process => string.Join(" ", process.Origins.Where(progress => progress.Max > 0)
                .Select(progress => $"{progress.Origin}:{progress.Max} {string.Join(" ", process.Entries(progress.Origin))}"))).Distinct().Count() == 1;
    }

    private void Check(bool holds, string invariant, NodeId node, string detail)
    {
        if (!holds)
        {
            throw _world.Failure(invariant, node, detail);
        }
    }
}
