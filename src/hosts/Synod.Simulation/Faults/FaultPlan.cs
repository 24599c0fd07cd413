using Synod.Core;

namespace Synod.Simulation;

/// <summary>What a run is put through: machines, links and clocks as they are, and what happens to them.</summary>
public sealed record FaultPlan
{
    public MachineConditions Machine { get; init; } = new();

    public ClockConditions Clocks { get; init; } = new();

    public LinkConditions Links { get; init; } = new();

    public IReadOnlyList<IFault> Faults { get; init; } = [];

    /// <summary>Nothing goes wrong.</summary>
    public static FaultPlan Calm { get; } = new();

    /// <summary>
    /// Draws a plan: each run switches some faults off, because a fault that is always on hides what needs its absence (Groce
    /// et al. 2012, "Swarm testing").
    /// </summary>
    public static FaultPlan Swarm(ulong seed)
    {
        // Not the run's own stream: the same seed under another plan should otherwise be the same run.
        var random = new SeededRandom(seed ^ 0x5741524d);
        var faults = new List<IFault>();
        if (IsOn())
        {
            faults.Add(new BadLinks(
                IsOn() ? 100_000 : 0,
                IsOn() ? 100_000 : 0,
                IsOn() ? 20_000 : 0,
                IsOn() ? 50_000 : 0,
                IsOn(),
                Milliseconds(500, 4_000)));
        }

        AddIf(() => new Partitions(Milliseconds(1_500, 10_000), Milliseconds(200, 3_000), OneWay: false));
        AddIf(() => new Partitions(Milliseconds(1_500, 10_000), Milliseconds(200, 3_000), OneWay: true));
        AddIf(() => new Crashes(Milliseconds(1_000, 8_000), Milliseconds(100, 3_000)));
        AddIf(() => new Blackouts(Milliseconds(5_000, 20_000), Milliseconds(100, 1_500)));
        AddIf(() => new Pauses(Milliseconds(1_000, 8_000), Milliseconds(100, 4_000)));
        AddIf(() => new DiskErrors(Milliseconds(3_000, 15_000)));
        AddIf(() => new SilentClocks(Milliseconds(3_000, 15_000), Milliseconds(200, 2_000)));
        var plan = new FaultPlan
        {
            Faults = faults,
            Clocks = new ClockConditions
            {
                Bound = IsOn() ? Milliseconds(1, 20) : Duration.FromMicroseconds(random.Between(0, 500)),
                Steady = Milliseconds(50, 2_000),
            },
            Machine = new MachineConditions
            {
                StoreFlushPerMillion = IsOn() ? 1_000 : 0,
                CheckpointBytes = random.Between(16, 256) << 10,
                SlowSyncPerMillion = IsOn() ? 5_000 : 0,
            },
            Links = IsOn()
                ? new LinkConditions { LeastDelay = Milliseconds(1, 20), MostDelay = Milliseconds(20, 60) }
                : new LinkConditions(),
        };
        AddIf(() => new StoreErrors(Milliseconds(3_000, 15_000)));
        AddIf(() => new LostDisks(Milliseconds(1_000, 6_000), Milliseconds(50, 2_000)));
        return plan;

        bool IsOn() => random.Below(2) == 0;

        Duration Milliseconds(long least, long most) => Duration.FromMilliseconds(random.Between(least, most));

        void AddIf(Func<IFault> make)
        {
            var fault = make();
            if (IsOn())
            {
                faults.Add(fault);
            }
        }
    }

    public override string ToString() =>
        Faults.Count == 0 ? "calm" : string.Join(", ", Faults.Select(fault => fault.Name));
}
