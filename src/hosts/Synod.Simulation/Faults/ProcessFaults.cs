using Synod.Core;
using Synod.Simulation.Disks;

namespace Synod.Simulation;

/// <summary>A process dies as in a power failure and is started again after a while.</summary>
public sealed record Crashes(Duration Every, Duration Down) : IFault
{
    public string Name => "crash";

    public void Start(FaultInjector injector) => injector.Every(Every, () =>
    {
        var node = injector.AnyNode();
        if (injector.Cluster.IsUp(node))
        {
            injector.Count(Name);
            injector.Cluster.Crash(node);
            injector.Cluster.StartAfter(node, injector.Random.Wait(Down));
        }
    });
}

/// <summary>Every process dies at once.</summary>
public sealed record Blackouts(Duration Every, Duration Down) : IFault
{
    public string Name => "blackout";

    public void Start(FaultInjector injector) => injector.Every(Every, () =>
    {
        injector.Count(Name);
        foreach (var node in injector.Cluster.Nodes)
        {
            if (injector.Cluster.IsUp(node))
            {
                injector.Cluster.Crash(node);
                injector.Cluster.StartAfter(node, injector.Random.Wait(Down));
            }
        }
    });
}

/// <summary>A process stops without knowing it, as in a long collection or a suspended machine.</summary>
public sealed record Pauses(Duration Every, Duration For) : IFault
{
    public string Name => "pause";

    public void Start(FaultInjector injector) => injector.Every(Every, () =>
    {
        var node = injector.AnyNode();
        if (injector.Cluster.IsUp(node) && !injector.Cluster.IsPaused(node))
        {
            injector.Count(Name);
            injector.Cluster.Pause(node, injector.Random.Wait(For));
        }
    });
}

/// <summary>A node's clock source goes quiet: no bound is known for a while.</summary>
public sealed record SilentClocks(Duration Every, Duration For) : IFault
{
    public string Name => "clock silence";

    public void Start(FaultInjector injector) => injector.Every(Every, () =>
    {
        injector.Count(Name);
        injector.Cluster.Clock(injector.AnyNode()).UnknownUntil =
            injector.Cluster.World.Now + injector.Random.Wait(For).Nanoseconds;
    });
}

/// <summary>A call of a node's disk fails, at a site of the log that is drawn or given: the process must stop, and start again.</summary>
public sealed record DiskErrors(Duration Every, LogCallSite? At = null) : IFault
{
    public string Name => "disk error";

    public void Start(FaultInjector injector) => injector.Every(Every, () =>
    {
        injector.Count(Name);
        injector.Cluster.Log(injector.AnyNode()).FailSoon(At);
    });
}

/// <summary>A call of a node's store fails, of a kind that is drawn or given: the process must stop, and start again.</summary>
public sealed record StoreErrors(Duration Every, StoreCallSite? At = null) : IFault
{
    public string Name => "store error";

    public void Start(FaultInjector injector) => injector.Every(Every, () =>
    {
        injector.Count(Name);
        injector.Cluster.Store(injector.AnyNode()).FailSoon(injector.Random, At);
    });
}

/// <summary>A node loses its disk for good, and comes back without: never two at a time.</summary>
public sealed record LostDisks(Duration Every, Duration Down) : IFault
{
    public string Name => "lost disk";

    public void Start(FaultInjector injector)
    {
        if (injector.Operator is { } operates)
        {
            injector.Every(Every, () =>
            {
                if (operates.TryReplaceDisk(injector.AnyNode(), injector.Random.Wait(Down)))
                {
                    injector.Count(Name);
                }
            });
        }
    }
}

/// <summary>Acts at given times: a story instead of chance.</summary>
public sealed record Script(string Name, IReadOnlyList<(Duration At, Action<ISimulatedCluster> Act)> Acts) : IFault
{
    public void Start(FaultInjector injector)
    {
        foreach (var (at, act) in Acts)
        {
            injector.After(at, () =>
            {
                injector.Count(Name);
                act(injector.Cluster);
            });
        }
    }
}
