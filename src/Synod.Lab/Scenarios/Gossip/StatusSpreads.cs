using System.Globalization;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;

namespace Synod.Lab.Scenarios.Gossip;

/// <summary>gossip.md §4 and §12: one node's news among ever more nodes, with a constant number of contacts for each in a round.</summary>
public sealed class StatusSpreads : Scenario
{
    private static readonly int[] s_sizes = [16, 64, 256, 1_024, 4_096, 10_000];
    private static readonly RumorOptions s_untiring = new() { Loss = InterestLoss.BlindCounter, K = int.MaxValue };

    public override string Name => "status-spreads";

    public override string Title => "One node's status among 16 to 10,000: rounds until everybody knows grow with log2 N, contacts in a round do not.";

    public override Promise Promise { get; } = Promise.That(
        "EverybodyKnows", "PushGrowsAsLog", "PushPullGrowsAsLog", "LossCostsAFactor", "ContactsAreConstant");

    protected override void Play(Report report, ulong seed)
    {
        var push = s_sizes.Select(nodes => Runs(seed, nodes, RumorStyle.Push)).ToList();
        var both = s_sizes.Select(nodes => Runs(seed, nodes, RumorStyle.PushPull)).ToList();
        var lossy = s_sizes.Select(nodes => Runs(seed, nodes, RumorStyle.PushPull, lossPerMillion: 500_000)).ToList();
        List<double> log = [.. s_sizes.Select(nodes => Math.Log2(nodes))];
        var theory = s_sizes.Select(nodes => Math.Log2(nodes) + Math.Log(nodes)).ToList();
        report.Add(new(
            "Rounds until everybody knows; each node contacts one other in a round",
            ["nodes", "log2 N", "push", "log2 N + ln N", "push-pull", "push-pull, half lost", "contacts of a node in a round", "messages of a node"],
            [.. s_sizes.Select((nodes, row) => (IReadOnlyList<string>)
            [
                nodes.ToString("#,0", CultureInfo.InvariantCulture), Said(log[row]), Said(push[row].Rounds), Said(theory[row]), Said(both[row].Rounds), Said(lossy[row].Rounds),
                Said(both[row].Contacts), Said(both[row].Messages),
            ])],
            new("log2 of the number of nodes", "rounds until everybody knows", log,
            [
                new("push", [.. push.Select(run => run.Rounds)]),
                new("push-pull", [.. both.Select(run => run.Rounds)]),
                new("push-pull, half lost", [.. lossy.Select(run => run.Rounds)]),
                new("log2 N", log),
            ])));
        var (first, last) = (both[1], both[^1]);
        report.Tell($"From 64 to 10,000 nodes push goes from {push[1].Rounds:0.#} to {push[^1].Rounds:0.#} rounds, and push-pull from {first.Rounds:0.#} to {last.Rounds:0.#}: as many more for each doubling, however many there are.");
        report.Tell($"The chapter says that each node contacts O(log N) others in a round. It does not: each contacts one, at every size. It is the rounds that are O(log N), and with them all that a node ever says: {first.Messages:0.#} messages among 64 nodes, {last.Messages:0.#} among 10,000.");
        report.Tell($"Push ends slowly, since the last who do not know have to be met by chance; whoever asks need not wait for that.");
        report.Tell($"With half of all messages lost, push-pull takes {lossy[^1].Rounds / last.Rounds:0.0} times as long, since one push in two and one answered question in four get through, and reaches everybody all the same.");
        report.Liveness("EverybodyKnows", push.Concat(both).Concat(lossy).All(run => run.IsComplete), $"in each of {s_sizes.Length * 3} settings");
        var (pushSlope, bothSlope) = (Slope(push), Slope(both));
        report.Measure("PushGrowsAsLog", pushSlope is > 2.4 and < 4.4, $"four times the nodes cost {pushSlope:0.0} rounds, of 3.4 expected");
        report.Measure("PushPullGrowsAsLog", bothSlope is > 1 and < 2.2, $"four times the nodes cost {bothSlope:0.0} rounds, of 1.6 expected");
        report.Measure("LossCostsAFactor", lossy[^1].Rounds / last.Rounds is > 1.6 and < 3.2, $"{lossy[^1].Rounds / last.Rounds:0.0} times the rounds, at every size about the same");
        report.Measure("ContactsAreConstant", both.All(run => run.Contacts is > 0.9 and < 1.1), $"{string.Join(", ", both.Select(run => Said(run.Contacts)))}");
    }

    /// <summary>Rounds for four times the nodes, from 64 to 10,000.</summary>
    private static double Slope(List<Mean> means) => (means[^1].Rounds - means[1].Rounds) / Math.Log(10_000 / 64.0, 4);

    private static Mean Runs(ulong seed, int nodes, RumorStyle style, int lossPerMillion = 0)
    {
        var runs = nodes > 2_000 ? 1 : nodes > 500 ? 3 : 5;
        var outcomes = Enumerable.Range(0, runs).Select(run => RumorSpread.Run(
            new(nodes, s_untiring with { Style = style }, seed * 1_000 + (ulong)run) { LossPerMillion = lossPerMillion })).ToList();
        return new Mean(
            outcomes.Average(outcome => outcome.Rounds),
            outcomes.Average(outcome => outcome.Contacts / (double)nodes / outcome.Rounds),
            outcomes.Average(outcome => outcome.Messages / (double)nodes),
            outcomes.All(outcome => outcome.IsComplete));
    }

    private static string Said(double number) => number.ToString("0.0", CultureInfo.InvariantCulture);

    private sealed record Mean(double Rounds, double Contacts, double Messages, bool IsComplete);
}
