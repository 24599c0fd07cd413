using Synod.Lab.Worlds;
using Synod.Protocols.Byzantine;
using Xunit;
using static Synod.Lab.Worlds.HotStuffGroup;
using static Synod.Protocols.Tests.HotStuffRoom.Staging;

namespace Synod.Protocols.Tests.HotStuffRoom;

/// <summary>Mistakes that only cost time, each beside what is right in a schedule that shows it. The others are hunted in the lab.</summary>
public sealed class MutantTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Commands_of_an_orphan_are_proposed_again(bool isMistaken)
    {
        var group = Group(isMistaken, HotStuffMutation.OrphansLost);
        var play = group.Stage();
        play.Submit(N1, group.Command("x"));
        foreach (var node in new[] { N2, N3, N4 })
        {
            play.Receive(node, N1, group.Timeout(node, 1, Showing(Genesis.Certificate)));
        }

        play.Sync(N1);
        var last = play.Between(N1, N2).OfType<HotStuff.Message.Proposal>().Last().Block;
        Assert.Equal((2L, isMistaken ? 0 : 1), (last.View, last.Commands.Length));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Time_outs_of_f_plus_1_make_a_replica_join(bool isMistaken)
    {
        var group = Group(isMistaken, HotStuffMutation.NoJoining);
        var play = group.Stage();
        play.Receive(N2, N3, group.Timeout(N2, 1, Showing(Genesis.Certificate)));
        play.Receive(N4, N3, group.Timeout(N4, 1, Showing(Genesis.Certificate)));
        Assert.Equal(isMistaken ? 0 : 1, play.At(N3).TimedOutView);
    }

    private static HotStuffGroup Group(bool isMistaken, HotStuffMutation mutation) => Of(4, new JolteonRules(), viewsEach: 2)
        .With(options => options with { Mutation = isMistaken ? mutation : HotStuffMutation.None });
}
