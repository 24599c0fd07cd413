using Synod.Core;
using Synod.Protocols.Snapshots;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<ChandyLamport.Message, ChandyLamport.Record, ChandyLamport.Command, ChandyLamport.Result>;
using Command = ChandyLamport.Command;
using Result = ChandyLamport.Result;

/// <summary>
/// A bank whose branches are snapshotted while money moves, machines and links fail, branches join and leave, channels come and go, and
/// the whole is now and then put back to a cut. Every cut must be consistent and hold all the money; once the faults stop, every branch
/// must be able to take one. Who is to leave gives all its money away first, as money that it sends later would come from outside.
/// </summary>
public sealed class SnapshotWorld : IAnswerReceiver<Result>
{
    private const long Money = 1_000;
    private static readonly NodeId[] s_nodes = [new(1), new(2), new(3), new(4)];

    private readonly SeededRandom _random;
    private readonly SimulatedWorld _world;
    private readonly Cluster _cluster;
    private readonly FaultInjector _injector;
    private readonly SortedDictionary<NodeId, long> _taken = [];
    private readonly SortedSet<SnapshotId> _ids = [];
    private readonly SortedDictionary<NodeId, BankBranch> _branches = [];
    private Topology _wanted;
    private NodeId _leaving;
    private Cut? _last;
    private NodeSet _closing;

    public SnapshotWorld(ulong seed, ChandyLamportOptions options, FaultPlan? plan = null, TextWriter? trace = null)
    {
        _world = new SimulatedWorld(seed, trace) { MostEvents = 5_000_000 };
        _random = _world.Random.Fork();
        _wanted = _random.Below(2) == 0 ? Topology.Mesh(1, NodeSet.Of(s_nodes[..3])) : Topology.Ring(1, s_nodes.AsSpan(0, 3));
        var initial = _wanted;
        plan ??= FaultPlan.Swarm(seed);
        _cluster = new Cluster(_world, new SimulatedNetwork(_world) { Conditions = plan.Links }, new()
        {
            Nodes = s_nodes,
            Create = start =>
            {
                _branches[start.Self] = new BankBranch(initial.Members.Contains(start.Self) ? Money : 0);
                return new ChandyLamport(start.Self, initial, options, _branches[start.Self]);
            },
            Messages = new ChandyLamport.MessageWire(),
            Records = new ChandyLamport.RecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
        });
        _injector = new FaultInjector(_cluster, plan.Faults);
    }

    /// <summary>Times and limits for short runs.</summary>
    public static ChandyLamportOptions Options { get; } = new()
    {
        Limit = Duration.FromSeconds(3),
        Resend = Duration.FromMilliseconds(60),
    };

    public int Taken { get; private set; }

    public int Failed { get; private set; }

    /// <summary>Cuts that found money in a channel.</summary>
    public int WithMoneyInChannels { get; private set; }

    public int Restored { get; private set; }

    public long Epoch => _wanted.Epoch;

    public int Joined { get; private set; }

    /// <summary>Members that everybody knows to be none any more.</summary>
    public int Left { get; private set; }

    public long Crashes => s_nodes.Sum(node => _cluster.Counts(node).Crashes);

    public long Refusals(Refusal refusal) => s_nodes.Sum(node => _cluster.Counts(node).Refusals[(int)refusal]);

    /// <summary>Faults for a while, then none: channels drain, and every member takes a snapshot.</summary>
    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(Duration stormy, Duration deadline)
    {
        _cluster.Start();
        _injector.Start();
        while (_world.Elapsed < stormy)
        {
            Act();
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(10));
            JudgeProcesses();
        }

        _injector.Stop();
        var end = _world.Elapsed + deadline;
        Await(() => Nodes().Count == s_nodes.Length, end, "processes start");
        Await(
            () =>
            {
                AskForTopology();
                return Nodes().All(node => node.Topology.Epoch == _wanted.Epoch && node.IsQuiet);
            },
            end,
            "channels drain");
        foreach (var member in _wanted.Members)
        {
            _cluster.Submit(member, new Command.Begin(), this, 1);
        }

