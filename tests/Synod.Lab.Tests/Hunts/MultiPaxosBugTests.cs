using Synod.Lab.Hunts;
using Synod.Protocols.Consensus;

namespace Synod.Lab.Tests.Hunts;

public sealed class MultiPaxosBugTests
{
    private const int Seeds = 400;

    public static TheoryData<string> Names => [.. MultiPaxosBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_mistake_is_caught(string name) => Caught.Within(Seeds, MultiPaxosBugs.All, name);

    [Fact]
    public void Every_mistake_is_listed() => Assert.Equal(Enum.GetValues<MultiPaxosMutation>().Length - 1, MultiPaxosBugs.All.Count);

    [Fact]
    public void Nothing_is_found_without_a_mistake()
    {
        for (ulong seed = 1; seed <= 40; seed++)
        {
            Assert.Null(MultiPaxosBugs.Duel(seed, MultiPaxosMutation.None));
            Assert.Null(MultiPaxosBugs.Reign(seed, MultiPaxosMutation.None));
        }
    }
}
