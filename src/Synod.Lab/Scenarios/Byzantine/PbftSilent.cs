using Synod.Core;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Scenarios.Byzantine;

/// <summary>With 3f+1 replicas f may say nothing: a backup costs nothing, a primary costs a view change.</summary>
public sealed class PbftSilent : Scenario
{
    public override string Name => "pbft-f-silent";

    public override string Title => "One of four replicas says nothing: as a backup nobody notices, as the primary it is replaced.";

    public override Promise Promise { get; } = Promise.That(
        "Agreement (backup)", "CorrectIsNotAccused (backup)", "Served (backup)", "NoViewChange (backup)",
        "Agreement (primary)", "CorrectIsNotAccused (primary)", "Served (primary)", "ViewChange (primary)");

    protected override void Play(Report report, ulong seed)
    {
        var calm = Serve(report, seed, 3, " (backup)");
        var late = Serve(report, seed, 0, " (primary)");
        report.Tell($"With D silent the client has its two equal replies after {Said(calm)}: five delays and the disks, as if D were there.");
        report.Tell($"With the primary A silent it takes {Said(late)}: the client asks everybody, the backups wait for a second, and B leads view 1.");
    }

    private static Duration? Serve(Report report, ulong seed, int silent, string suffix)
    {
        var cast = new PbftCast(seed, 4, ["X"], new Dictionary<int, Func<PbftCast, Adversary<Pbft.Message>>> { [silent] = _ => Adversary.Silent<Pbft.Message>() });
        var stage = cast.Stage;
        cast.Invoke(cast.Clients[0], "x+");
        report.Guard(() => stage.RunUntil(() => stage.Answers.Count == 1, Duration.FromSeconds(20)));
        var answered = stage.Answers.Count == 1 ? stage.Now : default(Duration?);
        report.Show($"{stage.NameOf(cast.Replicas[silent])}, {(silent == 0 ? "the primary" : "a backup")}, is silent", stage.History);
        cast.Judge(report, suffix);
        report.Liveness($"Served{suffix}", answered is not null, $"answered after {Said(answered)}");
        var view = cast.Correct.Max(replica => replica.View);
        if (silent == 0)
        {
            report.Liveness($"ViewChange{suffix}", view == 1, $"view {view}");
        }
        else
        {
            report.Liveness($"NoViewChange{suffix}", view == 0 && answered < cast.Options.RetryInterval, $"view {view}, and the client did not have to ask again");
        }

        return answered;
    }

    private static string Said(Duration? time) => time is { } length ? Report.Ms(length) : "never";
}