        Await(() => _wanted.Members.IsSubsetOf(_closing) && Nodes().All(node => node.IsQuiet), end, "everybody takes a snapshot");
        JudgeProcesses();
    }

    public void OnAnswer(NodeId node, long tag, Result result)
    {
        switch (result)
        {
            case Result.Taken taken:
                _closing = tag == 1 ? _closing.With(node) : _closing;
                Judge(node, taken.Cut);
                break;
            case Result.Failed:
                Failed++;
                break;
            case Result.Restored:
                Restored++;
                break;
        }
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    private void Act()
    {
        for (var transfers = 0; transfers < 3; transfers++)
        {
            var (from, to) = (AnyNode(), AnyNode());
            if (to != _leaving)
            {
                Submit(from, new Command.Act(BankBranch.Transfer(_random.Between(1, 50), to)));
            }
        }

        if (_random.Below(15) == 0)
        {
            Submit(AnyNode(), new Command.Begin());
        }

        if (_random.Below(150) == 0 && _leaving == NodeId.None)
        {
            Change();
        }

        if (_random.Below(5) == 0)
        {
            AskForTopology();
        }

        if (_last is { } last && _random.Below(150) == 0 && Nodes() is var nodes && IsSteady(nodes)
            && s_nodes.Zip(nodes).All(pair => pair.Second.Topology.Members == last.Topology.Members
                || !(last.Topology.Members.Contains(pair.First) || pair.Second.Topology.Members.Contains(pair.First))))
        {
            Submit(last.Id.Initiator, new Command.Restore(last));
        }
    }

    /// <summary>Other channels, one member more, or one less once everybody is where the last change led.</summary>
    private void Change()
    {
        var (members, node) = (_wanted.Members, AnyNode());
        if (!members.Contains(node))
        {
            members = members.With(node);
            Joined++;
        }
        else if (members.Count > 2 && _random.Below(2) == 0 && Nodes() is var nodes && IsSteady(nodes) && HaveArrived(nodes))
        {
            members = members.Without(node);
            _leaving = node;
        }

        var epoch = _wanted.Epoch + 1;
        _wanted = _random.Below(2) == 0 ? Topology.Mesh(epoch, members) : Topology.Ring(epoch, [.. members]);
    }

    private bool HaveArrived(List<ChandyLamport> nodes) => nodes.All(node => node.Topology.Epoch == _wanted.Epoch);

    private NodeId AnyNode() => s_nodes[_random.Below(s_nodes.Length)];

    private void Submit(NodeId node, Command command) => _cluster.Submit(node, command, this, 0);

    /// <summary>The operator changes the channels of whoever has not yet done so, and neither that nor a restore during a restore.</summary>
    private void AskForTopology()
    {
        var nodes = Nodes();
        if (!IsSteady(nodes))
        {
            return;
        }

        var incarnation = nodes.Max(node => node.Incarnation);
        var late = s_nodes.Zip(nodes).Where(pair => pair.Second.Topology.Epoch < _wanted.Epoch).Select(pair => pair.First).ToList();
        if (_leaving != NodeId.None && late.Contains(_leaving))
        {
            // It goes first, so that nobody is sent anything from outside.
            late = MayLeave(nodes) ? [_leaving] : [];
        }
        else if (_leaving != NodeId.None && late.Count == 0)
        {
            (_leaving, Left) = (NodeId.None, Left + 1);
        }

        foreach (var node in late)
        {
            Submit(node, new Command.Reconfigure(_wanted, incarnation));
        }
    }

    /// <summary>Whether who is to leave has no money, and there is none under way to or from it. What it has it gives to any that it has a channel to.</summary>
    private bool MayLeave(List<ChandyLamport> nodes)
    {
        var leaving = nodes[Array.IndexOf(s_nodes, _leaving)];
        if (_branches[_leaving].Balance > 0)
        {
            Submit(_leaving, new Command.Act(BankBranch.Transfer(_branches[_leaving].Balance, leaving.Topology.From(_leaving).First())));
        }

        // Who left before may have counted in an earlier incarnation.
        return _branches[_leaving].Balance == 0 && s_nodes.Zip(nodes).Where(pair => leaving.Topology.Members.Contains(pair.First)).All(pair =>
            pair.Second.SentTo(_leaving) == leaving.ReceivedFrom(pair.First) && !leaving.Unacknowledged(pair.First).Any());
    }

    private bool IsSteady(List<ChandyLamport> nodes) => nodes.Count == s_nodes.Length && !nodes.Any(node => node.IsRestoring)
        && !s_nodes.Any(_cluster.IsPaused);

    private List<ChandyLamport> Nodes() => [.. s_nodes.Select(node => _cluster[node].Protocol).OfType<ChandyLamport>()];

    private void Judge(NodeId initiator, Cut cut)
    {
        Taken++;
        Check(_ids.Add(cut.Id), ChandyLamport.RecordedOnce, initiator, $"{cut.Id} twice");
        Check(cut.Inconsistency() is null, ChandyLamport.CutConsistency, initiator, cut.Inconsistency());
        Check(BankBranch.Money(cut) == 3 * Money, ChandyLamport.Conservation, initiator, $"{BankBranch.Money(cut)} in {cut}");
        WithMoneyInChannels += cut.InChannels.Any() ? 1 : 0;
        _taken[initiator] = Math.Max(cut.Id.Number, _taken.GetValueOrDefault(initiator));
        if (_cluster[initiator].Protocol is ChandyLamport process && process.Topology.Members == cut.Topology.Members)
        {
            _last = cut;
        }
    }

    /// <summary>What snapshots told is still so, whatever crashed since.</summary>
    private void JudgeProcesses()
    {
        var processes = Nodes();
        Check(ChandyLamport.KeepsAcknowledged(processes), ChandyLamport.AcknowledgedIsKept, NodeId.None, "");
        foreach (var node in s_nodes)
        {
            if (_cluster[node].Protocol is not ChandyLamport process)
            {
                continue;
            }

            Check(
                (process.Latest?.Id.Number ?? 0) >= _taken.GetValueOrDefault(node),
                ChandyLamport.CutIsPast,
                node,
                $"{process.Latest?.Id} is the last, {_taken.GetValueOrDefault(node)} was reported");
            if (_last is { } last && last.Incarnation == process.Incarnation && last[node] is { } piece)
            {
                Check(
                    piece.Sent.All(sent => process.SentTo(sent.To) >= sent.Count)
                    && piece.Incoming.All(channel => process.ReceivedFrom(channel.From) >= channel.Received),
                    ChandyLamport.CutIsPast,
                    node,
                    $"{piece} is ahead of its process");
            }
        }
    }

    private void Await(Func<bool> done, Duration end, string what)
    {
        while (!done())
        {
            Check(_world.Elapsed < end, "Liveness", NodeId.None, what);
            _world.RunUntil(_world.Elapsed + Duration.FromMilliseconds(50));
        }
    }

    private void Check(bool holds, string invariant, NodeId node, string? detail)
    {
        if (!holds)
        {
            throw _world.Failure(invariant, node, detail ?? "");
        }
    }
}
