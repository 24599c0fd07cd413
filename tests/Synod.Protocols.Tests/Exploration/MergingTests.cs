using Synod.Core;
using Synod.Exploration;
using Synod.Lab.Worlds;
using Xunit;

namespace Synod.Protocols.Tests.Exploration;

/// <summary>
/// Worlds that are equal in their essence go on as one (<see cref="RoundEssence{TMessage,TRecord,TCommand,TResult}"/>). Here each world is
/// followed as it is, to the last bit of every node, and the prints that come up must be those that the merging search finds: if an
/// essence left out what matters, worlds that it takes for one would lead to different prints.
/// </summary>
public sealed class MergingTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 3, 0)]
    [InlineData(4, 3, 0)]
    [InlineData(2, 2, 1)]
    public void Worlds_of_pbft_that_are_one_come_to_the_same(int twin, int rounds, int lies) =>
        Compare(PbftTwins.Model(new NodeId(twin), rounds, lies: lies));

    [Theory]
        [InlineData("hotstuff-basic", 3, 0, false)]
    [InlineData("hotstuff-chained", 2, 0, true)]
    [InlineData("hotstuff-chained", 2, 0, false)]
    [InlineData("hotstuff-2", 2, 0, true)]
    [InlineData("hotstuff-2", 2, 0, false)]
    [InlineData("jolteon", 2, 0, true)]
    [InlineData("jolteon", 2, 0, false)]
    [InlineData("hotstuff-chained", 2, 1, true)]
    [InlineData("hotstuff-basic", 2, 1, false)]
    public void Worlds_of_hotstuff_that_are_one_come_to_the_same(string rules, int rounds, int lies, bool renames)
    {
        var model = HotStuffTwins.Model(HotStuffGroup.Rules(rules), rounds, lies: lies);
        Compare(renames ? model : model with { Alike = [], Copies = [] });
    }

    private void Compare<TMessage, TRecord, TCommand, TResult>(RoundModel<TMessage, TRecord, TCommand, TResult> model)
    {
        var (merged, followed) = (model.Prints(merges: true), model.Prints(merges: false));
        output.WriteLine($"merged {string.Join(", ", merged.Select(end => end.Count))}; followed {string.Join(", ", followed.Select(end => end.Count))}");
        Assert.All(merged.Zip(followed), end => Assert.True(end.First.SetEquals(end.Second)));
    }
}
