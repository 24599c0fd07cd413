using System.Globalization;
using Synod.Lab.Costs;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Scenarios.Byzantine;

/// <summary>hotstuff.md §10: messages for a decision as the group grows, counted.</summary>
public sealed class HotStuffLinear : Scenario
{
    private static readonly int[] s_sizes = [4, 16, 64, 128];

    public override string Name => "hotstuff-linear";

    public override string Title => "Messages for a decision as the group grows from 4 to 128: PBFT's square beside HotStuff's line.";

    public override Promise Promise { get; } =
        Promise.That("PbftIsQuadratic", "BasicHotStuffIsLinear", "ChainedHotStuffIsLinear", "JolteonIsLinear", HotStuff.Agreement);

    protected override void Play(Report report, ulong seed)
    {
        List<(string Name, string Finding, Func<int, long> Formula, Func<int, ByzantineCount> Count)> protocols =
        [
            ("PBFT", "PbftIsQuadratic", n => 2L * n * (n - 1), n => ByzantineCount.OfPbft(seed, n)),
            ("basic HotStuff", "BasicHotStuffIsLinear", n => 8L * (n - 1), n => ByzantineCount.OfHotStuff(seed, new BasicRules(), n)),
            ("chained HotStuff", "ChainedHotStuffIsLinear", n => 2L * (n - 1), n => ByzantineCount.OfHotStuff(seed, new ChainedRules(), n)),
            ("Jolteon", "JolteonIsLinear", n => 2L * (n - 1), n => ByzantineCount.OfHotStuff(seed, new JolteonRules(), n)),
        ];
        var counts = protocols.ConvertAll(protocol => s_sizes.Select(protocol.Count).ToList());
        report.Add(new(
            "Messages between different replicas for one decision, as counted",
            ["replicas", .. protocols.Select(protocol => protocol.Name), "2n(n-1)", "8(n-1)", "2(n-1)"],
            [.. s_sizes.Select((n, row) => (IReadOnlyList<string>)
                [Said(n), .. counts.Select(list => Said(list[row].Messages)), Said(2L * n * (n - 1)), Said(8L * (n - 1)), Said(2L * (n - 1))])],
            new("replicas", "messages per decision", [.. s_sizes.Select(n => (double)n)],
                [.. protocols.Select((protocol, index) => new Curve(protocol.Name, [.. counts[index].Select(count => (double)count.Messages)]))])));
        var (pbft, basic, chained) = (counts[0], counts[1], counts[2]);
        report.Tell($"From 4 to 128 replicas PBFT goes from {pbft[0].Messages} to {pbft[^1].Messages} messages, because everyone votes to everyone, twice.");
        report.Tell($"Basic HotStuff sends votes to the leader, which sends back one certificate: from {basic[0].Messages} to {basic[^1].Messages}. Chained, each message serves several decisions: {chained[0].Messages} to {chained[^1].Messages}.");
        report.Tell($"At n=4 the square is no larger than the line with its factor of eight; the difference begins beyond.");
        foreach (var (protocol, list) in protocols.Zip(counts))
        {
            report.Measure(
                protocol.Finding,
                s_sizes.Zip(list).All(item => protocol.Formula(item.First) == item.Second.Messages),
                $"{string.Join(", ", list.Select(count => count.Messages))}");
        }

        report.Safety(HotStuff.Agreement, counts.SelectMany(list => list).All(count => count.Agrees), $"in every run that was counted");
    }

    private static string Said(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);
}
