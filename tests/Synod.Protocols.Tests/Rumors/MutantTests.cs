using Synod.Lab.Hunts;
using Synod.Protocols.Gossip;
using Xunit;

namespace Synod.Protocols.Tests.Rumors;

/// <summary>The room with one known mistake each. A test fails if random worlds do not find the mistake: then it is they that cannot see.</summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    public static TheoryData<string> Bugs => [.. RumorsBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Bugs))]
    public void Random_worlds_find_the_mistake(string name) => Mutants.Find(RumorsBugs.All, name, 40, output);

    [Fact]
    public void Every_mutation_is_hunted() => Mutants.AllHunted(RumorsBugs.All, RumorsMutation.OwnForgotten, RumorsMutation.IncarnationIgnored);
}
