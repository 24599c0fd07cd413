using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Snapshots;

namespace Synod.Lab.Scenarios.Snapshots;

/// <summary>snapshots.md §4: the whole system goes back to a cut; money in the channels is sent again, what came later is refused.</summary>
public sealed class SnapshotRestore : Scenario
{
    private static readonly NodeId s_a = new(1);
    private static readonly NodeId s_b = new(2);
    private static readonly NodeId s_c = new(3);

    public override string Name => "snapshot-restore";

    public override string Title => "Three banks are put back to a cut: money in the channels arrives again, and what was under way since does not.";

    public override Promise Promise { get; } = Promise.That(
        "SnapshotCompletes", ChandyLamport.CutConsistency, "RestoreCompletes", "TotalAfterRestore", "ChannelsAreSentAgain", "LaterMessagesAreRefused");

    protected override void Play(Report report, ulong seed)
    {
        var cast = new SnapshotCast<BankBranch>(seed, Topology.Mesh(1, NodeSet.Of(s_a, s_b, s_c)), ["A", "B", "C"], _ => new BankBranch(100));
        var stage = cast.Stage;
        var refused = 0L;
        var cut = default(Cut);
        if (!report.Guard(() =>
        {
            cast.Act(s_b, BankBranch.Transfer(30, s_a));
            cut = cast.Snapshot(s_a);
            cast.Act(s_a, BankBranch.Transfer(50, s_c));
            stage.RunUntil(stage.Now + Duration.FromMilliseconds(30));
            if (cut is null)
            {
                return;
            }

            // B pays once more, and this money is on its way to C when C is already what it was.
            cast.Act(s_b, BankBranch.Transfer(20, s_c));
            stage.Note("the whole system goes back to the cut");
            var before = Refused();
            stage.Hold((from, to, message) => from == s_b && to == s_c && message is ChandyLamport.Message.Data { Parcel: ChandyLamport.Parcel.Payload }, Duration.FromMilliseconds(40));
            stage.Submit(s_a, new ChandyLamport.Command.Restore(cut));
            stage.RunUntil(stage.Now + Duration.FromMilliseconds(150));
            refused = Refused() - before;
        }))
        {
            return;
        }

        report.Show("A snapshot, payments after it, and a restore", stage.History);
        SnapshotCast<BankBranch>.Judge(report, cut);
        if (cut is null)
        {
            return;
        }

        report.Add(cast.Show(cut));
        var isRestored = stage.Answers.Any(answer => answer.Result is ChandyLamport.Result.Restored);
        long[] balances = [cast[s_a].Balance, cast[s_b].Balance, cast[s_c].Balance];
        var inChannels = cut.InChannels.Sum(item => BankBranch.Money(item.Message.Body));
        report.Tell($"The cut has {string.Join(", ", cut.Pieces.Select(piece => $"{new Key(piece.State)} at {stage.NameOf(piece.Process)}"))} and {inChannels} in a channel.");
        report.Tell($"Then A pays C 50 and B pays C 20. A puts everybody back to the cut, under a new incarnation; B's 20 arrive from the old one and are refused.");
        report.Tell($"The money that the cut found in the channel is delivered again: A, B and C have {string.Join(", ", balances)}.");
        report.Liveness("RestoreCompletes", isRestored, $"every bank has loaded its piece");
        report.Safety("TotalAfterRestore", balances.Sum() == 300, $"{balances.Sum()} of 300");
        report.Safety("ChannelsAreSentAgain", inChannels == 30 && balances is [130, 70, 100], $"{inChannels} were in the channel");
        report.Safety("LaterMessagesAreRefused", refused > 0, $"{refused} message{(refused == 1 ? "" : "s")} of the earlier incarnation");

        long Refused() => cast.Topology.Members.Sum(node => stage.Cluster.Counts(node).Refusals[(int)Refusal.StaleBallot]);
    }
}
