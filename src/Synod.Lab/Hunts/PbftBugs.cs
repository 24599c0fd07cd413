using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>Known mistakes of PBFT (pbft.md §7, §11), each with the liar and the weather under which it shows.</summary>
public static class PbftBugs
{
    /// <summary>Short runs under one seed.</summary>
    private const ulong Runs = 2_000;

    /// <summary>Links that say everything twice.</summary>
    private static readonly FaultPlan s_echoes = new()
    {
        Faults = [new BadLinks(0, 900_000, 0, 0, Reorders: true, Duration.FromMilliseconds(400))],
    };

    /// <summary>Machines that die often and disks that are slow, so that much is lost before it is durable.</summary>
    private static readonly FaultPlan s_crashes = new()
    {
        Faults = [new Crashes(Duration.FromMilliseconds(120), Duration.FromMilliseconds(60))],
        Machine = new MachineConditions { SlowSyncPerMillion = 300_000 },
    };

    /// <summary>Splits that come and go faster than a view lasts.</summary>
    private static readonly FaultPlan s_splits = new()
    {
        Faults =
        [
            new Partitions(Duration.FromMilliseconds(150), Duration.FromMilliseconds(120), OneWay: false),
            new Partitions(Duration.FromMilliseconds(150), Duration.FromMilliseconds(120), OneWay: true),
            new BadLinks(300_000, 0, 0, 0, Reorders: true, Duration.FromMilliseconds(300)),
        ],
    };

    /// <summary>One message in ten comes late.</summary>
    private static readonly FaultPlan s_late = new()
    {
        Links = new LinkConditions { SlowPerMillion = 100_000, SlowDelay = Duration.FromMilliseconds(60) },
    };

    private static readonly PbftOptions s_options = PbftWorld.Brisk;

    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Bug("count-duplicates", PbftMutation.CountDuplicates, "two-faced", s_echoes),
        Bug("omit-digest-comparison", PbftMutation.OmitDigestComparison, "two-faced"),
        Bug("small-quorums", PbftMutation.SmallQuorums, "two-faced"),
        Bug("count-primary-prepare", PbftMutation.CountPrimaryPrepare, "two-faced votes"),
        Bug("believe-new-view", PbftMutation.BelieveNewView, "null new views", s_splits),
        Bug("believe-prepared", PbftMutation.BelievePrepared, "unproven claims", s_splits),
        Bug("leave-gaps", PbftMutation.LeaveGaps, "", s_splits),
        Bug("execute-prepared", PbftMutation.ExecutePrepared, "", s_splits),
        Bug("prepare-before-durable", PbftMutation.PrepareBeforeDurable, "", s_crashes),
        Bug("commit-before-durable", PbftMutation.CommitBeforeDurable, "", s_crashes),
        Bug("view-change-before-durable", PbftMutation.ViewChangeBeforeDurable, "", s_crashes),
        Bug("unsigned-requests", PbftMutation.UnsignedRequests, "invented requests"),
        Bug("execute-twice", PbftMutation.ExecuteTwice, "repeated requests"),
        Bug("forget-replies", PbftMutation.ForgetReplies, "repeated requests", s_splits),
        Bug("believe-chunks", PbftMutation.BelieveChunks, "false states", s_splits),
        Bug("trust-first-reply", PbftMutation.TrustFirstReply, "false replies"),
        Bug("few-replies-beside-reads", PbftMutation.FewRepliesBesideReads, "late reads", s_late),
        Bug("any-progress-calms", PbftMutation.AnyProgressCalms, "deaf", starvation: Duration.FromSeconds(2)),
        new("pbft-lowest-prepared-view", "Pbft", seed => RoomBug.Find(seed, Runs, run => PbftWaves.Run(run, PbftMutation.LowestPreparedView))),
    ];

    private static RoomBug Bug(string name, PbftMutation mutation, string lies, FaultPlan? plan = null, Duration? starvation = null) =>
        new($"pbft-{name}", "Pbft", seed => HotStuffBugs.Caught(seed, () => new PbftWorld(
            seed,
            s_options with { Mutation = mutation },
            lies,
            plan: plan ?? FaultPlan.Calm,
            liars: lies == "" ? NodeSet.Empty : NodeSet.Of(Quartet.Replicas[(int)(seed % 2)])).Run(
                Duration.FromSeconds(4), Duration.FromSeconds(120), starvation)));
}
