using Synod.Lab.Hunts;
using Synod.Protocols.Gossip.AntiEntropy;

namespace Synod.Lab.Tests.Hunts;

public sealed class AntiEntropyBugTests
{
    private const int Seeds = 80;

    // These cost bytes or time and no claim about contents: tests of the room count them.
    private static readonly int s_counted = new Enum[] { ScuttlebuttMutation.Unfair, DeltaMutation.BackPropagation, DeltaMutation.RedundantKept }.Length;

    public static TheoryData<string> Names => [.. AntiEntropyBugs.All.Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_mistake_is_caught(string name) => Caught.Within(Seeds, AntiEntropyBugs.All, name);

    [Fact]
    public void Every_mistake_is_listed_or_counted() => Assert.Equal(
        Enum.GetValues<ScuttlebuttMutation>().Length + Enum.GetValues<RangeMutation>().Length + Enum.GetValues<DeltaMutation>().Length - 3,
        AntiEntropyBugs.All.Count + s_counted);

    [Fact]
    public void Nothing_is_found_without_a_mistake()
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            Assert.Null(AntiEntropyBugs.Run(seed, ScuttlebuttMutation.None));
            Assert.Null(AntiEntropyBugs.Run(seed, ScuttlebuttMutation.None, tombstones: 0));
            Assert.Null(AntiEntropyBugs.Run(seed, RangeMutation.None));
            Assert.Null(AntiEntropyBugs.Run(seed, DeltaMutation.None, DeltaDurability.Synchronous));
            Assert.Null(AntiEntropyBugs.Run(seed, DeltaMutation.None, DeltaDurability.Asynchronous));
        }
    }
}
