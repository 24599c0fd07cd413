using Synod.Api;
using Synod.Core;
using Synod.Database;
using Synod.Protocols.Consensus;
using Synod.Simulation;

namespace Synod.Workloads.Simulated;

/// <summary>
/// Whoever looks after the nodes. It asks each for its status, as a person with a console does, and takes a disk away only when
/// everything that is on it is on the others' too.
/// </summary>
internal sealed class SimulatedOperator(SimulatedCluster<NodeMessage, NodeRecord, Request, Response> cluster)
    : IOperator, IAnswerReceiver<Response>, IEventTarget
{
    private static readonly Duration Period = Duration.FromMilliseconds(500);

    private SortedDictionary<NodeId, NodeStatus> _before = [];
    private SortedDictionary<NodeId, NodeStatus> _now = [];
    private readonly SortedDictionary<NodeId, Api.Directory> _directories = [];
    private long _round;
    private bool _wasWhole;

    /// <summary>How many disks were lost.</summary>
    public int Replaced { get; private set; }

    /// <summary>
    /// Whether each range has all of its replicas, on nodes that answer, and each of these has by now what any of them had a round ago: for
    /// two rounds, so that it is on their disks.
    /// </summary>
    public bool EveryRangeIsWhole { get; private set; }

    /// <summary>Whether every node knows the ranges that there are, and none besides, and who leads each.</summary>
    public bool NewsIsEverywhere { get; private set; }

    /// <summary>Begins to look after the nodes.</summary>
    public void Start() => cluster.World.After(Period, this, 0);

    public bool TryReplaceDisk(NodeId node, Duration down)
    {
        if (!EveryRangeIsWhole || !cluster.Nodes.All(cluster.IsUp))
        {
            return false;
        }

        Replaced++;
        cluster.LoseDisk(node);
        cluster.StartAfter(node, down);
        Forget();
        return true;
    }

    public void Handle(in SimulatedEvent happened)
    {
        Judge();
        Ask();
        cluster.World.After(Period, this, 0);
    }

    public void OnAnswer(NodeId node, long tag, Response result)
    {
        if (tag != _round)
        {
            return;
        }

        if (result.Status is { } status)
        {
            _now[node] = status;
        }
        else if (result.Directory is { } directory)
        {
            _directories[node] = directory;
        }
    }

    public void OnLost(NodeId node, long tag)
    {
        // It died: there is no answer, and without one nothing is whole.
    }

    private void Ask()
    {
        (_before, _now) = (_now, []);
        _directories.Clear();
        _round++;
        foreach (var node in cluster.Nodes)
        {
            cluster.Submit(node, new Request { Status = new StatusQuery() }, this, _round);
            cluster.Submit(node, new Request { Directory = new DirectoryQuery() }, this, _round);
        }
    }

    /// <summary>What was seen with a disk that is gone says nothing any more.</summary>
    private void Forget()
    {
        _round++;
        _before.Clear();
        _now.Clear();
        EveryRangeIsWhole = _wasWhole = false;
        NewsIsEverywhere = false;
    }

    private void Judge()
    {
        var (before, now) = (Ranges(_before), Ranges(_now));
        var isWhole = _before.Count == cluster.Nodes.Count && _now.Count == cluster.Nodes.Count
            && CoverAllKeys(now)
            && now.All(range => before.TryGetValue(range.Key, out var then) && IsWhole(then, range.Value));
        (EveryRangeIsWhole, _wasWhole) = (isWhole && _wasWhole, isWhole);
        NewsIsEverywhere = EveryRangeIsWhole && cluster.Nodes.All(node => _directories.TryGetValue(node, out var known)
            && known.Ranges.Select(range => (range.Group, range.Version, range.Leader)).Order()
                .SequenceEqual(now.Select(range => (range.Key, range.Value[0].Range.Version, LeaderOf(range.Value))).Order()));
    }

    private static SortedDictionary<ulong, List<GroupStatus>> Ranges(SortedDictionary<NodeId, NodeStatus> told)
    {
        var ranges = new SortedDictionary<ulong, List<GroupStatus>>();
        foreach (var group in told.Values.SelectMany(status => status.Groups))
        {
            if (!ranges.TryGetValue(group.Range.Group, out var replicas))
            {
                ranges.Add(group.Range.Group, replicas = []);
            }

            replicas.Add(group);
        }

        return ranges;
    }

    private static bool IsWhole(List<GroupStatus> before, List<GroupStatus> now) =>
        now.Count == now[0].Range.Replicas.Count
        && now.TrueForAll(replica => replica.Range.Version == now[0].Range.Version
            && replica.Applied >= Math.Max(0, before.Max(other => other.Applied))
            && replica.Chosen >= before.Max(other => other.Chosen));

    /// <summary>The replica that says of itself that it leads; 0 if none does.</summary>
    private static int LeaderOf(List<GroupStatus> replicas) =>
        replicas.Find(replica => replica.Role == nameof(PaxosRole.Leader))?.Range.Leader ?? 0;

    private static bool CoverAllKeys(SortedDictionary<ulong, List<GroupStatus>> ranges)
    {
        var next = Google.Protobuf.ByteString.Empty;
        foreach (var range in ranges.Values.Select(replicas => replicas[0].Range).OrderBy(range => new Key(range.Start.Memory)))
        {
            if (range.Start != next)
            {
                return false;
            }

            next = range.End;
        }

        return next.IsEmpty;
    }
}
