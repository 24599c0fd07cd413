using Synod.Lab.Hunts;
using Synod.Protocols.Commit;

namespace Synod.Lab.Tests.Hunts;

public sealed class EnlistmentBugTests
{
    private const int Seeds = 40;

    public static TheoryData<string> Names => [.. EnlistmentBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_mistake_is_caught(string name) => Caught.Within(Seeds, EnlistmentBugs.All, name);

    [Fact]
    public void Every_mistake_is_listed_for_every_room()
    {
        Assert.Equal(Enum.GetValues<EnlistmentMutation>().Where(mutation => mutation != EnlistmentMutation.None), EnlistmentBugs.Mutations.Order());
        Assert.Equal(3 * EnlistmentBugs.Mutations.Count(), EnlistmentBugs.All.Count);
    }
}
