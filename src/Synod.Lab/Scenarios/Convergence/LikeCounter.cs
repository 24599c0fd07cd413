using System.Globalization;
using Synod.Core;
using Synod.Crdt;

namespace Synod.Lab.Scenarios.Convergence;

/// <summary>Likes counted on three continents that cannot reach each other for a while (crdt.md §4.1).</summary>
public sealed class LikeCounter : Scenario
{
    public override string Name => "like-counter";

    public override string Title => "Three continents count likes through a partition, and messages that come twice count once.";

    public override Promise Promise { get; } = Promise.That(
        "StrongEventualConsistency", "EveryoneHasSeenEverything", "NoLikeIsLostOrCountedTwice", "NobodyWaits");

    protected override void Play(Report report, ulong seed)
    {
        var cast = new ConvergentCast<GCounter>(seed, ["Europe", "America", "Asia"], new(), static (counter, me, _, text) =>
            counter.Increment(me, ulong.Parse(text.Split(' ')[1], CultureInfo.InvariantCulture)));
        cast.At(0, 1, "like 3");
        cast.At(5, 2, "like 2");
        cast.AloneBetween(30, 70);
        cast.At(35, 1, "like 10");
        cast.At(40, 2, "like 20");
        cast.At(45, 3, "like 30");
        var whileApart = 0;
        cast.Stage.At(Duration.FromMilliseconds(65), () => whileApart = cast.Stage.Answers.Count);
        cast.SyncAt(80);
        if (!cast.Play(report, "Likes on three continents", 200))
        {
            return;
        }

        var given = cast.Subjects.Sum(amount => long.Parse(amount, CultureInfo.InvariantCulture));
        report.Tell($"Each continent counts its own likes and keeps what it has heard of the others'. A message says how many likes a continent has in all, so it may come twice or late: the larger number is the later one.");
        report.Tell($"While nobody can reach anybody, {whileApart - 2} more clients are answered at once; each sees what its own continent knows.");
        report.Tell($"After the partition all states go both ways, some of them twice. All three count {cast[1].Value} likes, of {given} that were given.");
        cast.JudgeConvergence(report);
        report.Safety("NoLikeIsLostOrCountedTwice", cast.States.All(state => state.Value == (UInt128)given), $"{string.Join(", ", cast.States)} of {given}");
        report.Measure("NobodyWaits", whileApart == cast.Happenings.Count, $"{whileApart} of {cast.Happenings.Count} answered before the network healed");
    }
}
