using System.Globalization;
using System.Text;
using Synod.Core;
using Synod.Lab.Histories;
using Synod.Lab.Stages;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;

namespace Synod.Lab.Scenarios.Gossip;

/// <summary>gossip.md §7: half of the nodes die while a rumor is on its way down the tree, and every survivor is told all the same.</summary>
public sealed class HalfTheClusterDies : Scenario
{
    private static readonly string[] s_names = ["A", "B", "C", "D", "E", "F"];
    private static readonly int[] s_sizes = [64, 1_024, 10_000];

    public override string Name => "half-the-cluster-dies";

    public override string Title => "Half of the nodes die with the news in their hands: a broadcast tree mends itself, and every survivor is told once.";

    public override Promise Promise { get; } = Promise.That("EverybodyIsTold", Rumors.DeliveredOnce, "TreeIsMended", "OnePayload", "RumorsReachSurvivors");

    protected override void Play(Report report, ulong seed)
    {
        var stage = OnStage(seed, out var asked);
        report.Show("A tree of six: D, E and F die with the second rumor in their hands", stage.History);
        NodeId[] survivors = [new(1), new(2), new(3)];
        var isTold = survivors.All(node => ((Plumtree)stage[node]!).Knows(new RumorId(new(1), 2)));
        report.Tell($"The first rumor prunes the links: whoever brings what is already there is answered PRUNE, and hears only ids from then on.");
        report.Tell($"D, E and F die before they hand the second one on. Whoever was below them hears the id from a lazy neighbour, waits {Report.Ms(Options.FirstWait)}, and asks for it: {asked} GRAFT. The link is a branch from then on.");

        List<PlumtreeWorld> worlds = [];
        var holds = report.Guard(() =>
        {
            foreach (var size in new[] { 50, 200 })
            {
                var world = new PlumtreeWorld(seed, PlumtreeWorld.Options, size);
                world.Run(leastKilled: 50, mostKilled: 50);
                worlds.Add(world);
            }
        });
        report.Add(new(
            "The same in a stream of rumors, with half of the nodes killed in its middle",
            ["nodes", "killed", "handed over", "repairs", "payloads for each survivor, afterwards"],
            [.. worlds.Select(world => (IReadOnlyList<string>)
                [$"{world.Size}", $"{world.Killed}", $"{world.Delivered}", $"{world.Grafts}", FormattableString.Invariant($"{world.PayloadsPerNode:0.00}")])]));
        var mongering = s_sizes.Select(nodes => RumorSpread.Run(
            new(nodes, new RumorOptions { Loss = InterestLoss.BlindCounter, K = int.MaxValue }, seed) { DownPerMille = 500 })).ToList();
        report.Add(new(
            "Rumor mongering, with half of all nodes dead from the start",
            ["nodes", "survivors", "told", "rounds", "log2 of the survivors"],
            [.. s_sizes.Zip(mongering, static (nodes, outcome) => (IReadOnlyList<string>)
                [Said(nodes), Said(outcome.Live), Said(outcome.Knew), Said(outcome.Rounds), FormattableString.Invariant($"{Math.Log2(outcome.Live):0.0}")])]));
        report.Tell($"Rumor mongering has no tree to mend: with half of all nodes dead, and still in everybody's view, every second contact is in vain. The survivors of 64 are told in {mongering[0].Rounds} rounds, those of 10,000 in {mongering[^1].Rounds}.");
        report.Liveness("EverybodyIsTold", isTold && worlds.Count == 2, $"everything that any survivor started or was handed");
        report.Safety(Rumors.DeliveredOnce, holds, $"in each process");
        report.Measure("TreeIsMended", worlds.Count == 2, $"no repairs in the ten rumors after");
        report.Measure("OnePayload", worlds.All(world => world.PayloadsPerNode <= 1.1), $"{string.Join(", ", worlds.Select(world => FormattableString.Invariant($"{world.PayloadsPerNode:0.00}")))}");
        report.Liveness("RumorsReachSurvivors", mongering.All(outcome => outcome.IsComplete), $"{string.Join(", ", mongering.Select(outcome => $"{Said(outcome.Knew)} of {Said(outcome.Live)}"))}");
    }

    private static string Said(int number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static PlumtreeOptions Options { get; } = new() { FirstWait = Duration.FromMilliseconds(60), NextWait = Duration.FromMilliseconds(30), Batch = Duration.FromMilliseconds(10) };

    /// <summary>Each is beside four others. The quick links lead through D and E, so that the tree does.</summary>
    private static Stage<Plumtree.Message, RumorRecord, RumorCommand, RumorResult> OnStage(ulong seed, out int grafts)
    {
        var nodes = s_names.Select((name, index) => (Node: new NodeId(index + 1), Name: name)).ToList();
        var asked = 0;
        var stage = new Stage<Plumtree.Message, RumorRecord, RumorCommand, RumorResult>(
            new()
            {
                Processes = nodes,
                Create = start => new Plumtree(start.Self, Options, Beside(start.Self.Value)),
                Messages = new Plumtree.MessageWire(),
                Records = new RumorRecordWire(),
                Words = new Words(),
                Spread = Duration.FromMilliseconds(2),
                Delay = static (from, to) => Duration.FromMilliseconds(from.Value <= 3 && to.Value <= 3 ? 24 : 8),
            },
            seed)
        {
            Sent = (_, _, message) => asked += message is Plumtree.Message.Graft { Id: not null } ? 1 : 0,
        };
        stage.RunUntil(Duration.FromMilliseconds(40));
        Tell("news");
        stage.RunUntil(Duration.FromMilliseconds(150));
        var before = asked;
        Tell("more");
        stage.RunUntil(stage.Now + Duration.FromMilliseconds(5));
        foreach (var doomed in new[] { 4, 5, 6 })
        {
            stage.Crash(new NodeId(doomed));
        }

        stage.RunUntil(stage.Now + Duration.FromMilliseconds(200));
        grafts = asked - before;
        return stage;

        void Tell(string text) => stage.Submit(new NodeId(1), new RumorCommand.Spread(Encoding.ASCII.GetBytes(text)));
    }

    private static PeerView Beside(int node) =>
        PeerView.Of(Enumerable.Range(1, 6).Where(other => other != node && other != 7 - node).Select(other => new NodeId(other)), isWhole: false);

    private sealed class Words : Vocabulary<Plumtree.Message, RumorRecord, RumorCommand, RumorResult>
    {
        public override Word? Message(Plumtree.Message message) => message switch
        {
            Plumtree.Message.Gossip gossip => new Key(gossip.Rumor.Body).ToString(),
            Plumtree.Message.IHave { IsGreeting: true } => null,
            Plumtree.Message.IHave have => have.Ids.IsEmpty ? null : $"i have {have.Ids[^1].Id.Counter}",
            Plumtree.Message.Graft graft => graft.Id is { } id ? $"GRAFT {id.Counter}" : "GRAFT",
            _ => "PRUNE",
        };

        public override Word? Timer(TimerId timer) => (Plumtree.Timer)timer.Kind == Plumtree.Timer.Graft ? "missing" : null;

        public override Word? Command(RumorCommand command) => command is RumorCommand.Spread spread ? $"tell {new Key(spread.Body)}" : null;

        public override Word? Result(RumorResult result) => null;

        public override Word? Execution(Slot position, RumorCommand command) =>
            command is RumorCommand.Learn learn ? new Word($"knows {new Key(learn.Rumor.Body)}", true) : null;
    }
}
