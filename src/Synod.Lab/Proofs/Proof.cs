using System.Globalization;
using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;

namespace Synod.Lab.Proofs;

/// <summary>A claim about a room that takes longer to check than a build has time for; tests check it at a smaller size.</summary>
/// <param name="Name">Lower case with hyphens, beginning with the room.</param>
/// <param name="Title">What is claimed.</param>
/// <param name="Unit">What a size counts.</param>
/// <param name="Size">The size that the claim is about.</param>
/// <param name="Check">Checks it at a size and says what was seen; an <see cref="InvariantViolation"/> if it does not hold.</param>
public sealed record Proof(string Name, string Title, string Unit, int Size, Func<int, string> Check)
{
    public static IReadOnlyList<Proof> All { get; } =
    [
        new("epaxos-random-runs", "Random runs of five replicas with recoveries and crashes agree and end.", "runs", 100_000, EPaxosRuns),
        .. HotStuffGroup.EveryRuleSet.Select(item => (IHotStuffRules)item[0]).SelectMany(rules => new[]
        {
            new Proof(
                $"{rules.Name}-twins",
                "One twin of four: all schedules of splits in two and of leaders agree.",
                "rounds",
                4,
                rounds => Seen(HotStuffTwins.Model(rules, rounds).Explore())),
            new Proof(
                $"{rules.Name}-pruned-twins",
                "The same with the twins and one other as leaders, and in each round some quorum that hears each other.",
                "rounds",
                5,
                rounds => Seen(HotStuffTwins.Model(rules, rounds, pruned: true).Explore())),
            new Proof(
                $"{rules.Name}-lying-twins",
                "One twin of four, and in one round the twins alter a message: another view, or an earlier value.",
                "rounds",
                3,
                rounds => Seen(HotStuffTwins.Model(rules, rounds, lies: 1).Explore())),
        }),
        .. Quartet.Replicas.SelectMany(twin => new[]
        {
            new Proof(
                $"pbft-twin-{twin}",
                $"{twin} of four runs twice: all schedules of splits in two agree.",
                "rounds",
                5,
                rounds => Seen(PbftTwins.Model(twin, rounds).Explore())),
            new Proof(
                $"pbft-lying-twin-{twin}",
                "The same, and in one round the twins alter a message: another view, or an earlier value.",
                "rounds",
                3,
                rounds => Seen(PbftTwins.Model(twin, rounds, lies: 1).Explore())),
        }),
    ];

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static Proof Named(string name) => All.FirstOrDefault(proof => proof.Name == name)
        ?? throw new ArgumentException($"There is no proof '{name}'. Use one of: {string.Join(", ", All.Select(proof => proof.Name))}.");

    private static string EPaxosRuns(int runs)
    {
        var (waits, nops, cycles) = (0, 0, 0);
        for (var seed = 1_000_000ul; seed < 1_000_000ul + (ulong)runs; seed++)
        {
            var run = new EPaxosRun(seed, 5);
            run.Run();
            waits += run.Waited ? 1 : 0;
            nops += run.Nops;
            cycles += run.Cycles;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{runs} runs: {waits} with a wait, {nops} Nops, {cycles} cycles");
    }

    private static string Seen(ExplorationResult result) => result.Counterexample is { } found
        ? throw new InvariantViolation(found.Property, found.ToString())
        : result.ToString();
}
