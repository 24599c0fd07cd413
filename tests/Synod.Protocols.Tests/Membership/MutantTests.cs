using Synod.Exploration;
using Synod.Protocols.Gossip;
using Xunit;

namespace Synod.Protocols.Tests.Membership;

using Process = Gossip.Membership;
using Timer = Gossip.Membership.Timer;

/// <summary>
/// Membership with one known mistake each, in configurations small enough for the explorer. The lab hunts all of them in random
/// worlds.
/// </summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("NoRefutation", "ViewsBecomeTrue")]
    [InlineData("RefuteWithoutRaising", "ViewsBecomeTrue")]
    [InlineData("OthersRaise", Process.OnlySelfRaises)]
    [InlineData("IncarnationForgotten", Process.OnlySelfRaises)]
    [InlineData("AnnounceBeforeDurable", Process.IncarnationIsDurable)]
    public void The_explorer_finds_the_mistake(string mutation, string property)
    {
        var mistake = Enum.Parse<MembershipMutation>(mutation);
        var isOfCrashes = mistake is MembershipMutation.IncarnationForgotten or MembershipMutation.AnnounceBeforeDurable;
        var result = (isOfCrashes ? ExplorationTests.Crashing(mistake) : ExplorationTests.Model(2, mistake, (Timer.Period, 2), (Timer.Timeout, 1), (Timer.Suspicion, 1), (Timer.Gossip, 2))).Explore();
        output.WriteLine(result.ToString());
        Assert.NotNull(result.Counterexample);
        Assert.Contains(property, result.Counterexample.Property, StringComparison.Ordinal);
    }
}
