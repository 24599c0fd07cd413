using System.CommandLine;
using System.Globalization;
using Synod.App;
using Synod.Cluster.Tests.Support;

namespace Synod.Cluster.Tests.CommandLine;

/// <summary>No command starts anything with a number that it cannot use.</summary>
public class BoundsTests
{
    private const int Usage = 2;

    /// <summary>Commands as they are typed, each with its flag or argument, and the largest number below and the smallest above those that it takes.</summary>
    public static TheoryData<string, string, double, double> Table() => new()
    {
        { "demo", "--seconds", 4.9, 86_401 },
        { "demo", "--accounts", 7, 1_000_001 },
        { "demo", "--nodes", 2, 10 },
        { "demo", "--clients", 0, 1_001 },
        { "demo", "--seed", -1, 1e20 },
        { "start", "--id", 0, 128 },
        { "start", "--replicas", 0, 128 },
        { "start", "--max-offset", -0.1, 60_001 },
        { "status", "--timeout", 0, 86_401 },
        { "kv get KEY", "--at", -1, 1e20 },
        { "kv get KEY", "--timeout", 0, 86_401 },
        { "kv put KEY VALUE", "--timeout", 0, 86_401 },
        { "kv delete KEY", "--timeout", 0, 86_401 },
        { "kv scan", "--at", -1, 1e20 },
        { "kv scan", "--limit", -1, 2_147_483_648 },
        { "kv scan", "--timeout", 0, 86_401 },
        { "kv txn", "--timeout", 0, 86_401 },
        { "range list", "--timeout", 0, 86_401 },
        { "range split KEY", "--leader", -1, 128 },
        { "range split KEY", "--timeout", 0, 86_401 },
        { "range lead 1 1", "--timeout", 0, 86_401 },
        { "range lead # 1", "<group>", 0, 1e20 },
        { "range lead 1 #", "<node>", 0, 128 },
        { "cert create", "--node", 0, 128 },
        { "bench write", "--clients", 0, 10_001 },
        { "bench write", "--value-bytes", 0, 4_194_305 },
        { "bench write", "--seconds", 0, 86_401 },
        { "bench write", "--warmup", -0.1, 86_401 },
        { "bench write", "--keys", 0, 10_000_001 },
        { "bench write", "--ranges", 0, 1_001 },
        { "bench write", "--connections", 0, 101 },
        { "bench write", "--timeout", 0, 86_401 },
        { "bench read", "--clients", 0, 10_001 },
        { "bench transfer", "--clients", 0, 10_001 },
        { "bench protocol -p pbft", "--nodes", 0, 128 },
        { "bench protocol -p pbft", "--clients", 0, 10_001 },
        { "bench protocol -p pbft", "--conflict", -1, 101 },
        { "bench protocol -p pbft", "--value-bytes", 0, 65_537 },
        { "bench protocol -p pbft", "--pipeline", 0, 1_001 },
        { "bench protocol -p pbft", "--block", 0, 10_001 },
        { "bench protocol -p pbft", "--checkpoint-bytes", 0, 1_099_511_627_777 },
        { "bench protocol -p pbft", "--seconds", 0, 86_401 },
        { "bench protocol -p pbft", "--warmup", -0.1, 86_401 },
        { "bench protocol -p pbft", "--kill", 0, 128 },
        { "bench snapshots", "--nodes", 1, 128 },
        { "bench snapshots", "--clients", 0, 10_001 },
        { "bench snapshots", "--initiators", 0, 101 },
        { "bench snapshots", "--pause", -0.1, 60_001 },
        { "bench snapshots", "--checkpoint-bytes", 0, 1_099_511_627_777 },
        { "bench snapshots", "--seconds", 0, 86_401 },
        { "bench snapshots", "--warmup", -0.1, 86_401 },
        { "bench snapshots", "--kill", 0, 128 },
        { "sim", "--seconds", 0, 86_401 },
        { "sim", "--jobs", 0, 1_025 },
        { "sim --bugs", "--limit", 0, 86_401 },
        { "lab run 2pc-blocking", "--seed", -1, 1e20 },
        { "lab prove pbft-twin-n1", "--size", 0, 1_000_000_001 },
        { "lab prove pbft-twin-n1", "--jobs", 0, 1_025 },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void What_is_outside_is_refused_and_what_is_inside_is_not(string command, string name, double below, double above)
    {
        foreach (var value in (string[])[Text(below), Text(above), "-1000000", "99999999999999999999999999", "NaN", "many", ""])
        {
            var error = Assert.Single(Parse(command, name, value).Errors).Message;
            Assert.Contains($"{name} takes a ", error, StringComparison.Ordinal);
            Assert.EndsWith($", not '{value}'.", error, StringComparison.Ordinal);
        }

        Assert.Empty(Parse(command, name, Text(Math.Floor(below) + 1)).Errors);
    }

    [Fact]
    public void Every_flag_that_takes_a_number_is_in_the_table_with_some_command()
    {
        var listed = Table().Select(row => row.Data.Item2).ToHashSet(StringComparer.Ordinal);
        Assert.All(Commands(SynodCommand.Create()).Where(command => !command.Hidden).SelectMany(command => command.Options).Where(TakesNumbers), option => Assert.Contains(option.Name, listed));

        static IEnumerable<Command> Commands(Command command) => command.Subcommands.SelectMany(Commands).Prepend(command);

        static bool TakesNumbers(Option option)
        {
            var type = option.ValueType.GetElementType() ?? Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
            return type.IsPrimitive && type != typeof(bool);
        }
    }

    [Theory]
    [InlineData("bench protocol -p pbft --seconds 0")]
    [InlineData("bench write --keys -1")]
    [InlineData("demo --nodes 99999999999")]
    [InlineData("sim --jobs many --json")]
    public async Task A_refusal_is_all_that_is_said(string command)
    {
        var words = command.Split(' ');
        var refused = (await SynodProgram.RunAsync(words)).Fails(Usage, $"synod: {words.Last(word => word.StartsWith("--", StringComparison.Ordinal) && word != "--json")} takes a ", "--help' says what it takes.");
        Assert.Empty(refused.Output);
        Assert.Equal(2, refused.Errors.Split('\n').Length);
    }

    private static ParseResult Parse(string command, string name, string value)
    {
        string[] words = [.. command.Split(' ').Select(word => word == "#" ? value : word)];
        return SynodCommand.Create().Parse(name.StartsWith('<') ? words : [.. words, name, value]);
    }

    private static string Text(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
