using System.Globalization;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Costs;

/// <summary>INDEX §3, pbft.md §9, hotstuff.md §10.</summary>
internal static class ByzantineCosts
{
    private const ulong Seed = 1;

    public static IReadOnlyList<CostLine> Count()
    {
        var lines = new List<CostLine>();
        foreach (var n in new[] { 4, 7, 16 })
        {
            var count = ByzantineCount.OfPbft(Seed, n);
            lines.Add(new("PBFT", Size("messages", n), "2n(n-1)", 2L * n * (n - 1), count.Messages));
            if (n == 4)
            {
                lines.Add(new("PBFT", "delays, proposal to execution", "3", 3, count.Delays));
                lines.Add(new("PBFT", "delays, with the client", "5", 5, count.ClientDelays));
            }
        }

        Add("basic HotStuff", new BasicRules(), 8, 7);
        Add("chained HotStuff", new ChainedRules(), 2, 7);
        Add("HotStuff-2", new HotStuff2Rules(), 4, 5);
        Add("Jolteon", new JolteonRules(), 2, 5);
        return lines;

        void Add(string name, IHotStuffRules rules, int factor, int delays)
        {
            foreach (var n in new[] { 4, 7, 16 })
            {
                var count = ByzantineCount.OfHotStuff(Seed, rules, n);
                lines.Add(new(name, Size("messages", n), $"{factor.ToString(CultureInfo.InvariantCulture)}(n-1)", factor * (n - 1), count.Messages));
                if (n == 4)
                {
                    lines.Add(new(name, "delays, proposal to commit", delays.ToString(CultureInfo.InvariantCulture), delays, count.Delays));
                }
            }
        }
    }

    private static string Size(string what, int n) => string.Create(CultureInfo.InvariantCulture, $"{what}, n={n}");
}
