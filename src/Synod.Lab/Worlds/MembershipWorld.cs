using System.Globalization;
using Synod.Core;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Worlds;

using Cluster = SimulatedCluster<Membership.Message, Membership.Record, Membership.Command, Membership.Result>;
using Command = Membership.Command;
using Message = Membership.Message;
using Result = Membership.Result;

/// <summary>What a world of members is made of.</summary>
public sealed record MembershipCast
{
    /// <summary>Members that the cluster begins with.</summary>
    public int Nodes { get; init; } = 6;

    /// <summary>Others that join by way of the first.</summary>
    public int Newcomers { get; init; }

    public MembershipOptions Options { get; init; } = MembershipWorld.Brisk;

    public FaultPlan Plan { get; init; } = FaultPlan.Calm;

    /// <summary>Whether messages of the past arrive again.</summary>
    public bool IsHostile { get; init; }

    /// <summary>Whether processes come back without their disks.</summary>
    public bool MayLoseDisks { get; init; }
}

/// <summary>
/// A cluster whose members come, go, crash and are cut off from each other. What they believe on the way is judged by
/// <see cref="MembershipJudge"/>; once the faults stop, all must come to believe the truth.
/// </summary>
public sealed class MembershipWorld : IAnswerReceiver<Result>
{
    private const int MostKept = 64;
    private static readonly Membership.MessageWire s_messages = new();

    private readonly FaultInjector _injector;
    private readonly SeededRandom _random;
    private readonly MembershipCast _cast;
    private readonly List<(NodeId From, NodeId To, Message Message)> _past = [];
    private readonly SortedSet<NodeId> _absent = [];

    public MembershipWorld(ulong seed, MembershipCast cast, TextWriter? trace = null)
    {
        _cast = cast;
        World = new SimulatedWorld(seed, trace) { MostEvents = 50_000_000 };
        _random = World.Random.Fork();
        var roster = Roster.Numbered(cast.Nodes);
        Judge = new MembershipJudge(World, cast.Options) { Protocol = At, Named = cast.Nodes, Nodes = cast.Nodes + cast.Newcomers };
        var joining = cast.Options with { Seeds = [new(1)] };
        Cluster = new Cluster(World, new SimulatedNetwork(World) { Conditions = cast.Plan.Links }, new()
        {
            Nodes = [.. Enumerable.Range(1, cast.Nodes + cast.Newcomers).Select(number => new NodeId(number))],
            Create = start => start.Self.Value <= cast.Nodes
                ? new Membership(start.Self, Address(start.Self), cast.Options, roster)
                : new Membership(start.Self, Address(start.Self), joining),
            Messages = s_messages,
            Records = new Membership.RecordWire(),
            Machine = cast.Plan.Machine,
            Clocks = cast.Plan.Clocks,
            Watcher = Judge,
        });
        _injector = new FaultInjector(Cluster, cast.Plan.Faults);
        if (cast.IsHostile)
        {
            Judge.Sent = Keep;
        }
    }

    /// <summary>Five times faster than the defaults, with little packets, so that short runs see much.</summary>
    public static MembershipOptions Brisk { get; } = new()
    {
        Period = Duration.FromMilliseconds(200),
        PingTimeout = Duration.FromMilliseconds(100),
        GossipInterval = Duration.FromMilliseconds(40),
        SyncInterval = Duration.FromSeconds(2),
        ContactInterval = Duration.FromSeconds(1),
        JoinRetry = Duration.FromMilliseconds(300),
        DatagramBytes = 128,
        IncarnationReserve = 2,
    };

    public SimulatedWorld World { get; }

    internal Cluster Cluster { get; }

    internal MembershipJudge Judge { get; }

    public long Suspicions => Judge.Suspicions;

    public long Deaths => Judge.Deaths;

    public long Crashes => Cluster.Nodes.Sum(node => Cluster.Counts(node).Crashes);

    /// <summary>Processes that came back without their disks.</summary>
    public int Wipes { get; private set; }

    /// <summary>Messages that arrived again long after.</summary>
    public int Replays { get; private set; }

    public long Refusals(Refusal refusal) => Cluster.Nodes.Sum(node => Cluster.Counts(node).Refusals[(int)refusal]);

