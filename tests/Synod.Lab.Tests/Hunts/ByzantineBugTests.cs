using Synod.Lab.Hunts;

namespace Synod.Lab.Tests.Hunts;

/// <summary>Each known mistake of PBFT and HotStuff is caught in a few seeds, or the runs prove nothing.</summary>
public sealed class ByzantineBugTests(ITestOutputHelper output)
{
    private const ulong Seeds = 25;

    public static TheoryData<string> Names => [.. PbftBugs.All.Concat(HotStuffBugs.All).Select(bug => bug.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_caught(string name)
    {
        var bug = PbftBugs.All.Concat(HotStuffBugs.All).Single(bug => bug.Name == name);
        for (var seed = 1ul; seed <= Seeds; seed++)
        {
            if (bug.Run(seed) is { } failure)
            {
                output.WriteLine($"{failure.Invariant} under seed {seed}");
                return;
            }
        }

        Assert.Fail($"{name} was not caught in {Seeds} seeds");
    }
}
