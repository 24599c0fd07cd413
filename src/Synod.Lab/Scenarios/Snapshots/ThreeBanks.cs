using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;

namespace Synod.Lab.Scenarios.Snapshots;

/// <summary>The chapter's three banks, P1 ⇄ P2 ⇄ P3 with 1000, 2000 and 3000, and a marker that meets money on its way.</summary>
public sealed class ThreeBanks : Scenario
{
    private const long Total = 6_000;

    public override string Name => "three-banks-and-a-marker";

    public override string Title => "A snapshot of three banks while money moves: what is in the channels belongs to the total.";

    public override Promise Promise { get; } = Promise.That(
        "SnapshotCompletes", ChandyLamport.CutConsistency, ChandyLamport.Conservation, "MarkersChannelIsEmpty", "MoneyIsInChannels", "StatesAloneAreTooLittle");

    protected override void Play(Report report, ulong seed)
    {
        var (one, two, three) = (new NodeId(1), new NodeId(2), new NodeId(3));
        Topology banks = new(1, NodeSet.Of(one, two, three), [new(one, two), new(two, one), new(two, three), new(three, two)]);
        var cast = new SnapshotCast<BankBranch>(seed, banks, ["P1", "P2", "P3"], node => new BankBranch(node.Value * 1_000));
        var stage = cast.Stage;

        // P1 pays and begins. P2 pays both neighbours, and P3 pays P2, before they hear of it.
        cast.Act(one, BankBranch.Transfer(100, two));
        stage.At(Ms(2), () => cast.Begin(one));
        stage.At(Ms(4), () => cast.Act(two, BankBranch.Transfer(25, one)));
        stage.At(Ms(6), () => cast.Act(two, BankBranch.Transfer(50, three)));
        stage.At(Ms(12), () => cast.Act(three, BankBranch.Transfer(70, two)));
        if (!report.Guard(() => stage.RunUntil(Ms(80))))
        {
            return;
        }

        report.Show("Three banks; channels keep the order", stage.History);
        var cut = cast.Cuts.FirstOrDefault();
        SnapshotCast<BankBranch>.Judge(report, cut);
        if (cut is null)
        {
            return;
        }

        var states = cut.Pieces.Sum(piece => BankBranch.Money(piece.State));
        var inChannels = BankBranch.Money(cut) - states;
        report.Add(cast.Show(cut));
        report.Tell($"P1 has paid 100 and records its state, {new Key(cut[one]!.State)}; its marker follows the 100 to P2, so P2 has the 100 when it records.");
        report.Tell($"P2 paid 25 to P1 before it saw the marker. P1 had recorded by then: the money is in neither state, it is in the channel. So is what P3 paid.");
        report.Tell($"The states alone sum up to {states}. With {inChannels} in the channels the cut holds {BankBranch.Money(cut)}, although the banks were never in this state at one moment.");
        report.Safety(ChandyLamport.Conservation, BankBranch.Money(cut) == Total, $"{BankBranch.Money(cut)} of {Total} over accounts and channels");
        report.Safety(
            "MarkersChannelIsEmpty",
            cut[two]!.Incoming.Single(channel => channel.From == one).Contents.IsEmpty,
            $"nothing is recorded of the channel in which P2's first marker came");
        report.Measure("MoneyIsInChannels", inChannels > 0, $"{inChannels} was under way");
        report.Measure("StatesAloneAreTooLittle", states < Total, $"{states} of {Total}");
    }

    private static Duration Ms(long count) => Duration.FromMilliseconds(count);
}
