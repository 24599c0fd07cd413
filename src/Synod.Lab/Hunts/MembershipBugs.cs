using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of the membership's room, each in the story that shows it.</summary>
public static class MembershipBugs
{
    /// <summary>Disks that are slow, processes that die while they wait for them, and no clock that would make up for what they forget.</summary>
    private static readonly FaultPlan s_slowDisks = new()
    {
        Faults =
        [
            new Crashes(Duration.FromMilliseconds(150), Duration.FromMilliseconds(100)),
            new Script("no clocks", [(Duration.Zero, cluster =>
            {
                foreach (var node in cluster.Nodes)
                {
                    cluster.Clock(node).UnknownUntil = long.MaxValue;
                }
            })]),
        ],
        Machine = new MachineConditions { SlowSyncPerMillion = 900_000 },
    };

    /// <summary>Links that lose and delay, and processes that sleep.</summary>
    private static readonly FaultPlan s_rough = new()
    {
        Faults =
        [
            new BadLinks(300_000, 100_000, 0, 200_000, Reorders: true, Duration.FromMilliseconds(500)),
            new Pauses(Duration.FromMilliseconds(700), Duration.FromMilliseconds(1_500)),
        ],
    };

    private static readonly FaultPlan s_crashes = new()
    {
        Faults = [new Crashes(Duration.FromMilliseconds(800), Duration.FromMilliseconds(800))],
    };

    private static readonly (MembershipMutation Mutation, string Name, Action<ulong, MembershipOptions> Story)[] s_stories =
    [
        (MembershipMutation.AliveAtEqualWins, "alive-at-equal-wins", Rough),
        (MembershipMutation.SuspectNeedsMore, "suspect-needs-more", MembershipPlots.OneDies),
        (MembershipMutation.DeadIsNotSticky, "dead-is-not-sticky", MembershipPlots.OneSleepsOverADeath),
        (MembershipMutation.DeadAtAnyIncarnation, "dead-at-any-incarnation", Rough),
        (MembershipMutation.NoRefutation, "no-refutation", Rough),
        (MembershipMutation.RefuteWithoutRaising, "refute-without-raising", Rough),
        (MembershipMutation.OthersRaise, "others-raise", MembershipPlots.OneDies),
        (MembershipMutation.IncarnationForgotten, "incarnation-forgotten", (seed, options) => Faulty(seed, options, s_crashes)),
        (MembershipMutation.AnnounceBeforeDurable, "announce-before-durable", (seed, options) => Faulty(seed, options with { IncarnationReserve = 1 }, s_slowDisks)),
        (MembershipMutation.SuspicionNotCancelled, "suspicion-not-cancelled", Rough),
        (MembershipMutation.SameAccuserCounts, "same-accuser-counts", MembershipPlots.OneDies),
        (MembershipMutation.ConfirmationsIgnored, "confirmations-ignored", MembershipPlots.OneDies),
        (MembershipMutation.NoIndirectProbes, "no-indirect-probes", MembershipPlots.TwoAreApart),
        (MembershipMutation.NoFallback, "no-fallback", MembershipPlots.PacketsAreLost),
        (MembershipMutation.RandomTargets, "random-targets", MembershipPlots.TwoAreApart),
        (MembershipMutation.OldAckCounts, "old-ack-counts", MembershipPlots.SomeLie),
        (MembershipMutation.AckFromAnyone, "ack-from-anyone", MembershipPlots.SomeLie),
        (MembershipMutation.NoNacks, "no-nacks", MembershipPlots.OneDies),
        (MembershipMutation.HealthIgnored, "health-ignored", Rough),
        (MembershipMutation.NoBuddy, "no-buddy", Rough),
        (MembershipMutation.DeadForgotten, "dead-forgotten", (seed, options) => MembershipPlots.HalvesPart(seed, options)),
        (MembershipMutation.ReclaimedAtOnce, "reclaimed-at-once", MembershipPlots.OneSleepsOverADeath),
        (MembershipMutation.UnboundedPiggyback, "unbounded-piggyback", (seed, options) => MembershipPlots.ManyJoin(seed, options, 30)),
        (MembershipMutation.NewsKept, "news-kept", MembershipPlots.OneDies),
        (MembershipMutation.TablesNotCompared, "tables-not-compared", MembershipPlots.OneMissesNews),
        (MembershipMutation.NameClaimed, "name-claimed", Namesakes),
        (MembershipMutation.AbsurdIncarnations, "absurd-incarnations", MembershipPlots.SomeLie),
        (MembershipMutation.LeaveUntold, "leave-untold", MembershipPlots.OneLeaves),
        (MembershipMutation.GhostsTaken, "ghosts-taken", MembershipPlots.SomeLie),
        (MembershipMutation.PausesCount, "pauses-count", MembershipPlots.OneSleeps),
    ];

    public static IReadOnlyList<RoomBug> All { get; } = [.. s_stories.Select(item =>
        new RoomBug($"membership-{item.Name}", nameof(Membership), seed => Run(seed, item.Mutation, item.Mutation)))];

    /// <summary>One run of the story in which <paramref name="shown"/> shows, over a protocol with <paramref name="mutation"/>.</summary>
    internal static SimulationFailure? Run(ulong seed, MembershipMutation shown, MembershipMutation mutation)
    {
        var story = s_stories.Single(item => item.Mutation == shown).Story;
        return HotStuffBugs.Caught(seed, () => story(seed, MembershipWorld.Brisk with { Mutation = mutation }));
    }

    private static void Rough(ulong seed, MembershipOptions options) => Faulty(seed, options, s_rough);

    private static void Faulty(ulong seed, MembershipOptions options, FaultPlan plan) =>
        new MembershipWorld(seed, new MembershipCast { Nodes = 5, Options = options, Plan = plan, IsHostile = plan == s_rough })
            .Run(Duration.FromSeconds(6), Duration.FromSeconds(60));

    private static void Namesakes(ulong seed, MembershipOptions options) => new MembershipNamesakes(seed, options).OneAfterTheOther();
}