    /// <summary>The protocol that runs on a node; null while its process is down.</summary>
    public Membership? At(NodeId node) => (Membership?)Cluster[node].Protocol;

    /// <summary>Faults for a while, then none; then one member crashes for good, and one leaves.</summary>
    /// <exception cref="SimulationFailure">Something did not hold.</exception>
    public void Run(Duration stormy, Duration deadline)
    {
        Cluster.Start();
        _injector.Start();
        while (World.Elapsed < stormy)
        {
            World.RunUntil(World.Elapsed + Duration.FromMilliseconds(20));
            Act();
        }

        _injector.Stop();
        Await("all see all", deadline);
        Crash(Cluster.Nodes[_random.Below(Cluster.Nodes.Count)]);
        Await("all see a crash", deadline);
        var leaver = Cluster.Nodes.First(node => !_absent.Contains(node));
        Leave(leaver);
        Await("all see a goodbye", deadline);
        foreach (var member in Present().Select(node => At(node)!.Find(leaver)))
        {
            Expect(member is null or { Status: MemberStatus.Left }, "LeaverHasLeft", $"{member}");
        }
    }

    public void OnAnswer(NodeId node, long tag, Result result)
    {
    }

    public void OnLost(NodeId node, long tag)
    {
    }

    /// <summary>A process dies and does not come back.</summary>
    internal void Crash(NodeId node)
    {
        Cluster.Crash(node);
        _absent.Add(node);
    }

    internal void Leave(NodeId node)
    {
        _absent.Add(node);
        Cluster.Submit(node, new Command.Leave(), this, 0);
    }

    /// <summary>Waits until each process that is there sees exactly the others that are there, alive, and under the same incarnations.</summary>
    internal void Await(string what, Duration deadline)
    {
        var at = World.Elapsed + deadline;
        while (Difference() is { } difference)
        {
            Expect(World.Elapsed < at, "ViewsBecomeTrue", $"{what}: {difference}");
            World.RunUntil(World.Elapsed + Duration.FromMilliseconds(100));
        }
    }

    internal void Expect(bool holds, string name, string detail)
    {
        if (!holds)
        {
            throw World.Failure(name, NodeId.None, detail);
        }
    }

    /// <summary>Where beliefs and the truth differ; null if they agree.</summary>
    internal string? Difference()
    {
        foreach (var observer in Present())
        {
            if (At(observer) is not { Status: Membership.Standing.Member } view)
            {
                return $"{observer} is no member";
            }

            var live = view.Members.Where(member => member.IsLive).ToDictionary(member => member.Id);
            foreach (var node in Cluster.Nodes)
            {
                var isThere = live.TryGetValue(node, out var member);
                if (isThere != !_absent.Contains(node) || (isThere && (member.Status != MemberStatus.Alive || member.Incarnation != At(node)?.Incarnation)))
                {
                    return string.Create(
                        CultureInfo.InvariantCulture, $"{observer} believes {view.Find(node)?.ToString() ?? "nothing"} of {node}, which is {(At(node) is { } truth ? $"at {truth.Incarnation}" : "down")}");
                }
            }
        }

        return null;
    }

    /// <summary>Who should be a member.</summary>
    internal IEnumerable<NodeId> Present() => Cluster.Nodes.Where(node => !_absent.Contains(node));

    internal static MemberDescription Address(NodeId node) => MemberDescription.At($"{node.Value}");

    private void Keep(NodeId from, NodeId to, Message message)
    {
        if (_past.Count < MostKept)
        {
            _past.Add((from, to, message));
        }
        else if (_random.Below(8) == 0)
        {
            _past[_random.Below(MostKept)] = (from, to, message);
        }
    }

    private void Act()
    {
        if (_past.Count > 0 && _random.Below(4) == 0)
        {
            Replays++;
            var (from, to, message) = _past[_random.Below(_past.Count)];
            Cluster[to].Receive(from, message);
        }

        if (_cast.MayLoseDisks && _random.Below(60) == 0)
        {
            var node = Cluster.Nodes[_random.Below(Cluster.Nodes.Count)];
            Judge.Wiped(node);
            Cluster[node].Wipe();
            Cluster.StartAfter(node, _random.Wait(Duration.FromMilliseconds(500)));
            Wipes++;
        }
    }
}
