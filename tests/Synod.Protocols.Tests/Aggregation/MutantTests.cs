using Synod.Lab.Hunts;
using Synod.Protocols.Gossip;
using Xunit;

namespace Synod.Protocols.Tests.Aggregation;

/// <summary>The room with one known mistake each. A test fails if random worlds do not find the mistake: then it is they that cannot see.</summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    public static TheoryData<string> Bugs => [.. AggregationBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void Random_worlds_find_the_mistake(string name)
    {
        var bug = AggregationBugs.All.Single(item => item.Name == name);
        for (var seed = 0ul; seed < 30; seed++)
        {
            if (bug.Run(seed) is { } failure)
            {
                output.WriteLine($"{seed}: {failure.Message}");
                return;
            }
        }

        Assert.Fail("no world shows it");
    }

    [Fact]
    public void Every_mutation_is_hunted() => Assert.Empty(Enum.GetNames<AggregationMutation>().Where(name => name != "None").Except(
        AggregationBugs.All.Select(bug => bug.Name[(bug.Name.IndexOf('-', StringComparison.Ordinal) + 1)..].Replace("-", "", StringComparison.Ordinal)), StringComparer.OrdinalIgnoreCase));
}
