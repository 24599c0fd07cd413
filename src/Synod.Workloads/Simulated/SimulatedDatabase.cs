using Synod.Api;
using Synod.Client;
using Synod.Core;
using Synod.Database;
using Synod.Simulation;
using Synod.Simulation.Disks;

namespace Synod.Workloads.Simulated;

/// <summary>Whole database nodes and their clients in one simulated world.</summary>
internal sealed class SimulatedDatabase
{
    /// <summary>Several times what the busiest run needs, for as long as a run with its limits may take.</summary>
    private const long MostEventsPerSecond = 20_000;

    private readonly List<SynodClient> _clients = [];

    public SimulatedDatabase(SimulationOptions options, FaultPlan plan)
    {
        World = new SimulatedWorld(options.Seed, options.Trace) { MostEvents = MostEventsPerSecond * (options.Length.Nanoseconds / 1_000_000_000 + 200) };
        Scheduler = new SimulatedScheduler(World);
        Network = new SimulatedNetwork(World) { Conditions = plan.Links };
        NodeId[] nodes = [.. Enumerable.Range(1, options.Bug?.Nodes ?? options.Nodes).Select(id => new NodeId(id))];
        var shape = DrawShape(World.Random.Fork(), nodes);
        Cluster = new SimulatedCluster<NodeMessage, NodeRecord, Request, Response>(World, Network, new()
        {
            Nodes = nodes,
            Create = start => new DatabaseNode(Adapt(Told(shape, start, options.Bug), options.Bug), start.Store),
            Messages = new NodeMessageWire(),
            Records = new NodeRecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
            SegmentBytes = options.SegmentBytes,
            IgnoresHolds = options.Bug?.IgnoresHolds ?? false,
        });
        Doors = new SimulatedDoors(Network, Cluster, nodes);
        Operator = new SimulatedOperator(Cluster);
        Injector = new FaultInjector(Cluster, plan.Faults) { Operator = Operator };
    }

    public SimulatedWorld World { get; }

    public SimulatedScheduler Scheduler { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedCluster<NodeMessage, NodeRecord, Request, Response> Cluster { get; }

    public FaultInjector Injector { get; }

    public SimulatedOperator Operator { get; }

    public SimulatedDoors Doors { get; }

    /// <summary>Whether every node is up and has no replica left of a group that has retired.</summary>
    public bool RetiredGroupsAreGone =>
        Cluster.Nodes.All(node => Cluster[node].Protocol is DatabaseNode { RetiredReplicas: 0 });

    public SynodClient AddClient(TimeSpan patience)
    {
        var number = SimulatedNetwork.FirstClient + _clients.Count;
        var random = World.Random.Fork();
        var client = new SynodClient(
            new SynodClientOptions
            {
                Endpoints = [.. Cluster.Nodes.Select(node => SimulatedTransport.AddressOf(node.Value))],
                TimeProvider = new SimulatedTime(World, TimeSpan.FromMilliseconds(random.Between(-50, 50))),
                Seed = World.Seed * 1_000 + (ulong)_clients.Count,
                CallTimeout = TimeSpan.FromSeconds(1),
                RequestTimeout = patience,
                CommitTimeout = patience,
            },
            new SimulatedTransport(World, Network, Doors, number));
        _clients.Add(client);
        return client;
    }

    /// <summary>
    /// Faults as the injector counted them, and where they were met: every call site of the logs, every kind of call of the stores, every
    /// kind of link, the doors and the clocks, also those that none met.
    /// </summary>
    public SortedDictionary<string, long> CountFaults()
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, count) in Injector.Counts)
        {
            counts[name] = count;
        }

        foreach (var link in Enum.GetValues<LinkKind>())
        {
            // Partitions are between nodes; a client loses its node when the process dies.
            foreach (var fault in Enum.GetValues<LinkFault>().Where(fault => link == LinkKind.NodeToNode || fault != LinkFault.Blocked))
            {
                counts[$"link {link} {fault}".ToLowerInvariant()] = Network.Faults(link, fault);
            }
        }

        for (var site = 0; site < LogCallSite.All.Length; site++)
        {
            counts[LogCallSite.All[site].ToString()] = Cluster.Nodes.Sum(node => Cluster.Log(node).Faults(site));
        }

        for (var site = 0; site < StoreCallSite.All.Length; site++)
        {
            counts[StoreCallSite.All[site].ToString()] = Cluster.Nodes.Sum(node => Cluster.Store(node).Faults(site));
        }

        counts["door refused"] = Doors.Refused;
        counts["door broken"] = Doors.Broken;
        counts["clock read in silence"] = Cluster.Nodes.Sum(node => Cluster.Clock(node).SilentReads);
        return counts;
    }

    // Rare paths are switched on by some seeds: short logs that force snapshots, short leases, impatient participants.
    private static DatabaseOptions DrawShape(SeededRandom random, NodeId[] nodes)
    {
        var lease = random.Below(2) == 0 ? 1_500 : random.Between(400, 3_000);
        return new DatabaseOptions
        {
            Self = nodes[0],
            InitialReplicas = NodeSet.Of([.. nodes.Take(3)]),
            Nodes = [.. nodes.Select(node => new NodeDescriptor(node, SimulatedTransport.AddressOf(node.Value)))],
            RetainedCommands = random.Below(2) == 0 ? 4_096 : random.Below(64) + 4,
            LeaseDuration = Duration.FromMilliseconds(lease),
            InquiryInterval = Duration.FromMilliseconds(random.Below(2) == 0 ? 300 : random.Between(50, 1_000)),
            TransactionSilenceLimit = Duration.FromMilliseconds(random.Below(2) == 0 ? 10_000 : random.Between(3_000, 6_000)),
        };
    }

    // Each node is told of the first one alone, and meets the others by gossip. One that rejoins may be the first: it is told of all.
    private static DatabaseOptions Told(DatabaseOptions shape, NodeStart start, SeededBug? bug) => shape with
    {
        Self = start.Self,
        Incarnation = bug is { HidesLosses: true } ? 0 : start.Incarnation,
        Nodes = [.. shape.Nodes.Where((node, place) => place == 0 || node.Id == start.Self || start.Incarnation != 0)],
    };

    private static DatabaseOptions Adapt(DatabaseOptions options, SeededBug? bug) =>
        bug is null ? options : bug.Shape(options) with { Mutation = bug.Database, Rumors = options.Rumors with { Mutation = bug.Rumors } };
}
