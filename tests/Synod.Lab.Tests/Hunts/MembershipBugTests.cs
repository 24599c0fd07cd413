using Synod.Lab.Hunts;
using Synod.Protocols.Gossip;

namespace Synod.Lab.Tests.Hunts;

public sealed class MembershipBugTests
{
    private const int Seeds = 15;

    public static TheoryData<string> Names => [.. MembershipBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_mistake_is_caught(string name) => Caught.Within(Seeds, MembershipBugs.All, name);

    [Fact]
    public void Every_mistake_is_listed() => Assert.Equal(Enum.GetValues<MembershipMutation>().Length - 1, MembershipBugs.All.Count);

    [Fact]
    public void Nothing_is_found_without_a_mistake()
    {
        foreach (var shown in Enum.GetValues<MembershipMutation>().Where(mutation => mutation != MembershipMutation.None))
        {
            for (ulong seed = 1; seed <= 2; seed++)
            {
                Assert.Null(MembershipBugs.Run(seed, shown, MembershipMutation.None));
            }
        }
    }
}
