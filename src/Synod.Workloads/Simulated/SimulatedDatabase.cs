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
    /// <summary>Clients' numbers on the network start here; nodes are below.</summary>
    private const int FirstClient = 1_000;

    /// <summary>Several times what the busiest run needs, for as long as a run with its limits may take.</summary>
    private const long MostEventsPerSecond = 20_000;

    private readonly List<SynodClient> _clients = [];

    public SimulatedDatabase(SimulationOptions options, FaultPlan plan)
    {
        World = new SimulatedWorld(options.Seed, options.Trace) { MostEvents = MostEventsPerSecond * (options.Length.Nanoseconds / 1_000_000_000 + 200) };
        Scheduler = new SimulatedScheduler(World);
        Network = new SimulatedNetwork(World) { Conditions = plan.Links };
        NodeId[] nodes = [.. Enumerable.Range(1, options.Nodes).Select(id => new NodeId(id))];
        var shape = DrawShape(World.Random.Fork(), nodes);
        Cluster = new SimulatedCluster<NodeMessage, NodeRecord, Request, Response>(World, Network, new()
        {
            Nodes = nodes,
            Create = start => new DatabaseNode(Adapt(shape with { Self = start.Self }, options.Bug), start.Store),
            Messages = new NodeMessageWire(),
            Records = new NodeRecordWire(),
            Machine = plan.Machine,
            Clocks = plan.Clocks,
            IgnoresHolds = options.Bug?.IgnoresHolds ?? false,
        });
        Doors = new SimulatedDoors(Network, Cluster, nodes);
        Injector = new FaultInjector(Cluster, plan.Faults);
    }

    public SimulatedWorld World { get; }

    public SimulatedScheduler Scheduler { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedCluster<NodeMessage, NodeRecord, Request, Response> Cluster { get; }

    public FaultInjector Injector { get; }

    public SimulatedDoors Doors { get; }

    public SynodClient AddClient(TimeSpan patience)
    {
        var number = FirstClient + _clients.Count;
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

    /// <summary>Faults as the injector, the network and the disks counted them.</summary>
    public SortedDictionary<string, long> CountFaults()
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, count) in Injector.Counts)
        {
            counts[name] = count;
        }

        var network = Network.Counts;
        counts["message lost"] = network.Lost + network.Blocked;
        counts["message duplicated"] = network.Duplicated;
        counts["message corrupted"] = network.Corrupted;
        foreach (var kind in Enum.GetValues<DiskCallKind>())
        {
            counts[$"disk {kind.ToString().ToLowerInvariant()} failed"] =
                Cluster.Nodes.Sum(node => Cluster.Log(node).Disk.Faults(kind));
        }

        return counts;
    }

    // Rare paths are switched on by some seeds: short logs that force snapshots, short leases, impatient participants.
    private static DatabaseOptions DrawShape(SeededRandom random, NodeId[] nodes)
    {
        var lease = random.Below(2) == 0 ? 1_500 : random.Between(400, 3_000);
        return new DatabaseOptions
        {
            Self = nodes[0],
            Nodes = [.. nodes.Select(node => new NodeDescriptor(node, SimulatedTransport.AddressOf(node.Value)))],
            RetainedCommands = random.Below(2) == 0 ? 4_096 : random.Below(64) + 4,
            LeaseDuration = Duration.FromMilliseconds(lease),
            InquiryInterval = Duration.FromMilliseconds(random.Below(2) == 0 ? 300 : random.Between(50, 1_000)),
            TransactionSilenceLimit = Duration.FromMilliseconds(random.Below(2) == 0 ? 10_000 : random.Between(3_000, 6_000)),
        };
    }

    private static DatabaseOptions Adapt(DatabaseOptions options, SeededBug? bug) =>
        bug is null ? options : bug.Shape(options) with { Mutation = bug.Database };
}
