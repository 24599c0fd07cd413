using Synod.Core;

namespace Synod.Simulation;

/// <summary>One kind of trouble. It starts with the run and schedules itself through the injector until the injector stops.</summary>
public interface IFault
{
    /// <summary>How it is called in counts and reports.</summary>
    string Name { get; }

    void Start(FaultInjector injector);
}

/// <summary>Who looks after the machines.</summary>
public interface IOperator
{
    /// <summary>
    /// Takes a node's disk away, and starts the node with an empty one after <paramref name="down"/>. False, and nothing is done, while the
    /// others could not make up for what is on it: then data would be lost, and rightly so.
    /// </summary>
    bool TryReplaceDisk(NodeId node, Duration down);
}

/// <summary>Lets the faults of a plan happen to a cluster, counts them, and ends them all for the liveness part of a run.</summary>
public sealed class FaultInjector(ISimulatedCluster cluster, IReadOnlyList<IFault> faults) : IEventTarget
{
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public ISimulatedCluster Cluster { get; } = cluster;

    /// <summary>Who replaces lost disks; without one, none is lost.</summary>
    public IOperator? Operator { get; init; }

    /// <summary>The faults' own draws.</summary>
    public SeededRandom Random { get; } = cluster.World.Random.Fork();

    /// <summary>Whether faults still happen.</summary>
    public bool IsActive { get; private set; }

    /// <summary>How often each fault happened.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    public void Start()
    {
        IsActive = true;
        foreach (var fault in faults)
        {
            fault.Start(this);
        }
    }

    /// <summary>All faults end: links heal, processes run, disks and clocks are well. Progress may be demanded from here on.</summary>
    public void Stop()
    {
        IsActive = false;
        Cluster.Network.Heal();
        foreach (var node in Cluster.Nodes)
        {
            Cluster.Log(node).Heal();
            Cluster.Store(node).Heal();
            Cluster.Clock(node).UnknownUntil = 0;
            Cluster.EndPause(node);
            if (!Cluster.IsUp(node))
            {
                Cluster.StartAfter(node, Duration.Zero);
            }
        }
    }

    /// <summary>Does something again and again, with exponential waits between.</summary>
    public void Every(Duration mean, Action action) => After(Random.Wait(mean), () =>
    {
        action();
        Every(mean, action);
    });

    /// <summary>Does something once, unless the faults have ended by then.</summary>
    public void After(Duration delay, Action action) => Cluster.World.After(delay, this, 0, 0, action);

    public NodeId AnyNode() => Cluster.Nodes[Random.Below(Cluster.Nodes.Count)];

    public void Count(string fault) => _counts[fault] = _counts.GetValueOrDefault(fault) + 1;

    public void Handle(in SimulatedEvent happened)
    {
        if (IsActive)
        {
            ((Action)happened.Payload!)();
        }
    }
}
