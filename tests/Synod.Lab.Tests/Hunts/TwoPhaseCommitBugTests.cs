using Synod.Lab.Hunts;
using Synod.Protocols.Commit;

namespace Synod.Lab.Tests.Hunts;

public sealed class TwoPhaseCommitBugTests
{
    private const int Seeds = 40;

    public static TheoryData<string> Names => [.. TwoPhaseCommitBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_mistake_is_caught(string name) => Caught.Within(Seeds, TwoPhaseCommitBugs.All, name);

    [Fact]
    public void Every_mistake_is_listed() => Assert.Equal(Enum.GetValues<TwoPhaseCommitMutation>().Length - 1, TwoPhaseCommitBugs.All.Count);

    [Fact]
    public void Nothing_is_found_without_a_mistake()
    {
        foreach (var shown in Enum.GetValues<TwoPhaseCommitMutation>())
        {
            for (ulong seed = 1; seed <= 3; seed++)
            {
                Assert.Null(TwoPhaseCommitBugs.Run(seed, shown, TwoPhaseCommitMutation.None));
            }
        }
    }
}
