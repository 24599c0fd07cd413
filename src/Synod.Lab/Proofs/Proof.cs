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
/// <param name="Check">
/// Checks it at a size, telling how far it is, and says what was seen; an <see cref="InvariantViolation"/> if it does not hold.
/// </param>
public sealed record Proof(string Name, string Title, string Unit, int Size, Func<int, Action<ProofProgress>, string> Check)
{
    private const int RandomRounds = 7;

    // Between two lines of progress, and of what a search remembers.
    private const int SchedulesAtOnce = 500;

    public static IReadOnlyList<Proof> All { get; } =
    [
        new("epaxos-random-runs", "Random runs of five replicas with recoveries and crashes agree and end.", "runs", 100_000, EPaxosRuns),
        .. HotStuffGroup.EveryRuleSet.Select(item => (IHotStuffRules)item[0]).SelectMany(rules => new[]
        {
            new Proof(
                $"{rules.Name}-twins",
                "One twin of four: all schedules of splits in two and of leaders agree.",
                "rounds",

                // A view of basic HotStuff decides by itself, and leaves the fewest worlds.
                rules is BasicRules ? 7 : 6,
                (rounds, tell) => Seen(HotStuffTwins.Model(rules, rounds), tell)),
            new Proof(
                $"{rules.Name}-pruned-twins",
                "The same with the twins and one other as leaders, and in each round some quorum that hears each other.",
                "rounds",
                7,
                (rounds, tell) => Seen(HotStuffTwins.Model(rules, rounds, pruned: true), tell)),
            new Proof(
                $"{rules.Name}-lying-twins",
                "One twin of four, and in one round the twins alter a message: another view, or an earlier value.",
                "rounds",
                3,
                (rounds, tell) => Seen(HotStuffTwins.Model(rules, rounds, lies: 1), tell)),
            new Proof(
                $"{rules.Name}-random-lying-twins",
                "Seven rounds of one twin of four, drawn at random: in each of them the twins may alter a message.",
                "schedules",
                20_000,
                (schedules, tell) => Drawn(HotStuffTwins.Model(rules, RandomRounds, lies: RandomRounds), schedules, tell)),
        }),
        .. Quartet.Replicas.SelectMany(twin => new[]
        {
            new Proof(
                $"pbft-twin-{twin}",
                $"{twin} of four runs twice: all schedules of splits in two agree.",
                "rounds",
                7,
                (rounds, tell) => Seen(PbftTwins.Model(twin, rounds), tell)),
            new Proof(
                $"pbft-lying-twin-{twin}",
                "The same, and in one round the twins alter a message: another view, or an earlier value.",
                "rounds",
                5,
                (rounds, tell) => Seen(PbftTwins.Model(twin, rounds, lies: 1), tell)),
            new Proof(
                $"pbft-random-lying-twin-{twin}",
                "Seven rounds drawn at random: in each of them the twins may alter a message.",
                "schedules",
                20_000,
                (schedules, tell) => Drawn(PbftTwins.Model(twin, RandomRounds, lies: RandomRounds), schedules, tell)),
        }),
    ];

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static Proof Named(string name) => All.FirstOrDefault(proof => proof.Name == name)
        ?? throw new ArgumentException($"There is no proof '{name}'. Use one of: {string.Join(", ", All.Select(proof => proof.Name))}.");

    private static string EPaxosRuns(int runs, Action<ProofProgress> tell)
    {
        var (waits, nops, cycles) = (0, 0, 0);
        for (var seed = 1_000_000ul; seed < 1_000_000ul + (ulong)runs; seed++)
        {
            var run = new EPaxosRun(seed, 5);
            run.Run();
            waits += run.Waited ? 1 : 0;
            nops += run.Nops;
            cycles += run.Cycles;
            tell(new("runs", (long)(seed - 999_999ul), runs, 0));
        }

        return string.Create(CultureInfo.InvariantCulture, $"{runs} runs: {waits} with a wait, {nops} Nops, {cycles} cycles");
    }

    private static string Seen<TMessage, TRecord, TCommand, TResult>(
        RoundModel<TMessage, TRecord, TCommand, TResult> model, Action<ProofProgress> tell)
    {
        var result = (model with { OnlyJudgesLast = true }).Explore(seen => tell(new(
            string.Create(CultureInfo.InvariantCulture, $"round {seen.Round}, worlds followed"), seen.Followed, seen.Worlds, seen.Reached)));
        return result.Counterexample is { } found
            ? throw new InvariantViolation(found.Property, found.ToString())
            : $"{result}; worlds at the end of round {result.Depth} are judged and not counted";
    }

    private static string Drawn<TMessage, TRecord, TCommand, TResult>(
        RoundModel<TMessage, TRecord, TCommand, TResult> model, int schedules, Action<ProofProgress> tell)
    {
        var states = 0L;
        for (var done = 0; done < schedules; done += SchedulesAtOnce)
        {
            var result = model.Wander(seed: done, Math.Min(SchedulesAtOnce, schedules - done));
            if (result.Counterexample is { } found)
            {
                throw new InvariantViolation(found.Property, found.ToString());
            }

            states += result.States;
            tell(new("schedules", Math.Min(done + SchedulesAtOnce, schedules), schedules, 0));
        }

        return string.Create(CultureInfo.InvariantCulture, $"{schedules} schedules of {model.Rounds} rounds, {states} worlds at the ends of rounds");
    }
}

/// <summary>How far the check of a proof is.</summary>
/// <param name="What">What is counted.</param>
/// <param name="Done">How many of these are done.</param>
/// <param name="Of">Out of how many.</param>
/// <param name="Found">How many new ones came up for what follows.</param>
public readonly record struct ProofProgress(string What, long Done, long Of, long Found);
