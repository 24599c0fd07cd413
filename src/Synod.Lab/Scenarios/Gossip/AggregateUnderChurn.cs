using System.Globalization;
using Synod.Core;
using Synod.Lab.Worlds;
using Synod.Protocols.Gossip;

namespace Synod.Lab.Scenarios.Gossip;

/// <summary>gossip.md §8: nodes count themselves and average their loads while some die and others join; epochs forget what is no more.</summary>
public sealed class AggregateUnderChurn : Scenario
{
    private const int Few = 60;
    private const int Many = 90;
    private static readonly AggregationOptions s_options = new() { EpochRounds = 40 };

    /// <summary>An epoch, of rounds of 200 ms and whatever makes them longer.</summary>
    private static readonly Duration s_epoch = Duration.FromSeconds(9);

    public override string Name => "aggregate-under-churn";

    public override string Title => "60 nodes count themselves and average their loads by gossip while a third dies and 30 join, and one message in ten is lost.";

    public override Promise Promise { get; } =
        Promise.That(Aggregation.MassConservation, "CountIsTrue", "AverageIsNear", "WithoutEpochsItIsWrong");

    protected override void Play(Report report, ulong seed)
    {
        var (with, samples) = Run(seed, s_options, readsCurrent: false);
        var (without, others) = Run(seed, s_options with { EpochRounds = 1_000_000 }, readsCurrent: true);
        report.Add(new(
            "What there is, and what the median node takes it for",
            ["seconds", "nodes", "counted", "counted without epochs", "average load", "estimated"],
            [.. samples.Zip(others, (sample, other) => (IReadOnlyList<string>)
            [
                Said(sample.At.Milliseconds / 1_000), Said(sample.Nodes), Said(sample.Counted), Said(other.Counted), Said(sample.Average), Said(sample.Averaged),
            ])],
            new("seconds", "nodes", [.. samples.Select(sample => sample.At.Milliseconds / 1_000.0)],
            [
                new("there are", [.. samples.Select(sample => (double)sample.Nodes)]),
                new("counted", [.. samples.Select(sample => (double)sample.Counted)]),
                new("without epochs", [.. others.Select(sample => (double)sample.Counted)]),
            ])));
        List<int> steady = [.. Enumerable.Range(0, samples.Count).Where(index => IsSteady(samples, index))];
        report.Tell($"Each node keeps half of its mass and sends half to one other in a round. The count is the weight of all over the weight of one, the average a sum over that weight: no node ever sees the list.");
        report.Tell($"Every {s_options.EpochRounds} rounds the computation starts anew. {Few / 3} nodes die with a part of the mass, the one that the count is measured by among them, and {Many - Few} join: an epoch later the count is {samples[^1].Counted} of {samples[^1].Nodes}. Without epochs it is {others[^1].Counted} to the end, and the dead are in it.");
        report.Tell($"A lost message is sent again until it is acknowledged, and added once, so that no loss biases anything: the books balanced to the last unit at every look.");
        var imbalance = with.Imbalance ?? without.Imbalance;
        report.Safety(Aggregation.MassConservation, imbalance is null, $"{imbalance ?? $"in {samples.Count + others.Count} audits, what was under way and what died included"}");
        report.Measure("CountIsTrue", steady.Count > 4 && steady.All(index => samples[index].Counted == samples[index].Nodes), $"at {steady.Count} looks, each an epoch or more after the last change");
        report.Measure(
            "AverageIsNear",
            steady.All(index => Math.Abs(samples[index].Averaged - samples[index].Average) * 200 <= samples[index].Average),
            $"within one part of 200");
        report.Measure("WithoutEpochsItIsWrong", others[^1].Counted != others[^1].Nodes, $"{others[^1].Counted} instead of {others[^1].Nodes}");
    }

    private static (AggregationChurn Churn, List<ChurnSample> Samples) Run(ulong seed, AggregationOptions options, bool readsCurrent)
    {
        var churn = new AggregationChurn(seed, Many, options, readsCurrent);
        List<ChurnSample> samples = [];
        churn.Join(Enumerable.Range(1, Few));
        Watch(4);
        churn.Kill(Enumerable.Range(1, Few / 3));
        Watch(4);
        churn.Join(Enumerable.Range(Few + 1, Many - Few));
        Watch(4);
        return (churn, samples);

        void Watch(int epochs)
        {
            for (var look = 0; look < epochs * 3; look++)
            {
                churn.RunFor(s_epoch / 3);
                samples.Add(churn.Sample());
            }
        }
    }

    /// <summary>Whether the number of nodes has been what it is for three epochs: one to hear of it, one to count, one to tell.</summary>
    private static bool IsSteady(List<ChurnSample> samples, int index) =>
        index >= 9 && samples[index].Nodes == samples[index - 9].Nodes;

    private static string Said(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);
}
