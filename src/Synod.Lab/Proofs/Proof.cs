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
/// <param name="Check">Checks it and says what was seen; an <see cref="InvariantViolation"/> if it does not hold.</param>
public sealed record Proof(string Name, string Title, string Unit, int Size, Func<ProofRun, string> Check)
{
    private const int Rounds = 7;

    // Of those of which one thread draws, or runs, so many one after the other.
    private const int SchedulesAtOnce = 500;
    private const int RunsAtOnce = 100;

    public static IReadOnlyList<Proof> All { get; } =
    [
        new("epaxos-random-runs", "Random runs of five replicas with recoveries and crashes agree and end.", "runs", 100_000, EPaxosRuns),
        .. HotStuffGroup.EveryRuleSet.Select(item => (IHotStuffRules)item[0]).SelectMany(rules => new[]
        {
            new Proof(
                $"{rules.Name}-twins",
                "One twin of four: all schedules of splits in two and of leaders agree.",
                "rounds",
                Rounds,
                run => Seen(run, () => HotStuffTwins.Model(rules, run.Size))),
            new Proof(
                $"{rules.Name}-pruned-twins",
                "The same with the twins and one other as leaders, and in each round some quorum that hears each other.",
                "rounds",
                Rounds,
                run => Seen(run, () => HotStuffTwins.Model(rules, run.Size, pruned: true))),
            new Proof(
                $"{rules.Name}-lying-twins",
                "One twin of four, and in one round the twins alter a message: another view, or an earlier value.",
                "rounds",
                4,
                run => Seen(run, () => HotStuffTwins.Model(rules, run.Size, lies: 1))),
            new Proof(
                $"{rules.Name}-random-lying-twins",
                "Seven rounds of one twin of four, drawn at random: in each of them the twins may alter a message.",
                "schedules",
                20_000,
                run => Drawn(run, () => HotStuffTwins.Model(rules, Rounds, lies: Rounds))),
        }),
        .. Quartet.Replicas.SelectMany(twin => new[]
        {
            new Proof(
                $"pbft-twin-{twin}",
                $"{twin} of four runs twice: all schedules of splits in two agree.",
                "rounds",
                Rounds,
                run => Seen(run, () => PbftTwins.Model(twin, run.Size))),
            new Proof(
                $"pbft-lying-twin-{twin}",
                "The same, and in one round the twins alter a message: another view, or an earlier value.",
                "rounds",
                5,
                run => Seen(run, () => PbftTwins.Model(twin, run.Size, lies: 1))),
            new Proof(
                $"pbft-random-lying-twin-{twin}",
                "Seven rounds drawn at random: in each of them the twins may alter a message.",
                "schedules",
                20_000,
                run => Drawn(run, () => PbftTwins.Model(twin, Rounds, lies: Rounds))),
        }),
    ];

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static Proof Named(string name) => All.FirstOrDefault(proof => proof.Name == name)
        ?? throw new ArgumentException($"There is no proof '{name}'. Use one of: {string.Join(", ", All.Select(proof => proof.Name))}.");

    private static string EPaxosRuns(ProofRun proof)
    {
        const ulong First = 1_000_000;
        var (waits, nops, cycles) = (0, 0, 0);
        proof.Each("runs", RunsAtOnce, () => 0, (_, from, count) =>
        {
            for (var at = from; at < from + count; at++)
            {
                var run = new EPaxosRun(First + (ulong)at, 5);
                run.Run();
                Interlocked.Add(ref waits, run.Waited ? 1 : 0);
                Interlocked.Add(ref nops, run.Nops);
                Interlocked.Add(ref cycles, run.Cycles);
            }
        });
        return string.Create(CultureInfo.InvariantCulture, $"{proof.Size} runs: {waits} with a wait, {nops} Nops, {cycles} cycles");
    }

    private static string Seen<TMessage, TRecord, TCommand, TResult>(ProofRun run, Func<RoundModel<TMessage, TRecord, TCommand, TResult>> model)
    {
        var result = RoundExplorer.Explore(() => model() with { OnlyJudgesLast = true }, run.Jobs, seen => run.Tell(new(
            string.Create(CultureInfo.InvariantCulture, $"round {seen.Round}, worlds followed"), seen.Followed, seen.Worlds, seen.Reached)));
        return result.Counterexample is { } found
            ? throw new InvariantViolation(found.Property, found.ToString())
            : $"{result}; worlds at the end of round {result.Depth} are judged and not counted";
    }

    private static string Drawn<TMessage, TRecord, TCommand, TResult>(ProofRun run, Func<RoundModel<TMessage, TRecord, TCommand, TResult>> model)
    {
        var states = 0L;
        run.Each("schedules", SchedulesAtOnce, model, (mine, from, count) =>
        {
            var result = mine.Wander(seed: from, count);
            if (result.Counterexample is { } found)
            {
                throw new InvariantViolation(found.Property, found.ToString());
            }

            Interlocked.Add(ref states, result.States);
        });
        return string.Create(CultureInfo.InvariantCulture, $"{run.Size} schedules of {Rounds} rounds, {states} worlds at the ends of rounds");
    }
}
