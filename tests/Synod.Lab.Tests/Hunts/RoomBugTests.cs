using Synod.Lab.Hunts;

namespace Synod.Lab.Tests.Hunts;

public sealed class RoomBugTests
{
    [Fact]
    public void Names_are_unique() => Assert.Equal(RoomBugs.All.Count, RoomBugs.All.Select(bug => bug.Name).Distinct().Count());

    [Fact]
    public void A_name_begins_with_its_room_and_a_seed_finds_the_same_again()
    {
        foreach (var bug in RoomBugs.All)
        {
            Assert.Matches("^[0-9a-z]+(-[0-9a-z]+)+$", bug.Name);
            Assert.Equal(bug.Run(3)?.Message, bug.Run(3)?.Message);
        }
    }
}
