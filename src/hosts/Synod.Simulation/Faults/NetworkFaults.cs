using Synod.Core;

namespace Synod.Simulation;

/// <summary>The weather of all links changes every few seconds, up to the rates given here.</summary>
public sealed record BadLinks(
    int LossPerMillion, int DuplicatePerMillion, int CorruptPerMillion, int SlowPerMillion, bool Reorders, Duration Every)
    : IFault
{
    public string Name => "weather";

    public void Start(FaultInjector injector) => injector.Every(Every, () =>
    {
        injector.Count(Name);
        var random = injector.Random;
        var network = injector.Cluster.Network;
        network.Conditions = network.Conditions with
        {
            LossPerMillion = UpTo(random, LossPerMillion),
            DuplicatePerMillion = UpTo(random, DuplicatePerMillion),
            CorruptPerMillion = UpTo(random, CorruptPerMillion),
            SlowPerMillion = UpTo(random, SlowPerMillion),
            Reorders = Reorders && random.Below(2) == 0,
        };
    });

    // Half of the time none at all: a rate that is always there hides what its absence would show.
    private static int UpTo(SeededRandom random, int most) => random.Below(2) == 0 ? 0 : random.Below(most + 1);
}

/// <summary>Splits the nodes in two sides that do not hear each other, or only one of them.</summary>
public sealed record Partitions(Duration Every, Duration For, bool OneWay) : IFault
{
    public string Name => OneWay ? "one-way partition" : "partition";

    public void Start(FaultInjector injector) => injector.Every(Every, () =>
    {
        injector.Count(Name);
        var nodes = injector.Cluster.Nodes;
        var side = 1 + injector.Random.Below((1 << nodes.Count) - 2);
        var cut = new List<(int From, int To)>();
        for (var from = 0; from < nodes.Count; from++)
        {
            for (var to = 0; to < nodes.Count; to++)
            {
                var (near, far) = ((side >> from & 1) == 1, (side >> to & 1) == 1);
                if (near && !far || (!OneWay && !near && far))
                {
                    cut.Add((nodes[from].Value, nodes[to].Value));
                }
            }
        }

        var network = injector.Cluster.Network;
        cut.ForEach(link => network.Block(link.From, link.To));
        injector.After(
            injector.Random.Wait(For), () => cut.ForEach(link => network.Unblock(link.From, link.To)));
    });
}
