using System.Text.RegularExpressions;
using Xunit;

namespace Synod.House.Tests;

/// <summary>The table of rules stays true: what it names exists, and it names every mutant there is.</summary>
public sealed partial class RulesTests
{
    private const string Table = "docs/rules.md";
    private const string Mutants = "tests/mutants.txt";

    private static readonly string[] Flags =
    [
        "src/Synod.Protocols/Commit/TwoPhaseCommit/Mutation.cs",
        "src/Synod.Protocols/Commit/ThreePhaseCommit/Mutation.cs",
        "src/Synod.Protocols/Commit/PaxosCommit/Mutation.cs",
        "src/Synod.Protocols/Commit/EnlistmentMutation.cs",
        "src/Synod.Protocols/Consensus/MultiPaxos/Mutations.cs",
        "src/Synod.Protocols/Consensus/EPaxos/Mutations.cs",
        "src/Synod.Protocols/Byzantine/Pbft/Mutations.cs",
        "src/Synod.Protocols/Byzantine/HotStuff/Mutations.cs",
        "src/Synod.Protocols/Snapshots/ChandyLamport/Mutations.cs",
        "src/Synod.Database/DatabaseOptions.cs",
        "src/Synod.Protocols/Gossip/Membership/Mutation.cs",
        "src/Synod.Protocols/Gossip/AntiEntropy/Scuttlebutt/Mutations.cs",
        "src/Synod.Protocols/Gossip/AntiEntropy/Deltas/DeltaOptions.cs",
        "src/Synod.Protocols/Gossip/AntiEntropy/Ranges/RangeOptions.cs",
        "src/Synod.Protocols/Gossip/Rumors/Mutations.cs",
        "src/Synod.Protocols/Gossip/Aggregation/Mutations.cs",
    ];

    [Fact]
    public void Every_test_in_the_table_exists()
    {
        var files = Repository.Files("tests", "*.cs");
        var named = TestName().Matches(Repository.Read(Table));
        Assert.True(named.Count > 100, $"{named.Count} tests are named.");
        Assert.All(named, name =>
        {
            var file = Assert.Single(files, file => file.EndsWith($"/{name.Groups["file"]}.cs", StringComparison.Ordinal));
            Assert.Contains($" {name.Groups["method"]}(", Repository.Read(file), StringComparison.Ordinal);
        });
    }

    [Fact]
    public void The_table_names_every_mutant_and_no_other()
    {
        var flags = Flags.SelectMany(file =>
        {
            var declared = FlagsEnum().Match(Repository.Read(file));
            return Member().Matches(declared.Groups["body"].Value).Select(member => $"{declared.Groups["name"]}.{member.Groups["name"]}");
        });
        var expected = flags.Where(flag => !flag.EndsWith(".None", StringComparison.Ordinal)).Concat(TextMutants().Select(mutant => mutant["mutant"]));
        var named = MutantName().Matches(Repository.Read(Table)).Select(match => match.Groups["name"].Value).Distinct();
        Assert.Equal(expected.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_mutant_has_its_place_and_its_test()
    {
        var files = Repository.Files("tests", "*.cs");
        Assert.All(TextMutants(), mutant =>
        {
            var pattern = string.Join(@"\s*\n\s*", mutant["out"].Split('/').Select(Regex.Escape));
            Assert.True(Regex.Count(Repository.Read(mutant["file"]), pattern) == 1, $"{mutant["mutant"]} is not at one place of {mutant["file"]}");
            var test = mutant["test"].Split(' ', '.');
            var (type, method) = (test[^2], test[^1]);
            var project = mutant["test"].Split(' ')[0];
            Assert.Contains(
                files,
                file => file.StartsWith($"tests/{project}/", StringComparison.Ordinal)
                    && file.EndsWith($"/{type}.cs", StringComparison.Ordinal)
                    && Repository.Read(file).Contains($" {method}(", StringComparison.Ordinal));
        });
    }

    private static List<Dictionary<string, string>> TextMutants() =>
    [
        .. Repository.Read(Mutants).Split("\n\n").Where(block => block.StartsWith("mutant: ", StringComparison.Ordinal))
            .Select(block => block.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .ToDictionary(line => line[..line.IndexOf(':', StringComparison.Ordinal)], line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())),
    ];

    [GeneratedRegex(@"`(?<file>[\w.]+/\w+Tests)\.(?<method>\w+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"`(?<name>\w+Mutation\.\w+|[a-z]+(-[a-z]+)+)`")]
    private static partial Regex MutantName();

    [GeneratedRegex(@"enum (?<name>\w+Mutation)(?: : long)?\s*\{(?<body>[^}]*)\}")]
    private static partial Regex FlagsEnum();

    [GeneratedRegex(@"^\s*(?<name>[A-Z]\w*)(\s*=[^,]*)?,", RegexOptions.Multiline)]
    private static partial Regex Member();
}
