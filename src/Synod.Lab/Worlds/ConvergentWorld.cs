using Synod.Core;
using Synod.Lab.Worlds.AntiEntropyRoom;
using Synod.Protocols.Gossip.AntiEntropy;
using Synod.Simulation;
using Synod.Simulation.Histories;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<DeltaSync.Message, DeltaSync.Record, DeltaSync.Command, DeltaSync.Result>;

/// <summary>
/// A shop whose replicas are changed while machines, links and disks fail; disks are wiped and put back from backups, and replicas are
/// given up and come back. What each shows is judged by what it has observed; once the faults stop, all must be equal to the byte, and
/// have everything that was acknowledged.
/// </summary>
public sealed partial class ConvergentWorld : IAnswerReceiver<DeltaSync.Result>
{
    private static readonly NodeId[] s_nodes = [new(1), new(2), new(3)];

    private readonly SeededRandom _random;
    private readonly SimulatedWorld _world;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;
    private readonly DeltaOptions _options;
    private readonly ConvergenceChecker _checker = new();
    private readonly SortedDictionary<long, Origin> _acknowledged = [];
    private readonly SortedSet<Origin> _fenced = [];
    private readonly SortedDictionary<NodeId, Roster> _told = [];
    private Roster _roster = Roster.Of(s_nodes);
    private long _lastId;

    /// <param name="plan">What goes wrong; drawn if null.</param>
    public ConvergentWorld(ulong seed, DeltaOptions options, FaultPlan? plan = null, TextWriter? trace = null)
    {
        _world = new SimulatedWorld(seed, trace) { MostEvents = 5_000_000 };
        _random = _world.Random.Fork();
        _options = options;
        plan ??= FaultPlan.Swarm(seed);
        _cluster = new Cluster(_world, new SimulatedNetwork(_world) { Conditions = plan.Links }, new()
        {
            Nodes = s_nodes,
            Create = start => new DeltaSync(
                start.Self,
                _told.GetValueOrDefault(start.Self, _roster),
                _options with { IsRestored = _restored.ContainsKey(start.Self) },
                new Shop(_checker.Note)),
            Messages = new DeltaSync.MessageWire(),
            Records = new DeltaSync.RecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
        });
        _injector = new FaultInjector(_cluster, plan.Faults);
    }

    /// <summary>Times and limits for short runs: small buffers, so that there are laggards, and small messages, so that there are parts.</summary>
    public static DeltaOptions Options { get; } = new()
    {
        Period = Duration.FromMilliseconds(15),
        StabilityPeriod = Duration.FromMilliseconds(150),
        MostBufferedBytes = 2 << 10,
        MostGroupBytes = 1 << 10,
        MostMessageBytes = 300,
    };

    public int Operations => _checker.Operations.Count;

    public int Acknowledged { get; private set; }

    public int Views { get; private set; }

    public int Wiped { get; private set; }

    public int Restored { get; private set; }

    public int Fenced { get; private set; }

    public long Crashes => s_nodes.Sum(node => _cluster.Counts(node).Crashes);

    public long Refusals(Refusal refusal) => s_nodes.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    /// <summary>Faults for a while, then none: all replicas become equal.</summary>
    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(Duration stormy, Duration deadline)
    {
        _cluster.Start();
        _injector.Start();
        while (_world.Elapsed < stormy)
        {
            Act();
            Mishap(mayBegin: true);
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(10));
            Judge();
        }

        _injector.Stop();
        var end = _world.Elapsed + deadline;
        while (!IsConverged())
        {
            if (_world.Elapsed >= end)
            {
                throw _world.Failure(DeltaSync.SameChangesSameState, NodeId.None, $"no equal states: {string.Join("; ", Replicas().Select(replica => $"{replica.Self} after {replica.Changes}: {View(replica).Observed.Count} operations"))}");
            }

            Mishap(mayBegin: false);
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(50));
        }

        var living = Replicas().Select(replica => replica.Self).ToHashSet();
        Report(_checker.CheckEnd(
            [.. Replicas().Select(View)],
            _acknowledged.Where(pair => _options.Durability == DeltaDurability.Asynchronous ? living.Contains(pair.Value) : !_fenced.Contains(pair.Value))
                .Select(pair => pair.Key)));
    }

    public void OnAnswer(NodeId node, long tag, DeltaSync.Result result)
    {
        if (result is DeltaSync.Result.Done done && done.Answer.Span[0] == 1)
        {
            Acknowledged++;
            _acknowledged[tag] = done.Origin;
        }
        else if (result is DeltaSync.Result.Configured && tag == -_roster.Epoch)
        {
            _told[node] = _roster;
        }
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    private static ConvergentView View(DeltaSync replica) => ((Shop)replica.Replica).View($"{replica.Self}");

    private List<DeltaSync> Replicas() => [.. s_nodes.Select(node => _cluster[node].Protocol).OfType<DeltaSync>()];

    private bool IsConverged()
    {
        var replicas = Replicas();
        return replicas.Count == s_nodes.Length && _mishap is null && s_nodes.All(node => _told.GetValueOrDefault(node, _roster).Epoch == _roster.Epoch)
            && replicas.All(replica => replica.Roster.Epoch == _roster.Epoch)
            && replicas.Skip(1).All(replica => replica.Replica.Save().Span.SequenceEqual(replicas[0].Replica.Save().Span));
    }

    private void Act()
    {
        if (_random.Below(3) > 0)
        {
            return;
        }

        var node = s_nodes[_random.Below(s_nodes.Length)];
        var id = ++_lastId;
        var action = (ShopAction)_random.Below(Enum.GetValues<ShopAction>().Length);
        var text = action switch
        {
            ShopAction.Tag or ShopAction.Untag or ShopAction.Put or ShopAction.Drop => ((char)('a' + _random.Below(3))).ToString(),
            ShopAction.Hand => HeirOf(node),
            _ => $"w{id}",
        };
        var number = action == ShopAction.Like ? _random.Between(-5, 5) : _random.Between(1, 9);
        _cluster.Submit(node, new DeltaSync.Command.Do(new ShopCommand(id, action, text, number).Write()), this, id);
    }

    private string HeirOf(NodeId node)
    {
        var others = Replicas().Where(replica => replica.Self.Node != node).ToList();
        var writer = new CodecWriter();
        OriginWire.Instance.Write(writer, others.Count == 0 ? default : others[_random.Below(others.Count)].Self);
        return Convert.ToHexString(writer.Span);
    }

    private void Judge()
    {
        if (_random.Below(8) == 0 && Replicas() is { Count: > 0 } replicas)
        {
            Views++;
            Report(_checker.Check(View(replicas[_random.Below(replicas.Count)])));
        }
    }

    private void Report(IReadOnlyList<Anomaly> anomalies)
    {
        if (anomalies.Count > 0)
        {
            throw _world.Failure(anomalies[0].Name, NodeId.None, string.Join("; ", anomalies.Take(5)));
        }
    }
}
