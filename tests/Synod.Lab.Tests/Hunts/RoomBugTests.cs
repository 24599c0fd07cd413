using Synod.Lab.Hunts;

namespace Synod.Lab.Tests.Hunts;

public sealed class RoomBugTests
{
    [Fact]
    public void Names_are_unique() => Assert.Equal(RoomBugs.All.Count, RoomBugs.All.Select(bug => bug.Name).Distinct().Count());
}
