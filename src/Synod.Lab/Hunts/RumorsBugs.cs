using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;
using Synod.Simulation;

namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of rumor mongering and of broadcast trees, each in a random world.</summary>
public static class RumorsBugs
{
    public static IReadOnlyList<RoomBug> All { get; } =
    [
        Mongering("versions-without-origin", RumorsMutation.VersionsWithoutOrigin),
        Mongering("counter-forgotten", RumorsMutation.CounterForgotten),
        Mongering("spread-before-durable", RumorsMutation.SpreadBeforeDurable, plan: RumorWorld.Deadly(Duration.FromMilliseconds(150))),
        Mongering("delivered-again", RumorsMutation.DeliveredAgain),
        Mongering("size-unchecked", RumorsMutation.SizeUnchecked),
        Mongering("origin-unchecked", RumorsMutation.OriginUnchecked),
        Mongering("former-forgotten", RumorsMutation.FormerForgotten),
        Mongering("own-numbers-unchecked", RumorsMutation.OwnNumbersUnchecked),
        Mongering("sender-unchecked", RumorsMutation.SenderUnchecked),
        Mongering("interest-lost-at-once", RumorsMutation.InterestLostAtOnce, RumorStyle.Push),
        Mongering("interest-kept", RumorsMutation.InterestKept),
        Mongering("feedback-repeats", RumorsMutation.FeedbackRepeats, RumorStyle.Push),
        Mongering("found-not-spread", RumorsMutation.FoundNotSpread),
        Mongering("offer-withheld", RumorsMutation.OfferWithheld, RumorStyle.Pull),
        Tree("no-prune", RumorsMutation.NoPrune),
        Tree("no-announcement", RumorsMutation.NoAnnouncement),
        Tree("no-graft", RumorsMutation.NoGraft),
        Tree("graft-stays-lazy", RumorsMutation.GraftStaysLazy),
        Tree("first-announcer-only", RumorsMutation.FirstAnnouncerOnly),
        Tree("down-kept", RumorsMutation.DownKept),
        Tree("newcomer-not-told", RumorsMutation.NewcomerNotTold),
        Tree("cache-too-short", RumorsMutation.CacheTooShort),
        Tree("no-optimisation", RumorsMutation.NoOptimisation),
        Tree("missing-unbounded", RumorsMutation.MissingUnbounded, hasLiars: true),
        Tree("delivered-again", RumorsMutation.DeliveredAgain),
    ];

    private static RoomBug Mongering(string name, RumorsMutation mutation, RumorStyle style = RumorStyle.PushPull, FaultPlan? plan = null) =>
        new($"rumors-{name}", nameof(Rumors), seed => Caught(
            () => new RumorWorld(seed, RumorWorld.Options with { Style = style, Mutation = mutation }, plan).Run(Duration.FromSeconds(4))));

    private static RoomBug Tree(string name, RumorsMutation mutation, bool hasLiars = false) =>
        new($"plumtree-{name}", nameof(Rumors), seed => Caught(
            () => new PlumtreeWorld(seed, PlumtreeWorld.Options with { Mutation = mutation }, hasLiars: hasLiars).Run()));

    internal static SimulationFailure? Caught(Action run)
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
