namespace Synod.Lab.Hunts;

/// <summary>The known mistakes of every room.</summary>
public static class RoomBugs
{
    public static IReadOnlyList<RoomBug> All { get; } =
    [
        .. TwoPhaseCommitBugs.All,
        .. ThreePhaseCommitBugs.All,
        .. PaxosCommitBugs.All,
        .. EnlistmentBugs.All,
        .. MultiPaxosBugs.All,
        .. ReconfigurationBugs.All,
        .. EPaxosBugs.All,
        .. PbftBugs.All,
        .. HotStuffBugs.All,
        .. ChandyLamportBugs.All,
        .. MembershipBugs.All,
        .. AntiEntropyBugs.All,
        .. RumorsBugs.All,
        .. AggregationBugs.All,
    ];
}
