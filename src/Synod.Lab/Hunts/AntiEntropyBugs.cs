using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip.AntiEntropy;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of the anti-entropy room (gossip.md §5 and §6, crdt.md §5 and §10), and the world that brings each to light.</summary>
public static class AntiEntropyBugs
{
    private static readonly Duration s_stormy = Duration.FromSeconds(6);
    private static readonly Duration s_deadline = Duration.FromSeconds(30);

    // Losses, partitions and crashes at once, on disks that take their time: what is told and not yet durable stays so for long.
    private static readonly FaultPlan s_storm = new()
    {
        Machine = new MachineConditions { LeastSync = Duration.FromMilliseconds(5), MostSync = Duration.FromMilliseconds(40) },
        Faults =
        [
            new BadLinks(200_000, 200_000, 0, 50_000, Reorders: true, Duration.FromMilliseconds(500)),
            new Partitions(Duration.FromMilliseconds(1_500), Duration.FromMilliseconds(1_000), OneWay: false),
            new Crashes(Duration.FromMilliseconds(800), Duration.FromMilliseconds(300)),
        ],
    };

    // Acknowledgements come late, to replicas that are back soon.
    private static readonly FaultPlan s_late = s_storm with
    {
        Faults =
        [
            new BadLinks(0, 100_000, 0, 500_000, Reorders: true, Duration.FromMilliseconds(500)),
            new Crashes(Duration.FromMilliseconds(500), Duration.FromMilliseconds(50)),
        ],
    };

    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Notes("version-without-origin", ScuttlebuttMutation.VersionWithoutOrigin),
        Notes("newest-first", ScuttlebuttMutation.NewestFirst),
        Notes("through-overstated", ScuttlebuttMutation.ThroughOverstated),
        Notes("gap-accepted", ScuttlebuttMutation.GapAccepted),
        Notes("floor-not-raised", ScuttlebuttMutation.FloorNotRaised),
        Notes("reset-keeps-old", ScuttlebuttMutation.ResetKeepsOld),
        Notes("stale-believed", ScuttlebuttMutation.StaleBelieved, tombstones: 0),
        Notes("send-before-durable", ScuttlebuttMutation.SendBeforeDurable),
        Notes("answer-before-durable", ScuttlebuttMutation.AnswerBeforeDurable),
        Notes("restored-keeps-origin", ScuttlebuttMutation.RestoredKeepsOrigin),
        Notes("forged-origin-taken", ScuttlebuttMutation.ForgedOriginTaken),
        Notes("fenced-accepted", ScuttlebuttMutation.FencedAccepted),
        Stores("content-not-hashed", RangeMutation.ContentNotHashed),
        Stores("only-counted", RangeMutation.OnlyCounted),
        Stores("bounds-lost", RangeMutation.BoundsLost),
        Stores("compared-overstated", RangeMutation.ComparedOverstated),
        Stores("served-overstated", RangeMutation.ServedOverstated),
        Stores("sequence-ignored", RangeMutation.SequenceIgnored),
        Stores("ack-before-durable", RangeMutation.AckBeforeDurable),
        Stores("merge-overwrites", RangeMutation.MergeOverwrites),
        Replicas("send-before-durable", DeltaMutation.SendBeforeDurable),
        Replicas("answer-before-durable", DeltaMutation.AnswerBeforeDurable),
        Replicas("ack-before-durable", DeltaMutation.AckBeforeDurable),
        Replicas("crash-keeps-origin", DeltaMutation.CrashKeepsOrigin, DeltaDurability.Asynchronous),
        Replicas("restored-keeps-origin", DeltaMutation.RestoredKeepsOrigin),
        Replicas("peer-incarnation-ignored", DeltaMutation.PeerIncarnationIgnored),
        Replicas("gap-ignored", DeltaMutation.GapIgnored),
        Replicas("ack-assumed", DeltaMutation.AckAssumed),
        new("deltas-ack-to-former-life", nameof(DeltaSync), seed => Find(() => new ConvergentWorld(
            seed,
            ConvergentWorld.Options with
            {
                Mutation = DeltaMutation.AckToFormerLife, Durability = DeltaDurability.Asynchronous, MostBufferedBytes = 1 << 20,
            },
            s_late).Run(s_stormy, s_deadline))),
        Replicas("fenced-accepted", DeltaMutation.FencedAccepted),
        Replicas("fenced-keeps-state", DeltaMutation.FencedKeepsState),
        Replicas("parts-mixed", DeltaMutation.PartsMixed),
        Replicas("part-acknowledged", DeltaMutation.PartAcknowledged),
        Replicas("lost-part-not-repeated", DeltaMutation.LostPartNotRepeated),
        Replicas("stability-of-some", DeltaMutation.StabilityOfSome),
        Replicas("asynchronous-tells-seen", DeltaMutation.AsynchronousTellsSeen, DeltaDurability.Asynchronous),
    ];

    /// <summary>A run of nodes with notes under this mistake.</summary>
    /// <param name="tombstones">How many are kept for who has not heard of them; without any, resets are common.</param>
    internal static SimulationFailure? Run(ulong seed, ScuttlebuttMutation mutation, int tombstones = 3) => Find(() => new ScuttlebuttWorld(
        seed, ScuttlebuttWorld.Options with { Mutation = mutation, MostTombstones = tombstones }, s_storm).Run(s_stormy, s_deadline));

    /// <summary>A run of stores under this mistake.</summary>
    internal static SimulationFailure? Run(ulong seed, RangeMutation mutation) =>
        Find(() => new RangeWorld(seed, RangeWorld.Options with { Mutation = mutation }, s_storm).Run(s_stormy, s_deadline));

    /// <summary>A run of replicas under this mistake.</summary>
    internal static SimulationFailure? Run(ulong seed, DeltaMutation mutation, DeltaDurability durability) => Find(
        () => new ConvergentWorld(seed, ConvergentWorld.Options with { Mutation = mutation, Durability = durability }, s_storm).Run(s_stormy, s_deadline));

    private static RoomBug Notes(string name, ScuttlebuttMutation mutation, int tombstones = 3) =>
        new("scuttlebutt-" + name, nameof(Scuttlebutt), seed => Run(seed, mutation, tombstones));

    private static RoomBug Stores(string name, RangeMutation mutation) =>
        new("ranges-" + name, nameof(RangeReconciliation), seed => Run(seed, mutation));

    private static RoomBug Replicas(string name, DeltaMutation mutation, DeltaDurability durability = DeltaDurability.Synchronous) =>
        new("deltas-" + name, nameof(DeltaSync), seed => Run(seed, mutation, durability));

    private static SimulationFailure? Find(Action run)
    {
        try
        {
            run();
            return null;
        }
        catch (SimulationFailure failure)
        {
            return failure;
        }
    }
}
