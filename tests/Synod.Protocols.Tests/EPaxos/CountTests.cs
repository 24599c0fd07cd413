using Synod.Protocols.Consensus;
using Xunit;

namespace Synod.Protocols.Tests.EPaxosRoom;

/// <summary>Messages of one decision (epaxos.md §10), and the sizes of quorums (§2).</summary>
public sealed class CountTests
{
    [Theory]
    [InlineData(3, 1, 1, 2, 2)]
    [InlineData(4, 1, 1, 3, 3)]
    [InlineData(5, 2, 2, 3, 3)]
    [InlineData(6, 2, 2, 4, 4)]
    [InlineData(7, 3, 2, 5, 4)]
    public void Quorums_are_as_in_section_2(int n, int f, int e, int fast, int slow)
    {
        var group = Sites.GroupOf(n);
        Assert.Equal((f, e, fast, slow), (group.Faults, group.FastFaults, group.Fast, group.Slow));
        Assert.True(n >= Math.Max(2 * e + f - 1, 2 * f + 1));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void Other_sizes_are_refused(int n) => Assert.Throws<ArgumentException>(() => Sites.GroupOf(n));

    /// <summary>2(n-1) and n-1 commits; thrifty, twice what a fast quorum has besides the coordinator.</summary>
    [Theory]
    [InlineData(3, false)]
    [InlineData(5, false)]
    [InlineData(7, false)]
    [InlineData(3, true)]
    [InlineData(5, true)]
    [InlineData(7, true)]
    public void A_fast_decision_takes(int n, bool thrifty)
    {
        var sites = new Sites(n, new EPaxosOptions { IsThrifty = thrifty });
        sites.Put(1, "x", "1");
        sites.Stage.Run();
        var asked = thrifty ? Sites.GroupOf(n).Fast - 1 : n - 1;
        Assert.Equal(
            (asked, asked, 0, 0, n - 1),
            (sites.Sent("PreAccept"), sites.Sent("PreAcceptOk"), sites.Sent("Accept"), sites.Sent("AcceptOk"), sites.Sent("Commit")));
        Assert.Single(sites.Stage.Answers(Sites.Node(1)));
    }

    /// <summary>4(n-1) and n-1 commits; thrifty, the second round goes to a slow quorum.</summary>
    [Theory]
    [InlineData(3, false)]
    [InlineData(5, false)]
    [InlineData(7, false)]
    [InlineData(3, true)]
    [InlineData(5, true)]
    [InlineData(7, true)]
    public void A_slow_decision_takes(int n, bool thrifty)
    {
        var sites = new Sites(n, new EPaxosOptions { IsThrifty = thrifty });

        // The next replica has an interfering command of which nobody else knows.
        sites.Put(2, "x", "2");
        sites.Sync();
        sites.Lose();
        sites.Put(1, "x", "1");
        sites.Stage.Run();
        var group = Sites.GroupOf(n);
        var (first, second) = thrifty ? (group.Fast - 1, group.Slow - 1) : (n - 1, n - 1);
        Assert.Equal(first, sites.Sent("PreAccept") - first);
        Assert.Equal((first, second, second, n - 1),
            (sites.Sent("PreAcceptOk"), sites.Sent("Accept"), sites.Sent("AcceptOk"), sites.Sent("Commit")));
        sites.AssertDecided(1, Sites.Id(1), nop: false, [0, 1, .. new long[n - 2]]);
    }

    /// <summary>Of seven replicas three are down: four are too few for the fast path, and a second round decides.</summary>
    [Fact]
    public void A_second_round_for_want_of_answers_is_no_fast_decision()
    {
        var sites = new Sites(7);
        sites.Put(1, "x", "1");
        sites.Deliver((1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (4, 1));
        sites.Lose();
        sites.Beat(1, times: 2);
        Assert.Equal((0L, 1L), (sites.At(1).FastDecisions, sites.At(1).SlowDecisions));
    }
}
