using System.CommandLine;

namespace Synod.Bench.Convergent;

/// <summary>Convergent types beside those of Akka.NET, in one process.</summary>
internal static class ConvergentCommand
{
    public static Command Make()
    {
        var sizes = Flags.Numbers("--sizes", [1_000, 10_000, 100_000], "Elements of the sets.");
        var command = new Command("crdt", "Convergent types beside Akka.DistributedData, and a counter beside an array's maximum.") { sizes, Flags.Json };
        command.SetAction(parsed =>
        {
            using var akka = new AkkaStates();
            var rows = parsed.GetValue(sizes)!.SelectMany(count => new SetComparison(akka, count, isRandom: false).Measure())
                .Concat(new SetComparison(akka, 10_000, isRandom: true).Measure())
                .Concat(CounterComparison.Measure())
                .ToList();
            Flags.Print(parsed, output => ConvergentRow.Write(rows, output), () => ConvergentRow.ToJson(rows));
        });
        return command;
    }
}
