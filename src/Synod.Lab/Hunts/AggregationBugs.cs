using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of push-sum, each in a random world.</summary>
public static class AggregationBugs
{
    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Bug("sent-is-kept", AggregationMutation.SentIsKept),
        Bug("halves-rounded-down", AggregationMutation.HalvesRoundedDown),
        Bug("sent-once", AggregationMutation.SentOnce),
        Bug("duplicates-added", AggregationMutation.DuplicatesAdded),
        Bug("stale-added", AggregationMutation.StaleAdded),
        Bug("sent-before-durable", AggregationMutation.SentBeforeDurable),
        Bug("epoch-forgotten", AggregationMutation.EpochForgotten),
        Bug("restarted-takes-part", AggregationMutation.RestartedTakesPart),
        Bug("epoch-not-followed", AggregationMutation.EpochNotFollowed),
        Bug("everybody-is-root", AggregationMutation.EverybodyIsRoot),
        Bug("extremes-kept", AggregationMutation.ExtremesKept),
        Bug("collapse-loses-weight", AggregationMutation.CollapseLosesWeight),
        Bug("mass-unchecked", AggregationMutation.MassUnchecked),
        Bug("sender-unchecked", AggregationMutation.SenderUnchecked),
        Bug("taken-back", AggregationMutation.TakenBack),
    ];

    private static RoomBug Bug(string name, AggregationMutation mutation) =>
        new($"aggregation-{name}", nameof(Aggregation), seed => RumorsBugs.Caught(
            () => new AggregationWorld(seed, AggregationWorld.Options with { Mutation = mutation }).Run(Duration.FromSeconds(6))));
}
